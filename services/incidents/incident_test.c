#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/incidents/testing.h"

#include <string.h>

static void record_free(Gridwarden__Store__V1__IncidentRecord *state) {
    if (state != NULL) {
        gridwarden__store__v1__incident_record__free_unpacked(state, NULL);
    }
}

// Applies a sound command that has to succeed.
static void apply(Gridwarden__Store__V1__IncidentRecord **state, enum gw_incident_command_kind kind,
                  const char *actor, const char *candidates) {
    struct testing_case c;
    struct gw_error error;
    testing_case(&c, kind, actor);
    testing_case_candidates(&c, candidates);
    if (kind == GW_INCIDENT_EXPIRE) {
        c.command.attempt = (*state)->incident->attempt;
        c.context.now_ms = (*state)->incident->answer_by_ms;
    }
    assert_true(testing_apply(state, &c, NULL, &error));
    assert_int_equal(error.code, GW_OK);
}

// An incident in each state: with w1 where a worker has it, on its village's desk else.
static Gridwarden__Store__V1__IncidentRecord *incident_in(int wanted) {
    Gridwarden__Store__V1__IncidentRecord *state = NULL;
    if (wanted == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_UNSPECIFIED) {
        return NULL;
    }
    if (wanted == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN) {
        struct testing_case c;
        struct gw_error error;
        testing_case(&c, GW_INCIDENT_REPORT, "hotline");
        testing_case_no_point(&c);
        assert_true(testing_apply(&state, &c, NULL, &error));
        return state;
    }
    bool at_desk = wanted == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_AT_DESK;
    apply(&state, GW_INCIDENT_REPORT, "hotline", at_desk ? "" : "w1 w2");
    static const enum gw_incident_command_kind path[] = {GW_INCIDENT_ACCEPT, GW_INCIDENT_START,
                                                         GW_INCIDENT_RESOLVE, GW_INCIDENT_CLOSE};
    for (int i = 0; !at_desk && (int)state->incident->state != wanted && i < 4; i++) {
        apply(&state, path[i], "w1", "");
    }
    assert_int_equal(state->incident->state, wanted);
    return state;
}

// Every pair of state and command. 'y': possible; 'h': only by whom it is with; '.': refused with
// GW_ESTATE; '-': nothing happens, and that is no fault.
static void test_every_state_and_command(void **unused) {
    (void)unused;
    static const char *const rows[] = {
        // Report, SetPlace, Accept, Decline, Start, Resolve, Close, Expire
        [GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_UNSPECIFIED] = "y......-",
        [GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN] = ".y.....-",
        [GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED] = ".yhh...y",
        [GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_AT_DESK] = ".yh....-",
        [GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_ACCEPTED] = "....h..-",
        [GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED] = ".....h.-",
        [GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_RESOLVED] = "......y-",
        [GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED] = ".......-",
    };
    for (int from = 0; from < 8; from++) {
        for (int kind = 0; kind < GW_INCIDENT_COMMAND_COUNT; kind++) {
            for (int by_handler = 0; by_handler < 2; by_handler++) {
                Gridwarden__Store__V1__IncidentRecord *state = incident_in(from);
                struct testing_case c;
                struct gw_error error = {GW_OK, ""};
                uint32_t version = state != NULL ? state->incident->version : 0;
                testing_case(&c, (enum gw_incident_command_kind)kind, "somebody");
                if (by_handler && state != NULL) {
                    c.command.actor = state->incident->handler;
                }
                if (kind == GW_INCIDENT_EXPIRE && state != NULL) {
                    c.command.attempt = state->incident->attempt;
                    c.context.now_ms = TESTING_NOW + 60000;
                }
                assert_true(testing_apply(&state, &c, NULL, &error));
                char rule = rows[from][kind];
                bool done = state != NULL && state->incident->version > version;
                assert_int_equal(done, rule == 'y' || (rule == 'h' && by_handler));
                gw_err refusal = rule == '.'                  ? GW_ESTATE
                                 : rule == 'h' && !by_handler ? GW_EPERM
                                                              : GW_OK;
                assert_int_equal(error.code, refusal);
                assert_true(refusal == GW_OK || error.text[0] != '\0');
                record_free(state);
            }
        }
    }
}

