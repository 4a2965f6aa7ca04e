#include "loadtest/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gw_err load_recorder_init(struct load_recorder *recorder, struct load_work_result *result,
                          double seconds, double drain_seconds) {
    memset(recorder, 0, sizeof(*recorder));
    (void)pthread_mutex_init(&recorder->lock, NULL);
    recorder->result = result;
    recorder->second_capacity = (uint32_t)(seconds + drain_seconds) + 2;
    result->seconds = calloc(recorder->second_capacity, sizeof(*result->seconds));
    result->offered = true;
    return result->seconds == NULL ? GW_ENOMEM : GW_OK;
}

void load_recorder_deinit(struct load_recorder *recorder) {
    (void)pthread_mutex_destroy(&recorder->lock);
}

void load_recorder_window(struct load_recorder *recorder, int64_t window_ns, int64_t end_ns) {
    recorder->window_ns = window_ns;
    recorder->end_ns = end_ns;
}

static bool measured(const struct load_recorder *recorder, int64_t intended_ns) {
    return intended_ns >= recorder->window_ns && intended_ns < recorder->end_ns;
}

// The second of the window that an instant lies in; NULL: none that there is room for.
static struct load_second *second_of(const struct load_recorder *recorder, int64_t at_ns) {
    int64_t second = (at_ns - recorder->window_ns) / 1000000000;
    return at_ns < recorder->window_ns || second >= recorder->second_capacity
               ? NULL
               : &recorder->result->seconds[second];
}

// Writes down the percentiles of the second that `finished` is of.
static void close_second(struct load_recorder *recorder) {
    struct load_second *second = &recorder->result->seconds[recorder->second];
    second->p50_ms = (float)((double)load_histogram_quantile(&recorder->finished, 0.5) / 1e6);
    second->p99_ms = (float)((double)load_histogram_quantile(&recorder->finished, 0.99) / 1e6);
    second->max_ms = (float)((double)load_histogram_quantile(&recorder->finished, 1) / 1e6);
    load_histogram_clear(&recorder->finished);
}

// An answer belongs to the second in which it came. Threads may be a moment apart: what comes after
// its second was closed counts in the next one.
static void note_finished(struct load_recorder *recorder, int64_t now_ns, int64_t latency_ns) {
    struct load_second *second = second_of(recorder, now_ns);
    if (second == NULL) {
        return;
    }
    uint32_t index = (uint32_t)(second - recorder->result->seconds);
    if (index > recorder->second) {
        close_second(recorder);
        recorder->second = index;
    }
    recorder->result->seconds[recorder->second].done++;
    if (latency_ns >= 0) {
        load_histogram_record(&recorder->finished, latency_ns);
    }
}

void load_recorder_intended(struct load_recorder *recorder, int64_t intended_ns) {
    (void)pthread_mutex_lock(&recorder->lock);
    recorder->seen_intended++;
    if (measured(recorder, intended_ns)) {
        recorder->result->intended++;
        second_of(recorder, intended_ns)->intended++;
    }
    (void)pthread_mutex_unlock(&recorder->lock);
}

void load_recorder_sent(struct load_recorder *recorder, int64_t intended_ns, int64_t ready_ns,
                        int64_t sent_ns) {
    int64_t from_ns = ready_ns > intended_ns ? ready_ns : intended_ns;
    (void)pthread_mutex_lock(&recorder->lock);
    load_histogram_record(&recorder->tick_lateness, sent_ns - from_ns);
    if (measured(recorder, intended_ns)) {
        load_histogram_record(&recorder->result->lateness, sent_ns - from_ns);
    }
    (void)pthread_mutex_unlock(&recorder->lock);
}

void load_recorder_done(struct load_recorder *recorder, int64_t intended_ns, int64_t sent_ns,
                        int64_t done_ns, uint64_t items) {
    (void)pthread_mutex_lock(&recorder->lock);
    recorder->seen_done++;
    load_histogram_record(&recorder->tick_latency, done_ns - intended_ns);
    if (measured(recorder, intended_ns)) {
        recorder->result->done++;
        recorder->result->items += items;
        load_histogram_record(&recorder->result->latency, done_ns - intended_ns);
        load_histogram_record(&recorder->result->service, done_ns - sent_ns);
        note_finished(recorder, done_ns, done_ns - intended_ns);
    }
    (void)pthread_mutex_unlock(&recorder->lock);
}

static void count_failure(struct load_recorder *recorder, int64_t intended_ns, int64_t now_ns,
                          const char *why) {
    recorder->seen_failed++;
    if (!measured(recorder, intended_ns)) {
        return;
    }
    struct load_second *second = second_of(recorder, now_ns);
    recorder->result->failed++;
    if (second != NULL) {
        second->failed++;
    }
    if (recorder->result->first_failure[0] == '\0') {
        (void)snprintf(recorder->result->first_failure, sizeof(recorder->result->first_failure),
                       "%s", why);
    }
}

void load_recorder_failed(struct load_recorder *recorder, int64_t intended_ns, int64_t now_ns,
                          const char *why) {
    (void)pthread_mutex_lock(&recorder->lock);
    count_failure(recorder, intended_ns, now_ns, why);
    (void)pthread_mutex_unlock(&recorder->lock);
}

