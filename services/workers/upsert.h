// The fields of an UpsertWorkersRequest, checked before anything is decided. Private to the room.
#ifndef GW_SERVICES_WORKERS_UPSERT_H
#define GW_SERVICES_WORKERS_UPSERT_H

#include "services/workers/roster.h"

// Names worker and field in the text. The caller holds the lock for reading.
GW_MUST_CHECK gw_err gw_upsert_check(const struct gw_workers *workers,
                                     const Gridwarden__V1__UpsertWorkersRequest *request,
                                     struct gw_error *error);

#endif