static void test_refusals_say_what_is_possible(void **unused) {
    (void)unused;
    Gridwarden__Store__V1__IncidentRecord *state =
        incident_in(GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED);
    struct testing_case c;
    struct gw_error error;
    testing_case(&c, GW_INCIDENT_START, "w1");
    assert_true(testing_apply(&state, &c, NULL, &error));
    assert_int_equal(error.code, GW_ESTATE);
    assert_non_null(strstr(error.text, "offered"));
    assert_non_null(strstr(error.text, "SetPlace, Accept, Decline"));
    testing_case(&c, GW_INCIDENT_ACCEPT, "w2");
    assert_true(testing_apply(&state, &c, NULL, &error));
    assert_int_equal(error.code, GW_EPERM);
    assert_non_null(strstr(error.text, "is with w1"));
    record_free(state);
}

static void test_report_writes_down_what_it_was_told(void **unused) {
    (void)unused;
    struct testing_case c;
    struct gw_error error;
    struct testing_history history = {0};
    Gridwarden__Store__V1__IncidentRecord *state = NULL;
    testing_case(&c, GW_INCIDENT_REPORT, "");
    testing_case_candidates(&c, "w1 w2 w3");
    c.context.eligible_count = 17;
    assert_true(testing_apply(&state, &c, &history, &error));
    assert_int_equal(history.count, 3);
    const Gridwarden__V1__IncidentEvent *reported = history.events[0];
    assert_int_equal(reported->kind_case, GRIDWARDEN__V1__INCIDENT_EVENT__KIND_REPORTED);
    assert_string_equal(reported->actor, GW_ACTOR_ANONYMOUS);
    assert_int_equal(reported->reported->severity, 2);
    assert_string_equal(reported->reported->description, "井盖缺失");
    const Gridwarden__V1__IncidentEvent *placed = history.events[1];
    assert_int_equal(placed->kind_case, GRIDWARDEN__V1__INCIDENT_EVENT__KIND_PLACED);
    assert_string_equal(placed->placed->grid_code, "G1");
    assert_true(placed->placed->point->longitude == 124.0);
    const Gridwarden__V1__IncidentEvent *offered = history.events[2];
    assert_int_equal(offered->kind_case, GRIDWARDEN__V1__INCIDENT_EVENT__KIND_OFFERED);
    assert_string_equal(offered->actor, GW_ACTOR_SYSTEM);
    assert_string_equal(offered->offered->worker_id, "w1");
    assert_int_equal(offered->offered->n_candidates, 3);
    assert_int_equal(offered->offered->eligible_count, 17);
    assert_int_equal(offered->offered->answer_by_ms, TESTING_NOW + 60000);
    assert_string_equal(state->incident->handler, "w1");
    assert_string_equal(gw_incident_reserved_worker(state), "w1");
    assert_int_equal(state->incident->n_area_codes, 4);
    testing_history_free(&history);
    record_free(state);
}

static void test_emergency_is_answered_sooner(void **unused) {
    (void)unused;
    struct testing_case c;
    struct gw_error error;
    Gridwarden__Store__V1__IncidentRecord *state = NULL;
    testing_case(&c, GW_INCIDENT_REPORT, "app");
    testing_case_candidates(&c, "w1");
    c.report.class_code = (char *)"04";
    assert_true(testing_apply(&state, &c, NULL, &error));
    assert_int_equal(state->incident->answer_by_ms, TESTING_NOW + 30000);
    record_free(state);
}

