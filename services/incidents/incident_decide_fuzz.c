// Sequences of commands: each two bytes pick a command, its actor, place, candidates and time.
// Whatever comes, decide and evolve keep the state valid, and the events replay to the same bytes.
#include "services/incidents/testing.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const actors[] = {"w1", "w2", "desk:211282001001",  "desk:city",
                                         "w3", "",   "desk:place-unknown", "\xff"};
    static const char *const candidates[] = {"", "w1", "w2 w1", "w3 w2 w1 w4 w5 w6 w7 w8 w9"};
    static const char *const texts[] = {"", "ok", "\xc3\x28", NULL};
    Gridwarden__Store__V1__IncidentRecord *state = NULL;
    struct testing_history history = {0};
    int64_t now_ms = TESTING_NOW;
    for (size_t i = 0; i + 1 < size && history.count < 56; i += 2) {
        struct testing_case c;
        struct gw_error error;
        unsigned first = data[i], second = data[i + 1];
        testing_case(&c, (enum gw_incident_command_kind)(first % GW_INCIDENT_COMMAND_COUNT),
                     actors[first / 8u % 8u]);
        testing_case_place(&c, (enum testing_place)(second % TESTING_PLACE_COUNT));
        testing_case_candidates(&c, candidates[second / 4u % 4u]);
        c.command.text = texts[second / 16u % 4u];
        c.policy.offers_max = 1u + second / 64u;
        if (first >= 128 && c.command.kind == GW_INCIDENT_REPORT) {
            testing_case_no_point(&c);
        }
        c.command.attempt = state != NULL ? state->incident->attempt - (first >= 192) : 0;
        now_ms += first >= 128 ? 30000 : second >= 128 ? -1000 : 1;
        c.context.now_ms = now_ms;
        if (!testing_apply(&state, &c, &history, &error)) {
            abort();
        }
    }
    if (state != NULL) {
        Gridwarden__Store__V1__IncidentRecord *again = testing_replay(&history);
        if (!testing_equal(state, again)) {
            abort();
        }
        gridwarden__store__v1__incident_record__free_unpacked(again, NULL);
        gridwarden__store__v1__incident_record__free_unpacked(state, NULL);
    }
    testing_history_free(&history);
    return 0;
}
