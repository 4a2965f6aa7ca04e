// Editions change while the shard is at work: staged, published, gone back to; what is decided
// before and after; retries, refusals, failures, restarts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gridwarden/v1/edition.pb-c.h"
#include "services/grids/editions.h"
#include "services/shard/testing.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bench bench;

static int set_up(void **state) {
    (void)state;
    bench_open(&bench);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    bench_verify(&bench, NULL);
    bench_close(&bench);
    return 0;
}

static const struct bench_edition second = {.number = 2, .moved = 60000};
static const struct bench_edition third = {.number = 3, .without = BENCH_A2};

static void publish_new(const struct bench_edition *kind) {
    assert_int_equal(bench_stage(&bench, kind), GW_OK);
    assert_int_equal(bench_publish(&bench, kind->number), GW_OK);
    assert_int_equal(bench_published(&bench), kind->number);
}

static int state_of(uint64_t number) {
    Gridwarden__V1__Edition *row = NULL;
    assert_int_equal(gw_editions_find(bench.store, GW_LAYER_RESPONSIBLE, number, &row, NULL),
                     GW_OK);
    int state = (int)row->state;
    gridwarden__v1__edition__free_unpacked(row, NULL);
    return state;
}

static void expect_states(int first, int other) {
    assert_int_equal(state_of(1), first);
    assert_int_equal(state_of(2), other);
}

enum {
    STAGED = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_STAGED,
    PUBLISHED = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED,
    SUPERSEDED = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_SUPERSEDED,
};

static void test_staged_published_and_back(void **state) {
    (void)state;
    assert_int_equal(bench_stage(&bench, &second), GW_OK);
    expect_states(PUBLISHED, STAGED);
    assert_int_equal(bench_published(&bench), 1);
    assert_int_equal(bench_publish(&bench, 2), GW_OK);
    expect_states(SUPERSEDED, PUBLISHED);
    assert_int_equal(bench_published(&bench), 2);
    bench_restart(&bench);
    assert_int_equal(bench_published(&bench), 2);
    assert_int_equal(bench_publish(&bench, 1), GW_OK); // back
    expect_states(PUBLISHED, SUPERSEDED);
    assert_int_equal(bench_published(&bench), 1);
    assert_int_equal(bench_publish(&bench, 2), GW_OK); // and forth
    bench_restart(&bench);
    assert_int_equal(bench_published(&bench), 2);
    expect_states(SUPERSEDED, PUBLISHED);
}

static void test_what_cannot_be_published(void **state) {
    (void)state;
    uint64_t head = gw_shard_head(bench.shard);
    assert_int_equal(bench_publish(&bench, 1), GW_ESTATE); // it is already
    assert_int_equal(bench_publish(&bench, 2), GW_ENOTFOUND);
    assert_int_equal(bench_publish(&bench, 0), GW_ENOTFOUND);
    assert_int_equal(bench_published(&bench), 1);
    assert_int_equal(gw_shard_head(bench.shard), head);
}

static void test_numbers_come_one_after_the_other(void **state) {
    (void)state;
    assert_int_equal(bench_stage(&bench, &third), GW_ESTATE);
    assert_int_equal(bench_stage(&bench, &second), GW_OK);
    assert_int_equal(bench_stage(&bench, &second), GW_ESTATE);
    assert_int_equal(bench_stage(&bench, &third), GW_OK);
    assert_int_equal(state_of(3), STAGED);
}

// --- commands as they come from outside ---

static gw_err submit(const ProtobufCMessage *request, struct gw_edition *file,
                     const struct gw_error *refusal, struct bench_reply *reply) {
    bench_reply_free(reply);
    bench_submit_edition(&bench, request, file, refusal, reply);
    while (reply->answers == 0) {
        (void)gw_shard_step(bench.shard);
    }
    return reply->err;
}

static struct gw_edition *reopen(uint64_t number) {
    Gridwarden__V1__Edition *row = NULL;
    struct gw_edition *edition = NULL;
    assert_int_equal(gw_editions_find(bench.store, GW_LAYER_RESPONSIBLE, number, &row, NULL),
                     GW_OK);
    assert_int_equal(gw_editions_open(bench.folder, row, &edition, NULL), GW_OK);
    gridwarden__v1__edition__free_unpacked(row, NULL);
    return edition;
}

