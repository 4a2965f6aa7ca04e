// The two clocks: wall time for records, monotonic time for measuring and waiting.
#ifndef GW_SERVICES_BASE_CLOCK_H
#define GW_SERVICES_BASE_CLOCK_H

#include <stdint.h>

int64_t gw_clock_wall_ms(void);      // milliseconds since 1970-01-01T00:00:00Z
int64_t gw_clock_monotonic_ns(void); // nanoseconds since some fixed instant

#endif
