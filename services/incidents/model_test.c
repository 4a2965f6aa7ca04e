// Every command in every state that can be reached, to a depth: what decide allows, evolve keeps
// valid.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/incidents/message.h"
#include "services/incidents/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 7, NODES_MAX = 200000, SLOTS = 1 << 19 };

// A state that was reached: its bytes, and how.
struct node {
    unsigned char *bytes;
    size_t size;
    uint32_t parent, depth;
    Gridwarden__V1__IncidentEvent *events[GW_INCIDENT_EVENTS_MAX]; // from the parent to here
    uint32_t event_count;
};

struct model {
    struct node nodes[NODES_MAX];
    uint32_t count, tried_commands;
    uint32_t slots[SLOTS]; // open addressing: 1 + node
};

static struct model model;

static uint32_t slot_of(const unsigned char *bytes, size_t size) {
    uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    uint32_t slot = (uint32_t)(hash >> 20u) % SLOTS;
    while (model.slots[slot] != 0) {
        const struct node *node = &model.nodes[model.slots[slot] - 1u];
        if (node->size == size && memcmp(node->bytes, bytes, size) == 0) {
            break;
        }
        slot = (slot + 1u) % SLOTS;
    }
    return slot;
}

static Gridwarden__Store__V1__IncidentRecord *state_of(const struct node *node) {
    return node->size == 0
               ? NULL
               : gridwarden__store__v1__incident_record__unpack(NULL, node->size, node->bytes);
}

// The events of the whole way here, folded from nothing.
static Gridwarden__Store__V1__IncidentRecord *replayed(uint32_t index) {
    uint32_t way[DEPTH_MAX + 1], length = 0;
    for (; model.nodes[index].depth > 0; index = model.nodes[index].parent) {
        way[length++] = index;
    }
    Gridwarden__Store__V1__IncidentRecord *state = NULL;
    while (length > 0) {
        const struct node *node = &model.nodes[way[--length]];
        for (uint32_t i = 0; i < node->event_count; i++) {
            gw_incident_evolve(&state, node->events[i]);
        }
    }
    return state;
}

// What holds in every state beyond gw_incident_valid.
static void check_state(const Gridwarden__Store__V1__IncidentRecord *state,
                        const struct gw_policy *policy) {
    const Gridwarden__V1__Incident *incident = state->incident;
    assert_true(gw_incident_valid(state));
    assert_true(incident->handler[0] != '\0'); // never silence
    assert_true(incident->attempt - state->placed_attempt <= policy->offers_max);
    const char *reserved = gw_incident_reserved_worker(state);
    for (size_t i = 0; i < state->n_tried; i++) {
        assert_string_not_equal(state->tried[i], reserved);
    }
    if (incident->state >= GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_RESOLVED) {
        assert_string_equal(reserved, "");
    }
}

static void try_command(uint32_t from, struct testing_case *c) {
    Gridwarden__Store__V1__IncidentRecord *state = state_of(&model.nodes[from]);
    struct testing_history history = {0};
    struct gw_error error;
    uint32_t version = state != NULL ? state->incident->version : 0;
    model.tried_commands++;
    assert_true(testing_apply(&state, c, &history, &error));
    assert_true(history.count <= GW_INCIDENT_EVENTS_MAX);
    if (history.count == 0) {
        testing_history_free(&history);
        if (state != NULL) {
            assert_int_equal(state->incident->version, version);
            gridwarden__store__v1__incident_record__free_unpacked(state, NULL);
        }
        return;
    }
    check_state(state, &c->policy);
    assert_int_equal(state->incident->version, version + history.count);
    size_t size = 0;
    unsigned char *bytes = gw_message_pack(&state->base, &size);
    uint32_t slot = slot_of(bytes, size);
    if (model.slots[slot] == 0) {
        assert_true(model.count < NODES_MAX);
        struct node *node = &model.nodes[model.count];
        node->bytes = bytes;
        node->size = size;
        node->parent = from;
        node->depth = model.nodes[from].depth + 1u;
        node->event_count = history.count;
        memcpy(node->events, history.events, history.count * sizeof(node->events[0]));
        model.slots[slot] = ++model.count;
        Gridwarden__Store__V1__IncidentRecord *again = replayed(model.count - 1u);
        assert_true(testing_equal(state, again));
        gridwarden__store__v1__incident_record__free_unpacked(again, NULL);
    } else {
        free(bytes);
        testing_history_free(&history);
    }
    gridwarden__store__v1__incident_record__free_unpacked(state, NULL);
}

static void set_up(struct testing_case *c, int kind, const char *actor, const char *candidates) {
    testing_case(c, (enum gw_incident_command_kind)kind, actor);
    testing_case_candidates(c, candidates);
    c->policy.offers_max = 2;
}

// All the commands that differ, in one state.
static void expand(uint32_t from) {
    static const char *const actors[] = {"w1", "w2", "desk:211282001001", "somebody", ""};
    static const char *const candidates[] = {"", "w1", "w2 w1", "w3 w1 w2"};
    struct testing_case c;
    for (int kind = 0; kind < GW_INCIDENT_COMMAND_COUNT; kind++) {
        bool places = kind == GW_INCIDENT_REPORT || kind == GW_INCIDENT_SET_PLACE;
        bool assigns = places || kind == GW_INCIDENT_DECLINE || kind == GW_INCIDENT_EXPIRE;
        for (int actor = 0; actor < (places || kind == GW_INCIDENT_EXPIRE ? 1 : 5); actor++) {
            for (int set = 0; set < (assigns ? 4 : 1); set++) {
                for (int place = 0; place < (places ? TESTING_PLACE_COUNT : 1); place++) {
                    set_up(&c, kind, actors[actor], candidates[set]);
                    testing_case_place(&c, (enum testing_place)place);
                    c.context.now_ms += (int64_t)(model.nodes[from].depth) * 70000;
                    c.command.attempt = (uint32_t)set; // of a timer: old, open and future offers
                    try_command(from, &c);
                }
            }
        }
    }
    set_up(&c, GW_INCIDENT_REPORT, "app", "w1");
    testing_case_no_point(&c);
    try_command(from, &c);
}

static void test_every_command_in_every_reachable_state(void **unused) {
    (void)unused;
    bool seen[8] = {false};
    model.count = 1; // node 0: nothing reported yet
    for (uint32_t i = 0; i < model.count; i++) {
        if (i > 0) {
            Gridwarden__Store__V1__IncidentRecord *state = state_of(&model.nodes[i]);
            seen[state->incident->state] = true;
            gridwarden__store__v1__incident_record__free_unpacked(state, NULL);
        }
        if (model.nodes[i].depth < DEPTH_MAX) {
            expand(i);
        }
    }
    for (int state = 1; state < 8; state++) {
        assert_true(seen[state]);
    }
    printf("# %u states, %u commands\n", model.count, model.tried_commands);
    assert_true(model.count > 1000);
    for (uint32_t i = 0; i < model.count; i++) {
        free(model.nodes[i].bytes);
        for (uint32_t j = 0; j < model.nodes[i].event_count; j++) {
            gridwarden__v1__incident_event__free_unpacked(model.nodes[i].events[j], NULL);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_command_in_every_reachable_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
