// The shard's own clock, when the machine's was set back: offers lapse nevertheless.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/base/clock.h"
#include "services/shard/testing.h"

enum { AN_HOUR_MS = 60 * 60 * 1000, PATIENCE_MS = 30 * 1000 };

static void test_offers_lapse_though_the_log_is_ahead_of_the_clock(void **state) {
    (void)state;
    struct bench bench;
    struct gw_error error;
    char id[GW_INCIDENT_ID_SIZE];
    bench_open(&bench);
    bench.policy.classes[0].answer_ms_max = 20;
    bench.now_ms = gw_clock_wall_ms() + AN_HOUR_MS;
    bench_restart(&bench);
    bench_staff(&bench, 1);
    assert_int_equal(bench_report(&bench, 0, 0, id), GW_OK);
    gw_shard_close(bench.shard);
    struct gw_shard_options options = {
        .store = bench.store, .log = bench.log, .current = bench.current, .policy = &bench.policy};
    assert_int_equal(gw_shard_open(&options, &bench.shard, &error), GW_OK);
    int64_t begun_ns = gw_clock_monotonic_ns();
    struct gw_shard_totals totals = {0};
    bool lapsed = false;
    while (!lapsed && gw_clock_monotonic_ns() - begun_ns < PATIENCE_MS * INT64_C(1000000)) {
        lapsed = gw_shard_step(bench.shard) > 0;
    }
    assert_true(lapsed);
    gw_shard_totals(bench.shard, &totals);
    assert_int_equal(totals.open_incidents, 1);
    Gridwarden__V1__Incident *incident = bench_incident(&bench, id);
    assert_true(incident->attempt >= 2);                    // the next candidate has it
    assert_true(incident->updated_ms > gw_clock_wall_ms()); // and time did not go back
    gridwarden__v1__incident__free_unpacked(incident, NULL);
    bench_verify(&bench, NULL);
    bench_close(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offers_lapse_though_the_log_is_ahead_of_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
