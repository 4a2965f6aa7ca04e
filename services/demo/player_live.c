#include "services/demo/player_parts.h"
#include <unistd.h>

enum { SUB_BITS = 5, SUB = 1 << SUB_BITS, HEADER_EVERY = 25 };

// Microseconds below SUB have a bucket each; above, each doubling has SUB of them.
static uint32_t bucket_of(uint64_t microseconds) {
    uint32_t shift = 0;
    while (microseconds >> shift >= 2 * SUB) {
        shift++;
    }
    uint32_t bucket = (uint32_t)(microseconds >> shift) + shift * SUB;
    return bucket < GW_DEMO_BUCKETS ? bucket : GW_DEMO_BUCKETS - 1;
}

// The first value beyond a bucket.
static uint64_t bucket_end(uint32_t bucket) {
    uint32_t shift = bucket < 2 * SUB ? 0 : bucket / SUB - 1;
    return ((uint64_t)(bucket - shift * SUB) + 1) << shift;
}

void gw_demo_latency_add(struct gw_demo_latency *latency, int64_t nanoseconds) {
    latency->counts[bucket_of(nanoseconds > 0 ? (uint64_t)nanoseconds / 1000 : 0)]++;
    latency->count++;
}

double gw_demo_latency_ms(const struct gw_demo_latency *latency, double share) {
    uint64_t seen = 0, wanted = (uint64_t)(share * (double)latency->count);
    for (uint32_t i = 0; i < GW_DEMO_BUCKETS; i++) {
        seen += latency->counts[i];
        if (seen > wanted || (seen == latency->count && seen > 0)) {
            return (double)bucket_end(i) / 1000.0;
        }
    }
    return 0;
}

static void refresh(struct gw_demo_player *player, int64_t now_ns) {
    struct gw_demo_totals *totals = &player->totals;
    double seconds = (double)(now_ns - player->live_ns) / 1e9;
    totals->simulated_ms = gw_demo_city_ms(player, now_ns);
    totals->clock_minute = (uint32_t)(gw_demo_minute(player, now_ns) % 1440);
    totals->planned = player->plan_count;
    totals->positions = atomic_load(&player->positions);
    totals->reopened = atomic_load(&player->reopened);
    totals->open_calls = player->open_calls;
    totals->open_tasks = player->tasks.count;
    totals->report_p50_ms = gw_demo_latency_ms(&player->latency, 0.5);
    totals->report_p99_ms = gw_demo_latency_ms(&player->latency, 0.99);
    if (seconds > 0.01) {
        totals->reports_per_second = (double)(totals->reported - player->live_reported) / seconds;
    }
    player->live_reported = totals->reported;
    player->live_ns = now_ns;
}

void gw_demo_live(struct gw_demo_player *player, int64_t now_ns, bool last) {
    const struct gw_demo_totals *totals = &player->totals;
    FILE *out = player->options.live;
    refresh(player, now_ns);
    if (player->options.progress != NULL) {
        player->options.progress(player->options.context, totals);
    }
    if (out == NULL) {
        return;
    }
    bool terminal = isatty(fileno(out)) == 1;
    if (player->live_lines++ % (terminal ? UINT32_MAX : HEADER_EVERY) == 0) {
        fprintf(out, "clock  on duty  reported  assigned  accepted  declined   desks    late "
                     "resolved    closed  p50 ms  p99 ms     /s\n");
    }
    // On a terminal the line is written over, until the last one.
    fprintf(out,
            "%s%02u:%02u  %7u %9llu %9llu %9llu %9llu %7llu %7llu %8llu %9llu %7.2f %7.2f %6.1f%s",
            terminal ? "\r" : "", totals->clock_minute / 60, totals->clock_minute % 60,
            totals->on_duty, (unsigned long long)totals->reported,
            (unsigned long long)totals->assigned, (unsigned long long)totals->accepted,
            (unsigned long long)totals->declined, (unsigned long long)totals->at_desks,
            (unsigned long long)totals->late, (unsigned long long)totals->resolved,
            (unsigned long long)totals->closed, totals->report_p50_ms, totals->report_p99_ms,
            totals->reports_per_second, terminal && !last ? "\033[K" : "\n");
    fflush(out);
}
