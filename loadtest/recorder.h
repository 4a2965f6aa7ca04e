// What becomes of the calls of one work: counts and latencies, in all and by second.
//
// Only arrivals that were due inside the window (after the warm-up, before the end) count, however
// late they are answered: so that none of the slow ones is lost at the end.
//
// Times: nanoseconds of the monotonic clock. Threads: any; one lock inside.
#ifndef GW_LOADTEST_RECORDER_H
#define GW_LOADTEST_RECORDER_H

#include "loadtest/result.h"
#include "services/base/error.h"
#include <pthread.h>

// Arrivals that must have been sent for a rate to count as offered.
#define LOAD_SENT_SHARE_MIN 0.999

struct load_recorder {
    pthread_mutex_t lock;
    int64_t window_ns, end_ns;       // the window: [window_ns, end_ns)
    struct load_work_result *result; // of its caller; the totals
    uint64_t unsent;                 // arrivals that met the bound of calls in flight
    uint32_t second_capacity;
    uint32_t second;                // that `finished` is of
    struct load_histogram finished; // in that second
    // For the eye, the warm-up included; taken by load_recorder_tick.
    uint64_t seen_intended, seen_done, seen_failed;
    struct load_histogram tick_latency, tick_lateness;
};

// `seconds` is the window's length; room is kept for answers up to `drain_seconds` later.
GW_MUST_CHECK gw_err load_recorder_init(struct load_recorder *recorder,
                                        struct load_work_result *result, double seconds,
                                        double drain_seconds);
void load_recorder_deinit(struct load_recorder *recorder); // the result's seconds stay
// Sets the window; before any call is recorded.
void load_recorder_window(struct load_recorder *recorder, int64_t window_ns, int64_t end_ns);

void load_recorder_intended(struct load_recorder *recorder, int64_t intended_ns);
// The harness was ready to send at ready_ns (when it was not waiting for the server) and did so at
// sent_ns: the rest is its own lateness.
void load_recorder_sent(struct load_recorder *recorder, int64_t intended_ns, int64_t ready_ns,
                        int64_t sent_ns);
void load_recorder_done(struct load_recorder *recorder, int64_t intended_ns, int64_t sent_ns,
                        int64_t done_ns, uint64_t items);
void load_recorder_failed(struct load_recorder *recorder, int64_t intended_ns, int64_t now_ns,
                          const char *why);
// An arrival that was not sent: `bound` calls are in flight already. Counts as failed.
void load_recorder_unsent(struct load_recorder *recorder, int64_t intended_ns, uint32_t bound);
// Something that came by itself at now_ns: intended and done at once. `since_ns` < 0: without a
// latency.
void load_recorder_event(struct load_recorder *recorder, int64_t now_ns, int64_t since_ns,
                         uint64_t items);
// More items of what is counted already.
void load_recorder_items(struct load_recorder *recorder, int64_t intended_ns, uint64_t items);

struct load_recorder_view {
    uint64_t intended, done, failed;                // of the window; before it: since the start
    uint64_t done_ever;                             // the warm-up included
    double p50_ms, p99_ms, max_ms, lateness_p99_ms; // since the last look
};
void load_recorder_tick(struct load_recorder *recorder, int64_t now_ns,
                        struct load_recorder_view *view);

// The end: what was neither done nor failed is unfinished, and load_rate_offered is applied.
// `seconds`: how much of the window there was (less where the run was cut short).
void load_recorder_finish(struct load_recorder *recorder, double seconds, double lateness_ms_max);

// The rule. A rate counts as offered when at least LOAD_SENT_SHARE_MIN of its arrivals were sent,
// and the 99th percentile of the harness's own lateness is within lateness_ms_max or a tenth of the
// mean gap between arrivals, whichever is more. Else false, and why in out[size].
bool load_rate_offered(const struct load_work_result *result, uint64_t unsent,
                       double lateness_ms_max, char *out, size_t size);

#endif
