// Random commands, timers, retries, failures and restarts; what has to hold holds after each step.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/incidents/message.h"
#include "services/shard/testing.h"
#include "tests/support/random.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEPS = 700,
    BATCH_MAX = 6,
    WORKERS = 5,
    CAPACITY = 2,
    INCIDENTS_MAX = 6000,
    KEPT = 64,
    EDITIONS_MAX = 12
};

// A request that was answered, for retries.
struct kept {
    ProtobufCMessage *request, *response;
};

static struct bench bench;
static struct test_random rng;
static char ids[INCIDENTS_MAX][GW_INCIDENT_ID_SIZE]; // acknowledged
static uint32_t id_count;
static struct kept kept[KEPT];
static uint32_t kept_count;
static uint32_t edition_count = 1;

static int pick(int min, int max) {
    return (int)test_random_range(&rng, min, max);
}

static const char *pick_actor(const Gridwarden__V1__Incident *incident) {
    static const char *const others[] = {"w1", "w2", "w3", "w4", "w5", "desk:city", "", "centre"};
    return pick(0, 3) > 0 ? incident->handler : others[pick(0, 7)];
}

// The requests, built from borrowed parts and copied.
static ProtobufCMessage *make_report(void) {
    Gridwarden__V1__ReportRequest request = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    Gridwarden__V1__Point point = bench_point(pick(-1, 3), pick(0, 1));
    static const char *const classes[] = {"01", "04", "06"};
    request.request_id = (char *)bench_request_id(&bench);
    request.class_code = (char *)classes[pick(0, 2)];
    request.address = (char *)"somewhere";
    request.point = pick(0, 5) > 0 ? &point : NULL;
    return gw_message_clone(&request.base);
}

static ProtobufCMessage *make_set_place(const Gridwarden__V1__Incident *incident) {
    Gridwarden__V1__SetPlaceRequest request = GRIDWARDEN__V1__SET_PLACE_REQUEST__INIT;
    Gridwarden__V1__Point point = bench_point(pick(-1, 3), pick(0, 1));
    request.request_id = (char *)bench_request_id(&bench);
    request.incident_id = incident->id;
    request.actor = (char *)"centre";
    request.point = &point;
    return gw_message_clone(&request.base);
}

static ProtobufCMessage *make_action(const Gridwarden__V1__Incident *incident) {
    static const ProtobufCMessageDescriptor *const types[] = {
        &gridwarden__v1__accept_request__descriptor, &gridwarden__v1__decline_request__descriptor,
        &gridwarden__v1__start_request__descriptor, &gridwarden__v1__resolve_request__descriptor,
        &gridwarden__v1__close_request__descriptor};
    // What fits the state, mostly.
    static const int fitting[8] = {0, 0, 0, 0, 2, 3, 4, 4};
    int type = fitting[incident->state];
    if (pick(0, 2) == 0) {
        type = pick(0, 4);
    }
    Gridwarden__V1__AcceptRequest request; // the first fields of all of them are these
    gridwarden__v1__accept_request__init(&request);
    request.request_id = (char *)bench_request_id(&bench);
    request.incident_id = incident->id;
    request.actor = (char *)pick_actor(incident);
    size_t size = 0;
    unsigned char *bytes = gw_message_pack(&request.base, &size);
    ProtobufCMessage *made = protobuf_c_message_unpack(types[type], NULL, size, bytes);
    free(bytes);
    return made;
}

static ProtobufCMessage *make_duty(void) {
    static const char *const workers[WORKERS] = {"w1", "w2", "w3", "w4", "w5"};
    Gridwarden__V1__SetDutyRequest request = GRIDWARDEN__V1__SET_DUTY_REQUEST__INIT;
    char *list[1] = {(char *)workers[pick(0, WORKERS - 1)]};
    request.request_id = (char *)bench_request_id(&bench);
    request.worker_ids = list;
    request.n_worker_ids = 1;
    request.duty = pick(0, 2) > 0 ? GRIDWARDEN__V1__DUTY__DUTY_ON : GRIDWARDEN__V1__DUTY__DUTY_OFF;
    return gw_message_clone(&request.base);
}