static void test_places_and_their_desks(void **unused) {
    (void)unused;
    static const struct {
        enum testing_place place;
        const char *candidates, *handler;
    } rows[] = {
        {TESTING_INSIDE, "", "desk:211282001001"},
        {TESTING_OTHER, "", GW_DESK_CITY},
        {TESTING_OTHER, "w9", "w9"},
        {TESTING_OUTSIDE, "w1", "desk:211282001001"}, // nobody answers for it, so nobody is asked
        {TESTING_NOWHERE, "", GW_DESK_CITY},
        {TESTING_INSIDE, "desk:x w2", "w2"}, // no worker is called like a desk
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct testing_case c;
        struct gw_error error;
        Gridwarden__Store__V1__IncidentRecord *state = NULL;
        testing_case(&c, GW_INCIDENT_REPORT, "app");
        testing_case_place(&c, rows[i].place);
        testing_case_candidates(&c, rows[i].candidates);
        assert_true(testing_apply(&state, &c, NULL, &error));
        assert_string_equal(state->incident->handler, rows[i].handler);
        bool outside = rows[i].place == TESTING_OUTSIDE;
        assert_string_equal(state->incident->nearest_grid_code, outside ? "G1" : "");
        assert_true(state->incident->nearest_grid_distance_m == (outside ? 12.5 : 0.0));
        record_free(state);
    }
}

static void test_declined_and_lapsed_go_on_to_the_desk(void **unused) {
    (void)unused;
    Gridwarden__Store__V1__IncidentRecord *state = NULL;
    apply(&state, GW_INCIDENT_REPORT, "app", "w1 w2");
    apply(&state, GW_INCIDENT_DECLINE, "w1", "w1 w2 w3"); // w1 isn't asked twice
    assert_string_equal(state->incident->handler, "w2");
    assert_int_equal(state->incident->attempt, 2);
    apply(&state, GW_INCIDENT_EXPIRE, "", "w2 w1 w3");
    assert_string_equal(state->incident->handler, "w3");
    assert_int_equal(state->incident->attempt, 3);
    apply(&state, GW_INCIDENT_DECLINE, "w3", "w1 w2 w3");
    assert_string_equal(state->incident->handler, "desk:211282001001");
    assert_int_equal(state->incident->answer_by_ms, 0);
    assert_int_equal(state->n_tried, 3);
    apply(&state, GW_INCIDENT_ACCEPT, "desk:211282001001", "");
    assert_string_equal(gw_incident_reserved_worker(state), "");
    record_free(state);
}

static void test_offers_are_limited_from_each_place_on(void **unused) {
    (void)unused;
    Gridwarden__Store__V1__IncidentRecord *state = NULL;
    const char *all = "w1 w2 w3 w4 w5 w6 w7 w8";
    apply(&state, GW_INCIDENT_REPORT, "app", all);
    for (uint32_t i = 1; i < 5; i++) {
        apply(&state, GW_INCIDENT_EXPIRE, "", all);
        assert_int_equal(state->incident->attempt, i + 1u);
    }
    apply(&state, GW_INCIDENT_EXPIRE, "", all); // the fifth was the last
    assert_string_equal(state->incident->handler, "desk:211282001001");
    apply(&state, GW_INCIDENT_SET_PLACE, "desk:211282001001", all);
    assert_string_equal(state->incident->handler, "w6");
    assert_int_equal(state->incident->attempt, 6);
    record_free(state);
}

static void test_place_can_be_given_and_corrected(void **unused) {
    (void)unused;
    Gridwarden__Store__V1__IncidentRecord *state =
        incident_in(GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_PLACE_UNKNOWN);
    assert_string_equal(state->incident->handler, GW_DESK_PLACE_UNKNOWN);
    assert_null(state->incident->point);
    apply(&state, GW_INCIDENT_SET_PLACE, "desk:place-unknown", "w1");
    assert_string_equal(state->incident->handler, "w1");
    apply(&state, GW_INCIDENT_SET_PLACE, "desk:city", "w2 w1"); // the open offer is withdrawn
    assert_string_equal(state->incident->handler, "w2");
    assert_int_equal(state->incident->attempt, 2);
    assert_int_equal(state->n_tried, 0);
    record_free(state);
}