static void test_a_retry_gets_the_first_answer(void **state) {
    (void)state;
    struct bench_reply reply = {0};
    const struct gw_error refusal = {GW_EIO, "no file"};
    Gridwarden__V1__PublishRequest request = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    request.request_id = (char *)"publish-2";
    request.layer = (char *)GW_LAYER_RESPONSIBLE;
    request.number = 2;
    assert_int_equal(bench_stage(&bench, &second), GW_OK);
    assert_int_equal(submit(&request.base, NULL, &refusal, &reply), GW_EIO);
    assert_string_equal(reply.text, "no file");
    assert_int_equal(submit(&request.base, NULL, NULL, &reply), GW_ESTATE);
    assert_int_equal(submit(&request.base, reopen(2), NULL, &reply), GW_OK);
    const Gridwarden__V1__Edition *edition =
        ((const Gridwarden__V1__PublishResponse *)reply.response)->edition;
    assert_int_equal(edition->ref->number, 2);
    assert_int_equal(edition->state, PUBLISHED);
    assert_int_equal(edition->published_ms, bench.now_ms);
    assert_int_equal(bench_publish(&bench, 1), GW_OK);
    bench.now_ms += 1000;
    uint64_t head = gw_shard_head(bench.shard);
    assert_int_equal(submit(&request.base, NULL, &refusal, &reply), GW_OK); // without the file
    assert_int_equal(submit(&request.base, reopen(2), NULL, &reply), GW_OK);
    edition = ((const Gridwarden__V1__PublishResponse *)reply.response)->edition;
    assert_int_equal(edition->published_ms, bench.now_ms - 1000);
    assert_int_equal(bench_published(&bench), 1); // it had its effect, once
    assert_int_equal(gw_shard_head(bench.shard), head);
    request.number = 1;
    assert_int_equal(submit(&request.base, reopen(1), NULL, &reply), GW_EEXISTS);
    request.number = 2;
    request.request_id = (char *)"";
    assert_int_equal(submit(&request.base, reopen(2), NULL, &reply), GW_EINVAL);
    bench_reply_free(&reply);
}

static void test_the_file_must_be_the_one_that_is_named(void **state) {
    (void)state;
    struct bench_reply reply = {0};
    Gridwarden__V1__UploadHeader header = GRIDWARDEN__V1__UPLOAD_HEADER__INIT;
    Gridwarden__V1__PublishRequest request = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    char hash[33];
    struct gw_edition *file = bench_write_edition(&bench, &second);
    gw_edition_content_hash(file, hash);
    header.request_id = (char *)"stage-2";
    header.layer = (char *)GW_LAYER_RESPONSIBLE;
    header.number = 2;
    header.content_hash = (char *)"00000000000000000000000000000000";
    assert_int_equal(submit(&header.base, file, NULL, &reply), GW_EINVAL);
    header.content_hash = hash;
    assert_int_equal(submit(&header.base, reopen(1), NULL, &reply), GW_EINVAL);
    header.layer = (char *)"No Layer";
    assert_int_equal(submit(&header.base, reopen(1), NULL, &reply), GW_EINVAL);
    assert_int_equal(bench_stage(&bench, &second), GW_OK);
    request.request_id = (char *)"publish-2";
    request.layer = (char *)GW_LAYER_RESPONSIBLE;
    request.number = 2;
    assert_int_equal(submit(&request.base, reopen(1), NULL, &reply), GW_ECORRUPT);
    request.layer = (char *)"police";
    assert_int_equal(submit(&request.base, reopen(2), NULL, &reply), GW_ENOTFOUND);
    assert_int_equal(bench_published(&bench), 1);
    bench_reply_free(&reply);
}

// An edition of another layer is recorded, and what answers stays.
static void test_another_layer_does_not_take_over(void **state) {
    (void)state;
    struct bench_reply reply = {0};
    Gridwarden__V1__UploadHeader header = GRIDWARDEN__V1__UPLOAD_HEADER__INIT;
    Gridwarden__V1__PublishRequest request = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    const struct bench_edition police = {.number = 1, .layer = "police"};
    char hash[33];
    struct gw_edition *file = bench_write_edition(&bench, &police);
    gw_edition_content_hash(file, hash);
    header.request_id = (char *)"stage";
    header.layer = (char *)"police";
    header.number = 1;
    header.content_hash = hash;
    assert_int_equal(submit(&header.base, file, NULL, &reply), GW_OK);
    request.request_id = (char *)"publish";
    request.layer = (char *)"police";
    request.number = 1;
    file = bench_write_edition(&bench, &police);
    assert_int_equal(submit(&request.base, file, NULL, &reply), GW_OK);
    const struct gw_edition *now = gw_current_take(bench.current);
    assert_string_equal(gw_edition_layer(now), GW_LAYER_RESPONSIBLE);
    gw_current_release(bench.current, now);
    assert_int_equal(state_of(1), PUBLISHED);
    bench_restart(&bench);
    assert_int_equal(bench_published(&bench), 1);
    bench_reply_free(&reply);
}

