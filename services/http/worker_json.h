// Workers as JSON. Names are masked: HTTP has no login.
#ifndef GW_SERVICES_HTTP_WORKER_JSON_H
#define GW_SERVICES_HTTP_WORKER_JSON_H

#include "gridwarden/v1/worker.pb-c.h"
#include "services/base/buffer.h"

// id, name, kind, duty, load, capacity, home_grids, skills, position as members of an open object.
void http_write_worker_members(struct gw_buffer *out, const Gridwarden__V1__Worker *worker);

#endif
