// Any bytes as a scenario: refused with words, or values that are all within their ranges.
#include "loadtest/scenario.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_work(const struct load_work *work) {
    assert(work->call < LOAD_CALLS && work->name[0] != '\0');
    assert(work->rate >= 0 && work->rate <= 1e6);
    assert(work->connections >= 1 && work->connections <= LOAD_HTTP_CONNECTIONS_MAX);
    assert(work->in_flight_max >= 1 && work->in_flight_max <= 65536);
    assert(work->points >= 1 && work->points <= 100000 && work->batch >= 1 && work->batch <= 10000);
    assert(work->zooms[0] <= work->zooms[1] && work->zooms[1] <= 18);
    assert(work->columns >= 1 && work->columns <= 16 && work->rows >= 1 && work->rows <= 16);
    assert(work->class_count >= 1 && work->class_count <= LOAD_CLASSES_MAX);
    assert(work->layer_count >= 1 && work->layer_count <= LOAD_LAYERS_MAX);
    assert(work->accept_seconds[0] <= work->accept_seconds[1]);
    assert(work->arrivals <= LOAD_CONSTANT && work->where <= LOAD_IN_BOUNDS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct load_scenario scenario;
    struct gw_error error = {.code = GW_OK};
    if (load_scenario_parse((const char *)data, size, "fuzz", &scenario, &error) != GW_OK) {
        assert(strncmp(error.text, "fuzz: ", 6) == 0);
        return 0;
    }
    assert(scenario.work_count >= 1 && scenario.work_count <= LOAD_STREAMS_MAX);
    assert(scenario.seconds >= 1 && scenario.seconds <= LOAD_SECONDS_MAX && scenario.speed > 0);
    for (uint32_t i = 0; i < scenario.work_count; i++) {
        check_work(&scenario.works[i]);
    }
    return 0;
}