// --- incidents across a change ---

static uint64_t edition_of(const char *id, char grid[64]) {
    Gridwarden__V1__Incident *incident = bench_incident(&bench, id);
    uint64_t number = incident->edition->number;
    (void)snprintf(grid, 64, "%s", incident->grid_code);
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    return number;
}

// A point 0.003 degrees east of the border of columns 0 and 1: of A2, until the border moves.
static Gridwarden__V1__Point beside_border(void) {
    Gridwarden__V1__Point point = bench_point(1, 0);
    point.longitude -= 0.002;
    return point;
}

static void test_a_report_in_the_queue_is_placed_anew(void **state) {
    (void)state;
    Gridwarden__V1__ReportRequest report = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    Gridwarden__V1__PublishRequest publish = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    Gridwarden__V1__Point point = beside_border();
    struct bench_reply replies[3] = {{0}};
    char id[GW_INCIDENT_ID_SIZE], grid[64];
    bench_staff(&bench, 3);
    assert_int_equal(bench_stage(&bench, &second), GW_OK);
    report.class_code = (char *)"01";
    report.point = &point;
    report.request_id = (char *)"before";
    bench_submit(&bench, &report.base, &replies[0]);
    publish.request_id = (char *)"publish";
    publish.layer = (char *)GW_LAYER_RESPONSIBLE;
    publish.number = 2;
    bench_submit_edition(&bench, &publish.base, reopen(2), NULL, &replies[1]);
    Gridwarden__V1__ReportRequest later = report; // located by the edition of now, decided after
    later.request_id = (char *)"after";
    bench_submit(&bench, &later.base, &replies[2]);
    uint64_t head = gw_shard_head(bench.shard);
    assert_int_equal(gw_shard_step(bench.shard), 2); // the entry ends with the edition
    assert_int_equal(bench_published(&bench), 2);
    assert_int_equal(replies[2].answers, 0);
    assert_int_equal(gw_shard_step(bench.shard), 1);
    assert_int_equal(gw_shard_head(bench.shard), head + 2);
    const char *const codes[3] = {BENCH_A2, NULL, BENCH_A1};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(replies[i].err, GW_OK);
        if (codes[i] != NULL) {
            const Gridwarden__V1__ReportResponse *response =
                (const Gridwarden__V1__ReportResponse *)replies[i].response;
            (void)snprintf(id, sizeof(id), "%s", response->incident->id);
            assert_int_equal(edition_of(id, grid), i == 0 ? 1 : 2);
            assert_string_equal(grid, codes[i]);
        }
        bench_reply_free(&replies[i]);
    }
}

// Offers, timers and places of workers do not care for editions; the next candidate is of the new.
static void test_open_offers_go_on(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE], other[GW_INCIDENT_ID_SIZE], grid[64];
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 1, 0, id), GW_OK); // A2, whose worker is w3
    bench_expect(&bench, id, GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED, "w3");
    assert_int_equal(bench_stage(&bench, &second), GW_OK);
    publish_new(&third); // A2 is gone
    assert_int_equal(bench_load(&bench, "w3"), 1);
    assert_int_equal(edition_of(id, grid), 1);
    assert_string_equal(grid, BENCH_A2); // as it was recorded
    assert_int_equal(bench_act(&bench, GW_INCIDENT_ACCEPT, id, "w3"), GW_OK);
    assert_int_equal(bench_report(&bench, 1, 0, other), GW_OK); // nobody's place now
    assert_int_equal(edition_of(other, grid), 3);
    assert_string_equal(grid, "");
    bench.now_ms += 1;
    bench_restart(&bench);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_START, id, "w3"), GW_OK);
    assert_int_equal(bench_act(&bench, GW_INCIDENT_RESOLVE, id, "w3"), GW_OK);
    assert_int_equal(bench_load(&bench, "w3"), 0);
}