static ProtobufCMessage *make_request(void) {
    int choice = pick(0, 9);
    if (choice < 3 || id_count == 0) {
        return make_report();
    }
    if (choice == 3) {
        return make_duty();
    }
    uint32_t recent = id_count > 60 ? 60 : id_count;
    Gridwarden__V1__Incident *incident =
        bench_incident(&bench, ids[id_count - 1u - (uint32_t)pick(0, (int)recent - 1)]);
    ProtobufCMessage *request = choice == 4 ? make_set_place(incident) : make_action(incident);
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    return request;
}

static bool same(const ProtobufCMessage *a, const ProtobufCMessage *b) {
    size_t size_a = 0, size_b = 0;
    unsigned char *bytes_a = gw_message_pack(a, &size_a), *bytes_b = gw_message_pack(b, &size_b);
    bool equal = size_a == size_b && memcmp(bytes_a, bytes_b, size_a) == 0;
    free(bytes_a);
    free(bytes_b);
    return equal;
}

static void keep(ProtobufCMessage *request, ProtobufCMessage *response) {
    struct kept *slot = &kept[kept_count++ % KEPT];
    if (slot->request != NULL) {
        protobuf_c_message_free_unpacked(slot->request, NULL);
        protobuf_c_message_free_unpacked(slot->response, NULL);
    }
    *slot = (struct kept){request, response};
}

static void note_answer(ProtobufCMessage *request, struct bench_reply *reply) {
    assert_int_equal(reply->answers, 1);
    if (reply->err != GW_OK) {
        assert_true(reply->err != GW_EINTERNAL && reply->err != GW_ECORRUPT);
        protobuf_c_message_free_unpacked(request, NULL);
        bench_reply_free(reply);
        return;
    }
    if (request->descriptor == &gridwarden__v1__report_request__descriptor) {
        assert_true(id_count < INCIDENTS_MAX);
        memcpy(ids[id_count++],
               ((const Gridwarden__V1__ReportResponse *)reply->response)->incident->id,
               GW_INCIDENT_ID_SIZE);
    }
    keep(request, reply->response);
}

// Another edition from time to time: a new one whose borders lie elsewhere or that lacks a grid, or
// one that was published before.
static void change_edition(void) {
    static const char *const without[] = {NULL, NULL, BENCH_A2, BENCH_C1};
    if (edition_count < EDITIONS_MAX && pick(0, 1) == 0) {
        struct bench_edition kind = {.number = edition_count + 1u,
                                     .moved = pick(-40000, 40000),
                                     .without = without[pick(0, 3)]};
        assert_int_equal(bench_stage(&bench, &kind), GW_OK);
        edition_count++;
    }
    uint64_t before = bench_published(&bench);
    uint64_t number = (uint64_t)pick(1, (int)edition_count);
    bool fails = pick(0, 10) == 0;
    bench.fail_appends = fails;
    gw_err err = bench_publish(&bench, number);
    bench.fail_appends = 0;
    assert_int_equal(err, number == before ? GW_ESTATE : fails ? GW_EUNAVAILABLE : GW_OK);
    assert_int_equal(bench_published(&bench), err == GW_OK ? number : before);
}

// A few requests, and perhaps one that was answered before, in one entry or more.
static void step(void) {
    ProtobufCMessage *requests[BATCH_MAX];
    struct bench_reply replies[BATCH_MAX] = {{0}}, again = {0};
    int count = pick(0, BATCH_MAX);
    const struct kept *retried =
        kept_count > 0 && pick(0, 3) == 0
            ? &kept[(uint32_t)pick(0, 1000) % (kept_count < KEPT ? kept_count : KEPT)]
            : NULL;
    for (int i = 0; i < count; i++) {
        requests[i] = make_request();
        bench_submit(&bench, requests[i], &replies[i]);
    }
    if (retried != NULL) {
        bench_submit(&bench, retried->request, &again);
    }
    bench.fail_appends = pick(0, 60) == 0;
    while (gw_shard_step(bench.shard) > 0) {
    }
    if (retried != NULL) {
        assert_int_equal(again.answers, 1);
        assert_true(again.err == GW_EUNAVAILABLE ||
                    (again.err == GW_OK && same(again.response, retried->response)));
        bench_reply_free(&again);
    }
    for (int i = 0; i < count; i++) {
        note_answer(requests[i], &replies[i]);
    }
    bench.fail_appends = 0;
}

struct tally {
    uint32_t held[WORKERS + 1]; // places by worker
    uint32_t open, offers, desks, all;
    int64_t oldest_ms;
};