static void test_timers_of_other_offers_do_nothing(void **unused) {
    (void)unused;
    static const struct {
        uint32_t attempt;
        int64_t late_ms;
    } rows[] = {{1, -1}, {2, 0}, {0, 0}};
    for (size_t i = 0; i < 3; i++) {
        Gridwarden__Store__V1__IncidentRecord *state =
            incident_in(GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED);
        struct testing_case c;
        struct gw_error error;
        testing_case(&c, GW_INCIDENT_EXPIRE, NULL);
        c.command.attempt = rows[i].attempt;
        c.context.now_ms = state->incident->answer_by_ms + rows[i].late_ms;
        assert_true(testing_apply(&state, &c, NULL, &error));
        assert_int_equal(error.code, GW_OK);
        assert_int_equal(state->incident->version, 3);
        record_free(state);
    }
}

static void test_transition_fields_are_checked(void **unused) {
    (void)unused;
    static char text[5000];
    static const struct {
        enum gw_incident_command_kind kind;
        int state;
        size_t bytes_max;
    } rows[] = {
        {GW_INCIDENT_DECLINE, GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED, 512},
        {GW_INCIDENT_RESOLVE, GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_STARTED, 4096},
        {GW_INCIDENT_CLOSE, GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_RESOLVED, 4096},
    };
    for (size_t i = 0; i < 3; i++) {
        Gridwarden__Store__V1__IncidentRecord *state = incident_in(rows[i].state);
        struct testing_case c;
        struct gw_error error;
        testing_case(&c, rows[i].kind, "w1");
        memset(text, 'x', rows[i].bytes_max + 1u);
        text[rows[i].bytes_max + 1u] = '\0';
        c.command.text = text;
        assert_true(testing_apply(&state, &c, NULL, &error));
        assert_int_equal(error.code, GW_EINVAL);
        c.command.text = "\xc3(";
        assert_true(testing_apply(&state, &c, NULL, &error));
        assert_int_equal(error.code, GW_EINVAL);
        c.command.text = "";
        c.command.actor = "";
        assert_true(testing_apply(&state, &c, NULL, &error));
        assert_int_equal(error.code, GW_EINVAL);
        text[rows[i].bytes_max] = '\0';
        c.command.text = text;
        c.command.actor = "w1";
        assert_true(testing_apply(&state, &c, NULL, &error));
        assert_int_equal(error.code, GW_OK);
        record_free(state);
    }
}

static void test_a_clock_that_goes_back_is_held(void **unused) {
    (void)unused;
    Gridwarden__Store__V1__IncidentRecord *state =
        incident_in(GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED);
    struct testing_case c;
    struct gw_error error;
    testing_case(&c, GW_INCIDENT_ACCEPT, "w1");
    c.context.now_ms = TESTING_NOW - 5000;
    assert_true(testing_apply(&state, &c, NULL, &error));
    assert_int_equal(error.code, GW_OK);
    assert_int_equal(state->incident->updated_ms, TESTING_NOW);
    record_free(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state_and_command),
        cmocka_unit_test(test_refusals_say_what_is_possible),
        cmocka_unit_test(test_report_writes_down_what_it_was_told),
        cmocka_unit_test(test_emergency_is_answered_sooner),
        cmocka_unit_test(test_places_and_their_desks),
        cmocka_unit_test(test_declined_and_lapsed_go_on_to_the_desk),
        cmocka_unit_test(test_offers_are_limited_from_each_place_on),
        cmocka_unit_test(test_place_can_be_given_and_corrected),
        cmocka_unit_test(test_timers_of_other_offers_do_nothing),
        cmocka_unit_test(test_transition_fields_are_checked),
        cmocka_unit_test(test_a_clock_that_goes_back_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