void load_recorder_unsent(struct load_recorder *recorder, int64_t intended_ns, uint32_t bound) {
    char why[128];
    (void)snprintf(why, sizeof(why), "not sent: %u calls were in flight (in_flight_max)", bound);
    (void)pthread_mutex_lock(&recorder->lock);
    recorder->unsent += measured(recorder, intended_ns);
    count_failure(recorder, intended_ns, intended_ns, why);
    (void)pthread_mutex_unlock(&recorder->lock);
}

void load_recorder_event(struct load_recorder *recorder, int64_t now_ns, int64_t since_ns,
                         uint64_t items) {
    (void)pthread_mutex_lock(&recorder->lock);
    recorder->seen_intended++;
    recorder->seen_done++;
    if (since_ns >= 0) {
        load_histogram_record(&recorder->tick_latency, since_ns);
    }
    if (measured(recorder, now_ns)) {
        recorder->result->intended++;
        recorder->result->done++;
        recorder->result->items += items;
        second_of(recorder, now_ns)->intended++;
        note_finished(recorder, now_ns, since_ns);
        if (since_ns >= 0) {
            load_histogram_record(&recorder->result->latency, since_ns);
            load_histogram_record(&recorder->result->service, since_ns);
        }
    }
    (void)pthread_mutex_unlock(&recorder->lock);
}

void load_recorder_items(struct load_recorder *recorder, int64_t intended_ns, uint64_t items) {
    (void)pthread_mutex_lock(&recorder->lock);
    recorder->result->items += measured(recorder, intended_ns) ? items : 0;
    (void)pthread_mutex_unlock(&recorder->lock);
}

void load_recorder_tick(struct load_recorder *recorder, int64_t now_ns,
                        struct load_recorder_view *view) {
    (void)pthread_mutex_lock(&recorder->lock);
    bool warm = now_ns >= recorder->window_ns;
    const struct load_work_result *result = recorder->result;
    view->intended = warm ? result->intended : recorder->seen_intended;
    view->done = warm ? result->done : recorder->seen_done;
    view->done_ever = recorder->seen_done;
    view->failed = warm ? result->failed : recorder->seen_failed;
    view->p50_ms = (double)load_histogram_quantile(&recorder->tick_latency, 0.5) / 1e6;
    view->p99_ms = (double)load_histogram_quantile(&recorder->tick_latency, 0.99) / 1e6;
    view->max_ms = (double)load_histogram_quantile(&recorder->tick_latency, 1) / 1e6;
    view->lateness_p99_ms = (double)load_histogram_quantile(&recorder->tick_lateness, 0.99) / 1e6;
    load_histogram_clear(&recorder->tick_latency);
    load_histogram_clear(&recorder->tick_lateness);
    (void)pthread_mutex_unlock(&recorder->lock);
}

void load_recorder_finish(struct load_recorder *recorder, double seconds, double lateness_ms_max) {
    struct load_work_result *result = recorder->result;
    (void)pthread_mutex_lock(&recorder->lock);
    close_second(recorder);
    uint64_t ended = result->done + result->failed;
    result->unfinished = result->intended > ended ? result->intended - ended : 0;
    // Seconds after the window are kept as far as answers came in them.
    result->second_count = (uint32_t)seconds + (seconds > (double)(uint32_t)seconds);
    for (uint32_t i = result->second_count; i < recorder->second_capacity; i++) {
        const struct load_second *second = &result->seconds[i];
        if (second->intended + second->done + second->failed > 0) {
            result->second_count = i + 1;
        }
    }
    if (result->second_count > recorder->second_capacity) {
        result->second_count = recorder->second_capacity;
    }
    result->offered = load_rate_offered(result, recorder->unsent, lateness_ms_max, result->refusal,
                                        sizeof(result->refusal));
    (void)pthread_mutex_unlock(&recorder->lock);
}

bool load_rate_offered(const struct load_work_result *result, uint64_t unsent,
                       double lateness_ms_max, char *out, size_t size) {
    if (result->loop == LOAD_CLOSED || result->rate <= 0) {
        return true; // a closed loop, a watch: there is no rate to be late for
    }
    double sent = 1 - (double)unsent / (double)(result->intended > 0 ? result->intended : 1);
    if (sent < LOAD_SENT_SHARE_MIN) {
        (void)snprintf(out, size,
                       "%.2f %% of the arrivals were not sent: too many calls were unanswered "
                       "(in_flight_max); the server can't keep up with this rate",
                       (1 - sent) * 100);
        return false;
    }
    double allowed = 100 / result->rate; // a tenth of the gap, in ms
    allowed = allowed > lateness_ms_max ? allowed : lateness_ms_max;
    double late = (double)load_histogram_quantile(&result->lateness, 0.99) / 1e6;
    if (late > allowed) {
        (void)snprintf(out, size,
                       "the harness itself sent 1 %% of the calls more than %.2f ms late; %.2f ms "
                       "are allowed. Give it more of the machine, or a lower rate",
                       late, allowed);
        return false;
    }
    return true;
}