static bool tally_incident(void *context, const Gridwarden__V1__Incident *incident) {
    struct tally *tally = context;
    int state = (int)incident->state;
    bool holds = state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED ||
                 state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED ||
                 state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED;
    bool offered = state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED;
    bool on_desk = state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN ||
                   state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_AT_DESK;
    assert_true(incident->handler[0] != '\0');
    assert_true(!offered || incident->answer_by_ms > bench.now_ms); // no timer was missed
    if (holds && incident->handler[0] == 'w') {
        tally->held[incident->handler[1] - '0']++;
    }
    tally->all++;
    tally->open += state != GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED;
    tally->offers += offered;
    tally->desks += on_desk;
    if ((offered || on_desk) &&
        (tally->oldest_ms == 0 || incident->reported_ms < tally->oldest_ms)) {
        tally->oldest_ms = incident->reported_ms;
    }
    return true;
}

// Reservations are exactly the offers, accepted and started incidents of workers; nobody has more
// than his capacity; the totals say what is so.
static void check_all(void) {
    struct tally tally = {.all = 0};
    Gridwarden__V1__IncidentServiceListRequest request =
        GRIDWARDEN__V1__INCIDENT_SERVICE_LIST_REQUEST__INIT;
    Gridwarden__V1__PageRequest page = GRIDWARDEN__V1__PAGE_REQUEST__INIT;
    struct gw_incident_list list = {.request = &request};
    struct gw_shard_totals totals;
    struct gw_error error;
    char token[sizeof(list.next_token)] = "";
    request.page = &page;
    page.size = 1000;
    page.token = token;
    do {
        assert_int_equal(
            gw_shard_list_incidents(bench.shard, &list, tally_incident, &tally, &error), GW_OK);
        memcpy(token, list.next_token, sizeof(token));
    } while (token[0] != '\0');
    assert_true(tally.all >= id_count);
    for (int i = 1; i <= WORKERS; i++) {
        char worker[3] = {'w', (char)('0' + i), '\0'};
        assert_int_equal(bench_load(&bench, worker), tally.held[i]);
        assert_true(tally.held[i] <= CAPACITY);
    }
    gw_shard_totals(bench.shard, &totals);
    assert_int_equal(totals.open_incidents, tally.open);
    assert_int_equal(totals.open_offers, tally.offers);
    assert_int_equal(totals.at_desks, tally.desks);
    assert_int_equal(totals.oldest_unassigned_ms, tally.oldest_ms);
    assert_int_equal(totals.sequence, gw_shard_head(bench.shard));
}

static void test_random_days(void **state) {
    (void)state;
    struct gw_shard_verify_totals totals;
    uint32_t restarts = 0;
    rng = test_random_seeded("shard", 20240607);
    bench_open(&bench);
    bench.policy.offers_max = 3;
    bench_restart(&bench);
    bench_staff(&bench, CAPACITY);
    for (int i = 0; i < STEPS; i++) {
        bench.now_ms += pick(0, 4) == 0 ? pick(1, 40000) : pick(-50, 50);
        step();
        if (gw_shard_writable(bench.shard) && pick(0, 20) == 0) {
            change_edition();
        }
        if (!gw_shard_writable(bench.shard) || pick(0, 80) == 0) {
            bench_restart(&bench);
            restarts++;
            while (gw_shard_step(bench.shard) > 0) { // what fell due meanwhile
            }
        }
        check_all();
        if (i % 100 == 99) {
            bench_verify(&bench, &totals);
        }
    }
    for (uint32_t i = 0; i < id_count; i++) { // each acknowledged one is there
        gridwarden__v1__incident__free_unpacked(bench_incident(&bench, ids[i]), NULL);
    }
    bench_verify(&bench, &totals);
    assert_true(totals.incidents >= id_count);
    assert_true(restarts > 5 && id_count > 300 && edition_count > 5);
    print_message("# %u incidents, %u restarts, %u events\n", id_count, restarts,
                  (unsigned)totals.events);
    for (uint32_t i = 0; i < KEPT; i++) {
        if (kept[i].request != NULL) {
            protobuf_c_message_free_unpacked(kept[i].request, NULL);
            protobuf_c_message_free_unpacked(kept[i].response, NULL);
        }
    }
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
