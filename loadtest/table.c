// The table that a run ends with.
#include "loadtest/columns.h"
#include "loadtest/output.h"
#include <inttypes.h>

static void put_head(FILE *out, const struct load_result *result) {
    fprintf(out, "scenario %s, seed %" PRIu64 ", warm-up %g s", result->scenario, result->seed,
            result->warmup_seconds);
    fprintf(out, "%s%s%s%s%s%s\n", result->server[0] != '\0' ? ", gRPC " : "", result->server,
            result->http[0] != '\0' ? ", HTTP " : "", result->http,
            result->commit[0] != '\0' ? ", commit " : "", result->commit);
    if (result->machine[0] != '\0') {
        fprintf(out, "%s\n", result->machine);
    }
}

static void put_step_head(FILE *out, const struct load_step *step, bool sweep) {
    fputc('\n', out);
    if (sweep) {
        fprintf(out, "rates x %g, ", step->rate_factor);
    }
    fprintf(out, "%.1f s measured; milliseconds\n", step->seconds);
    load_put_left(out, "work", 14);
    load_put_left(out, " call", 22);
    fputs(" loop  ", out);
    static const char *const words[] = {"rate/s", "done/s", "done",  "failed", "p50",
                                        "p90",    "p99",    "p99.9", "max",    "late p99"};
    for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        load_put_right(out, words[i], i == 2 ? 10 : 9);
    }
    fputs("  verdict\n", out);
}

static void put_ms(FILE *out, double ms) {
    char text[16];
    load_text_ms(ms, text);
    load_put_right(out, text, 9);
}

static void put_dashes(FILE *out, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        load_put_right(out, "-", 9);
    }
}

static void put_counts(FILE *out, const struct load_work_result *work,
                       const struct load_summary *summary) {
    char rate[24] = "-", achieved[24], done[24], failed[24];
    if (work->loop == LOAD_OPEN) {
        load_text_rate(work->rate, rate);
    }
    load_text_rate(summary->achieved, achieved);
    snprintf(done, sizeof(done), "%" PRIu64, work->done);
    snprintf(failed, sizeof(failed), "%" PRIu64, work->failed);
    load_put_right(out, rate, 9);
    load_put_right(out, achieved, 9);
    load_put_right(out, done, 10);
    load_put_right(out, failed, 9);
}

static void put_latencies(FILE *out, const struct load_work_result *work,
                          const struct load_summary *summary) {
    if (!work->offered || work->latency.count == 0) {
        put_dashes(out, 5); // a rate that was not offered has no latency
    } else {
        put_ms(out, summary->p50_ms);
        put_ms(out, summary->p90_ms);
        put_ms(out, summary->p99_ms);
        put_ms(out, summary->p999_ms);
        put_ms(out, summary->max_ms);
    }
    if (work->loop == LOAD_OPEN && work->lateness.count > 0) {
        put_ms(out, summary->lateness_p99_ms);
    } else {
        put_dashes(out, 1);
    }
}

static const char *verdict_of(const struct load_work_result *work) {
    if (!work->offered) {
        return "NOT OFFERED";
    }
    if (work->failed > 0 || work->unfinished > 0) {
        return "failures";
    }
    return work->loop == LOAD_OPEN ? "offered" : "as fast as answered";
}

static void put_work(FILE *out, const struct load_work_result *work, double seconds) {
    struct load_summary summary;
    load_work_summarize(work, seconds, &summary);
    load_put_left(out, work->name, 14);
    fputc(' ', out);
    load_put_left(out, work->call, 21);
    fputc(' ', out);
    load_put_left(out, load_loop_text((int)work->loop), 6);
    put_counts(out, work, &summary);
    put_latencies(out, work, &summary);
    fprintf(out, "  %s\n", verdict_of(work));
}

// Text that came from outside, with nothing in it that a terminal would act on.
static void put_note(FILE *out, const char *name, const char *what, const char *text) {
    fputs("  ", out);
    load_put_text(out, name);
    fprintf(out, ": %s", what);
    load_put_text(out, text);
    fputc('\n', out);
}

static void put_notes(FILE *out, const struct load_work_result *work, double seconds) {
    if (!work->offered) {
        put_note(out, work->name, "", work->refusal);
    }
    if (work->first_failure[0] != '\0') {
        put_note(out, work->name, "first failure: ", work->first_failure);
    }
    if (work->unfinished > 0) {
        fprintf(out, "  %s: %" PRIu64 " calls had no answer when the run ended\n", work->name,
                work->unfinished);
    }
    if (work->item[0] != '\0' && seconds > 0) {
        char rate[24];
        load_text_rate((double)work->items / seconds, rate);
        fprintf(out, "  %s: %" PRIu64 " %s, %s a second\n", work->name, work->items, work->item,
                rate);
    }
}

static void put_verify(FILE *out, const struct load_verify_result *verify) {
    fprintf(out,
            "\nverify: %" PRIu64 " acknowledged, %" PRIu64 " found, %" PRIu64 " LOST, %" PRIu64
            " DOUBLED; %" PRIu64 " sent again, %" PRIu32 " reconnects\n",
            verify->acknowledged, verify->found, verify->lost, verify->doubled, verify->retried,
            verify->reconnects);
}

gw_err load_write_table(const struct load_result *result, FILE *out) {
    put_head(out, result);
    bool open = false, closed = false;
    for (uint32_t s = 0; s < result->step_count; s++) {
        const struct load_step *step = &result->steps[s];
        put_step_head(out, step, result->step_count > 1);
        for (uint32_t w = 0; w < step->work_count; w++) {
            put_work(out, &step->works[w], step->seconds);
            open = open || step->works[w].loop == LOAD_OPEN;
            closed = closed || step->works[w].loop == LOAD_CLOSED;
        }
        for (uint32_t w = 0; w < step->work_count; w++) {
            put_notes(out, &step->works[w], step->seconds);
        }
    }
    if (open) {
        fputs("\nOPEN: arrivals don't wait for answers; latency counts from the intended send "
              "time.\n",
              out);
    }
    if (closed) {
        fputs("CLOSED: each connection waits for its answer before it sends again; a pause of the"
              " server hides in it.\n",
              out);
    }
    if (result->verify.asked) {
        put_verify(out, &result->verify);
    }
    return fflush(out) != 0 || ferror(out) ? GW_EIO : GW_OK;
}
