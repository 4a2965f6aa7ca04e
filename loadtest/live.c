// The table that is drawn while a run goes on.
#include "loadtest/columns.h"
#include "loadtest/output.h"
#include <inttypes.h>
#include <math.h>
#include <unistd.h>

static const int64_t PLAIN_EVERY_NS = INT64_C(5000000000);

void load_live_begin(struct load_live *live, FILE *out) {
    *live = (struct load_live){.out = out, .terminal = isatty(fileno(out)) == 1};
}

static void put_state(FILE *out, const struct load_live_status *status) {
    fprintf(out, "%5.0f / %.0f s", status->elapsed_s, status->total_s);
    if (status->step_count > 1) {
        fprintf(out, "  step %" PRIu32 "/%" PRIu32 " (rates x %g)", status->step + 1u,
                status->step_count, status->rate_factor);
    }
    fputs(status->warming_up ? "  warming up" : "", out);
}

static void put_ms(FILE *out, double ms, bool known) {
    char text[16] = "-";
    if (known) {
        load_text_ms(ms, text);
    }
    load_put_right(out, text, 9);
}

static void put_count(FILE *out, uint64_t count) {
    fprintf(out, " %9" PRIu64, count);
}

static void put_row(FILE *out, const struct load_live_work *work) {
    char rate[24] = "-", achieved[24];
    if (work->loop == LOAD_OPEN) {
        load_text_rate(work->rate, rate);
    }
    load_text_rate(work->achieved, achieved);
    load_put_left(out, work->name, 18);
    fputc(' ', out);
    load_put_left(out, load_loop_text((int)work->loop), 6);
    load_put_right(out, rate, 9);
    load_put_right(out, achieved, 9);
    put_count(out, work->done);
    put_count(out, work->failed);
    put_count(out, work->open);
    bool known = work->max_ms > 0;
    put_ms(out, work->p50_ms, known);
    put_ms(out, work->p99_ms, known);
    put_ms(out, work->max_ms, known);
    put_ms(out, work->lateness_p99_ms, work->loop == LOAD_OPEN);
}

static void draw(struct load_live *live, const struct load_live_status *status) {
    FILE *out = live->out;
    if (live->lines > 0) {
        fprintf(out, "\r\033[%" PRIu32 "A", live->lines); // back to the first line drawn
    }
    put_state(out, status);
    fputs("\033[K\n", out);
    fputs("work               loop     rate/s   done/s      done    failed      open"
          "   p50 ms   p99 ms   max ms  late p99\033[K\n",
          out);
    for (uint32_t i = 0; i < status->work_count; i++) {
        put_row(out, &status->works[i]);
        fputs("\033[K\n", out);
    }
    live->lines = status->work_count + 2u;
    fputs("\033[J", out); // what an earlier, longer table left below
    fflush(out);
}

static void print_line(FILE *out, const struct load_live_work *work,
                       const struct load_live_status *status) {
    char p50[16], p99[16], max[16], late[16], achieved[24], rate[24];
    load_text_ms(work->p50_ms, p50);
    load_text_ms(work->p99_ms, p99);
    load_text_ms(work->max_ms, max);
    load_text_ms(work->lateness_p99_ms, late);
    load_text_rate(work->achieved, achieved);
    load_text_rate(work->rate, rate);
    put_state(out, status);
    fputs("  ", out);
    load_put_left(out, work->name, 18);
    fprintf(out, " %s", load_loop_text((int)work->loop));
    if (work->loop == LOAD_OPEN) {
        fprintf(out, " rate=%s/s", rate);
    }
    fprintf(out, " done=%s/s total=%" PRIu64 " failed=%" PRIu64 " open=%" PRIu64, achieved,
            work->done, work->failed, work->open);
    fprintf(out, " p50=%sms p99=%sms max=%sms", p50, p99, max);
    if (work->loop == LOAD_OPEN) {
        fprintf(out, " late_p99=%sms", late);
    }
    fputc('\n', out);
}

void load_live_show(struct load_live *live, const struct load_live_status *status, int64_t now_ns) {
    if (live->terminal) {
        draw(live, status);
        return;
    }
    if (live->printed_ns != 0 && now_ns - live->printed_ns < PLAIN_EVERY_NS) {
        return;
    }
    live->printed_ns = now_ns;
    for (uint32_t i = 0; i < status->work_count; i++) {
        print_line(live->out, &status->works[i], status);
    }
    fflush(live->out);
}

void load_live_end(struct load_live *live) {
    if (live->terminal && live->lines > 0) {
        fprintf(live->out, "\r\033[%" PRIu32 "A\033[J", live->lines);
    }
    live->lines = 0;
    fflush(live->out);
}
