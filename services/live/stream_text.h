// What the stream says, as text. Private to services/live.
#ifndef GW_SERVICES_LIVE_STREAM_TEXT_H
#define GW_SERVICES_LIVE_STREAM_TEXT_H

#include "services/base/buffer.h"
#include "services/live/crew.h"
#include "services/live/open_incidents.h"

// {"id":...,"state":...}; lon and lat are null while the place is unknown.
void stream_incident(struct gw_buffer *out, const struct open_incident *incident);
// [id, lon, lat, on_duty, full_time, load, position_ms]
void stream_worker(struct gw_buffer *out, const struct crew_row *row);
// Degrees of a lattice coordinate, as short as they are exact.
void stream_degrees(struct gw_buffer *out, int32_t units);

#endif
