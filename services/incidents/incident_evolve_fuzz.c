// Arbitrary bytes as the events of a log entry: unpacked and folded, they never crash, and never
// make a state that is invalid.
#include "services/incidents/incident.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Gridwarden__Store__V1__LogEntry *entry =
        gridwarden__store__v1__log_entry__unpack(NULL, size, data);
    Gridwarden__Store__V1__IncidentRecord *state = NULL;
    for (size_t i = 0; entry != NULL && i < entry->n_events; i++) {
        const Gridwarden__Store__V1__Event *event = entry->events[i];
        if (event->kind_case != GRIDWARDEN__STORE__V1__EVENT__KIND_INCIDENT) {
            continue;
        }
        gw_incident_evolve(&state, event->incident);
        if (state != NULL && !gw_incident_valid(state)) {
            abort();
        }
    }
    if (state != NULL) {
        gridwarden__store__v1__incident_record__free_unpacked(state, NULL);
    }
    if (entry != NULL) {
        gridwarden__store__v1__log_entry__free_unpacked(entry, NULL);
    }
    return 0;
}
