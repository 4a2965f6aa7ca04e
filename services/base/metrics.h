// Metrics in the Prometheus text form (exposition format 0.0.4).
//
// A metric is registered once at start and then only touched with atomics. Names follow Prometheus'
// habits: gridwarden_<thing>_<unit>[_total].
#ifndef GW_SERVICES_BASE_METRICS_H
#define GW_SERVICES_BASE_METRICS_H

#include "services/base/buffer.h"
#include <stdint.h>

#define GW_METRICS_MAX 512 // series in a registry

struct gw_metrics; // the registry
struct gw_counter;
struct gw_gauge;
struct gw_histogram;

struct gw_metrics *gw_metrics_create(void); // aborts when out of memory: called at start only
void gw_metrics_destroy(struct gw_metrics *metrics);

// `labels` is the inside of the braces, such as "method=\"Locate\"", or "" (gw_metrics_label makes
// one from any text). The strings are copied. Series with the same name and different labels form
// one family. Asking again for the same name and labels gives the same series. Aborts past
// GW_METRICS_MAX, on a name that Prometheus wouldn't take, and where a family has two kinds: bugs
// of the caller's.
struct gw_counter *gw_metrics_counter(struct gw_metrics *metrics, const char *name,
                                      const char *labels, const char *help);
struct gw_gauge *gw_metrics_gauge(struct gw_metrics *metrics, const char *name, const char *labels,
                                  const char *help);
// Of seconds, with fixed buckets from 50 us to 10 s (1, 2.5, 5 steps).
struct gw_histogram *gw_metrics_histogram(struct gw_metrics *metrics, const char *name,
                                          const char *labels, const char *help);
// `read` is called at each exposition, for values that something else keeps.
void gw_metrics_gauge_read(struct gw_metrics *metrics, const char *name, const char *labels,
                           const char *help, double (*read)(void *context), void *context);

// Appends name="value" to `labels`, after a comma where something is there, with the value escaped.
void gw_metrics_label(struct gw_buffer *labels, const char *name, const char *value);

// All take NULL for "not measured".
void gw_counter_add(struct gw_counter *counter, uint64_t amount);
void gw_gauge_set(struct gw_gauge *gauge, double value);
void gw_histogram_observe_ns(struct gw_histogram *histogram, int64_t nanoseconds);

// Appends the whole registry.
void gw_metrics_write(struct gw_metrics *metrics, struct gw_buffer *out);

#endif