static void test_an_offer_lapses_though_its_grid_is_gone(void **state) {
    (void)state;
    char id[GW_INCIDENT_ID_SIZE], grid[64];
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 1, 0, id), GW_OK);
    assert_int_equal(bench_stage(&bench, &second), GW_OK);
    publish_new(&third);
    bench.now_ms += 60 * 60 * 1000;
    while (gw_shard_step(bench.shard) > 0) {
    }
    Gridwarden__V1__Incident *incident = bench_incident(&bench, id);
    assert_string_not_equal(incident->handler, "w3");
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    assert_int_equal(edition_of(id, grid), 1);
    assert_string_equal(grid, BENCH_A2);
    assert_int_equal(bench_load(&bench, "w3"), 0);
    assert_int_equal(bench_publish(&bench, 1), GW_OK); // w3 is back in his grid
    assert_int_equal(bench_report(&bench, 1, 0, id), GW_OK);
    bench_expect(&bench, id, GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_OFFERED, "w3");
}

// --- failures ---

static void test_a_failed_append_changes_nothing(void **state) {
    (void)state;
    assert_int_equal(bench_stage(&bench, &second), GW_OK);
    bench.fail_appends = 1;
    assert_int_equal(bench_publish(&bench, 2), GW_EUNAVAILABLE);
    assert_int_equal(bench_published(&bench), 1);
    expect_states(PUBLISHED, STAGED);
    assert_false(gw_shard_writable(bench.shard));
    assert_int_equal(bench_publish(&bench, 2), GW_EUNAVAILABLE); // its file is closed all the same
    bench_restart(&bench);
    assert_int_equal(bench_published(&bench), 1);
    assert_int_equal(bench_publish(&bench, 2), GW_OK);
}

static void test_what_waits_at_the_end_is_closed(void **state) {
    (void)state;
    Gridwarden__V1__PublishRequest publish = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    struct bench_reply reply = {0};
    assert_int_equal(bench_stage(&bench, &second), GW_OK);
    publish.request_id = (char *)"publish";
    publish.layer = (char *)GW_LAYER_RESPONSIBLE;
    publish.number = 2;
    bench_submit_edition(&bench, &publish.base, reopen(2), NULL, &reply);
    bench_restart(&bench);
    assert_int_equal(reply.err, GW_OK);
    assert_int_equal(bench_published(&bench), 2);
    bench_reply_free(&reply);
}

// --- the feed ---

struct seen {
    struct bench *bench;
    uint64_t last;
    uint32_t published;
    bool late; // an entry was seen before its edition was there
};

static bool see(void *context, const Gridwarden__Store__V1__LogEntry *entry) {
    struct seen *seen = context;
    seen->last = entry->sequence;
    for (size_t i = 0; i < entry->n_events; i++) {
        const Gridwarden__Store__V1__Event *event = entry->events[i];
        if (event->kind_case == GRIDWARDEN__STORE__V1__EVENT__KIND_EDITION &&
            (int)event->edition->edition->state == PUBLISHED) {
            seen->published++;
            seen->late |= bench_published(seen->bench) != event->edition->edition->ref->number;
        }
    }
    return true;
}

static void on_wake(void *context) {
    struct seen *seen = context;
    gw_err err = gw_shard_read(seen->bench->shard, seen->last, see, seen, NULL);
    seen->late |= err != GW_OK;
}

static void test_the_feed_shows_an_edition_that_is_there(void **state) {
    (void)state;
    struct seen seen = {.bench = &bench, .last = gw_shard_head(bench.shard)};
    struct gw_shard_subscription *subscription = gw_shard_subscribe(bench.shard, on_wake, &seen);
    publish_new(&second);
    publish_new(&third);
    assert_int_equal(bench_publish(&bench, 1), GW_OK);
    gw_shard_unsubscribe(bench.shard, subscription);
    assert_int_equal(seen.published, 3);
    assert_false(seen.late);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_staged_published_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers_come_one_after_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_retry_gets_the_first_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_file_must_be_the_one_that_is_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_another_layer_does_not_take_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_report_in_the_queue_is_placed_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_open_offers_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_offer_lapses_though_its_grid_is_gone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_failed_append_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_waits_at_the_end_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_feed_shows_an_edition_that_is_there, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
