#include "loadtest/run.h"

#include "loadtest/http.h"
#include "loadtest/output.h"
#include "loadtest/parts.h"
#include "services/base/clock.h"
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#define START_NS 100000000 // from the start of the threads to the first arrival
#define SECOND_NS 1000000000

// --- time ---

bool load_stopped(const struct load_run *run) {
    return run->options->stop != NULL && atomic_load(run->options->stop);
}

bool load_over(const struct load_run *run, int64_t now_ns) {
    return now_ns >= run->end_ns || load_stopped(run);
}

void load_precise_timers(void) {
    (void)prctl(PR_SET_TIMERSLACK, 1ul); // else sleeps end 50 us late
}

void load_go_first(void) {
    // Not for threads that call gRPC: it spins on locks that others hold, and then stands still.
    const struct sched_param priority = {.sched_priority = 1};
    (void)pthread_setschedparam(pthread_self(), SCHED_RR, &priority);
}

void load_sleep_until(int64_t at_ns) {
    int64_t latest_ns = gw_clock_monotonic_ns() + LOAD_TICK_NS;
    at_ns = at_ns < latest_ns ? at_ns : latest_ns;
    const struct timespec at = {.tv_sec = at_ns / SECOND_NS, .tv_nsec = at_ns % SECOND_NS};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

// --- one work ---

static const struct load_driver *driver_of(enum load_call call) {
    switch (call) {
    case LOAD_POSITIONS:
        return &load_positions_driver;
    case LOAD_WATCH_INCIDENTS:
    case LOAD_WATCH_ASSIGNMENTS:
        return &load_watch_driver;
    case LOAD_TILES:
        return &load_tiles_driver;
    case LOAD_LIVE:
        return &load_sse_driver;
    default:
        return &load_unary_driver;
    }
}

static const char *item_of(enum load_call call) {
    switch (call) {
    case LOAD_LOCATE_BATCH:
        return "points";
    case LOAD_POSITIONS:
        return "positions";
    case LOAD_TILES:
    case LOAD_LIVE:
        return "bytes";
    default:
        return "";
    }
}

static void *drive(void *context) {
    struct load_work_run *work = context;
    load_precise_timers();
    driver_of(work->work->call)->drive(work);
    return NULL;
}

static void describe(const struct load_work_run *work, struct load_work_result *result) {
    (void)snprintf(result->name, sizeof(result->name), "%s", work->work->name);
    (void)snprintf(result->call, sizeof(result->call), "%s%s%.40s",
                   load_call_label(work->work->call), work->work->call == LOAD_TILES ? "/" : "",
                   work->work->call == LOAD_TILES ? work->work->layers[0] : "");
    (void)snprintf(result->item, sizeof(result->item), "%s", item_of(work->work->call));
    result->loop = work->closed ? LOAD_CLOSED : LOAD_OPEN;
    result->connections = work->work->connections;
}

static gw_err prepare_work(struct load_run *run, uint32_t index, struct load_work_result *result,
                           struct gw_error *error) {
    const struct load_scenario *scenario = run->scenario;
    struct load_work_run *work = &run->works[index];
    memset(work, 0, sizeof(*work));
    work->run = run;
    work->work = &scenario->works[index];
    work->lane = run->step * LOAD_STREAMS_MAX + index;
    work->seed = gw_random_mix(scenario->seed ^ gw_random_mix(index));
    work->closed = run->options->closed &&
                   (load_call_is_unary(work->work->call) || work->work->call == LOAD_TILES);
    work->rate = work->closed ? 0 : work->work->rate * run->factor;
    describe(work, result);
    double drain = scenario->timeout_ms / 1000.0 + run->options->retry_seconds;
    if (load_recorder_init(&work->recorder, result, scenario->seconds, drain) != GW_OK) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    return driver_of(work->work->call)->prepare(work, error);
}

// --- the table while it runs ---

static void show(struct load_run *run, struct load_live *live, uint64_t done_before[],
                 int64_t *before_ns, double warmup) {
    struct load_live_status *status = calloc(1, sizeof(*status));
    int64_t now_ns = gw_clock_monotonic_ns();
    double gap = (double)(now_ns - *before_ns) / 1e9;
    if (status == NULL) {
        return;
    }
    status->rate_factor = run->factor;
    status->step = run->step;
    status->step_count = run->options->factor_count > 0 ? run->options->factor_count : 1;
    status->elapsed_s = (double)(now_ns - run->begin_ns) / 1e9;
    status->elapsed_s = status->elapsed_s > 0 ? status->elapsed_s : 0;
    status->total_s = (double)(run->end_ns - run->begin_ns) / 1e9;
    status->warming_up = status->elapsed_s < warmup;
    status->work_count = run->scenario->work_count;
    for (uint32_t i = 0; i < status->work_count; i++) {
        struct load_live_work *row = &status->works[i];
        struct load_recorder_view view;
        load_recorder_tick(&run->works[i].recorder, now_ns, &view);
        (void)snprintf(row->name, sizeof(row->name), "%s", run->works[i].work->name);
        row->loop = run->works[i].closed ? LOAD_CLOSED : LOAD_OPEN;
        row->rate = run->works[i].rate;
        row->achieved = gap > 0 ? (double)(view.done_ever - done_before[i]) / gap : 0;
        done_before[i] = view.done_ever;
        row->done = view.done;
        row->failed = view.failed;
        uint64_t ended = view.done + view.failed;
        row->open = view.intended > ended ? view.intended - ended : 0;
        row->p50_ms = view.p50_ms;
        row->p99_ms = view.p99_ms;
        row->max_ms = view.max_ms;
        row->lateness_p99_ms = view.lateness_p99_ms;
    }
    *before_ns = now_ns;
    load_live_show(live, status, now_ns);
    free(status);
}

// Returns when the user stopped the run; INT64_MAX: he did not.
static int64_t show_until_ended(struct load_run *run, const atomic_uint *running) {
    int64_t stopped_ns = INT64_MAX;
    uint64_t done_before[LOAD_STREAMS_MAX] = {0};
    int64_t before_ns = run->begin_ns, next_ns = run->begin_ns + SECOND_NS;
    struct load_live live;
    if (run->options->live != NULL) {
        load_live_begin(&live, run->options->live);
    }
    while (atomic_load(running) > 0) {
        load_sleep_until(next_ns);
        if (stopped_ns == INT64_MAX && load_stopped(run)) {
            stopped_ns = gw_clock_monotonic_ns();
        }
        if (run->options->live != NULL && gw_clock_monotonic_ns() >= next_ns) {
            show(run, &live, done_before, &before_ns, run->scenario->warmup_seconds);
            next_ns += SECOND_NS;
        }
    }
    if (run->options->live != NULL) {
        load_live_end(&live);
    }
    return stopped_ns;
}

// --- one step ---

struct thread {
    struct load_work_run *work;
    atomic_uint *running;
    bool started;
};

static void *run_thread(void *context) {
    struct thread *thread = context;
    (void)drive(thread->work);
    (void)atomic_fetch_sub(thread->running, 1);
    return NULL;
}

// Runs the prepared works side by side; the seconds that were measured.
static double run_works(struct load_run *run) {
    const struct load_scenario *scenario = run->scenario;
    struct thread threads[LOAD_STREAMS_MAX];
    atomic_uint running = 0;
    run->begin_ns = gw_clock_monotonic_ns() + START_NS;
    run->wall_offset_ns = gw_clock_wall_ms() * 1000000 - gw_clock_monotonic_ns();
    int64_t window_ns = run->begin_ns + (int64_t)(scenario->warmup_seconds * 1e9);
    run->end_ns = window_ns + (int64_t)(scenario->seconds * 1e9);
    for (uint32_t i = 0; i < scenario->work_count; i++) {
        load_recorder_window(&run->works[i].recorder, window_ns, run->end_ns);
    }
    for (uint32_t i = 0; i < scenario->work_count; i++) {
        threads[i] = (struct thread){.work = &run->works[i], .running = &running};
        (void)atomic_fetch_add(&running, 1);
        threads[i].started =
            pthread_create(&run->works[i].thread, NULL, run_thread, &threads[i]) == 0;
        if (!threads[i].started) {
            (void)atomic_fetch_sub(&running, 1);
            load_recorder_intended(&run->works[i].recorder, window_ns);
            load_recorder_failed(&run->works[i].recorder, window_ns, gw_clock_monotonic_ns(),
                                 "a thread could not be started");
        }
    }
    int64_t stopped_ns = show_until_ended(run, &running);
    for (uint32_t i = 0; i < scenario->work_count; i++) {
        if (threads[i].started) {
            (void)pthread_join(run->works[i].thread, NULL);
        }
    }
    int64_t end_ns = run->end_ns < stopped_ns ? run->end_ns : stopped_ns;
    return end_ns > window_ns ? (double)(end_ns - window_ns) / 1e9 : 0;
}

static void finish_works(struct load_run *run, struct load_step *step) {
    for (uint32_t i = 0; i < step->work_count; i++) {
        struct load_work_run *work = &run->works[i];
        struct load_work_result *result = &step->works[i];
        result->rate = work->rate;
        if (!work->closed && (work->work->call == LOAD_TILES || work->work->by_hour)) {
            // What the schedule came to: steps of several tiles, or the rate of these hours.
            result->rate = (double)result->intended / step->seconds;
        }
        load_recorder_finish(&work->recorder, step->seconds, run->scenario->lateness_ms_max);
    }
}

static gw_err run_step(struct load_run *run, struct load_step *step, struct gw_error *error) {
    gw_err err = GW_OK;
    uint32_t prepared = 0;
    step->rate_factor = run->factor;
    while (prepared < run->scenario->work_count && err == GW_OK) {
        err = prepare_work(run, prepared, &step->works[prepared], error);
        prepared++;
    }
    step->work_count = prepared;
    if (err == GW_OK) {
        step->seconds = run_works(run);
        if (step->seconds > 0) {
            finish_works(run, step);
        }
    }
    for (uint32_t i = 0; i < prepared; i++) {
        driver_of(run->works[i].work->call)->release(&run->works[i]);
        load_recorder_deinit(&run->works[i].recorder);
    }
    return err;
}

// --- the run ---

static void drop_step(struct load_step *step) {
    for (uint32_t i = 0; i < step->work_count; i++) {
        free(step->works[i].seconds);
    }
    memset(step, 0, sizeof(*step));
}

static gw_err run_steps(struct load_run *run, struct load_result *result, struct gw_error *error) {
    const struct load_options *options = run->options;
    uint32_t count = options->factor_count > 0 ? options->factor_count : 1;
    for (run->step = 0; run->step < count && !load_stopped(run); run->step++) {
        struct load_step *step = &result->steps[run->step];
        run->factor = options->factor_count > 0 ? options->factors[run->step] : 1;
        gw_err err = run_step(run, step, error);
        if (err != GW_OK || step->seconds <= 0) {
            drop_step(step);
            return err;
        }
        result->step_count++;
    }
    return GW_OK;
}

static gw_err learn(struct load_run *run, struct gw_error *error) {
    bool grpc = false, http = false, workers = false;
    uint64_t connections = 0;
    struct rlimit files;
    for (uint32_t i = 0; i < run->scenario->work_count; i++) {
        const struct load_work *work = &run->scenario->works[i];
        grpc |= !load_call_is_http(work->call) ||
                (work->call == LOAD_TILES && work->where == LOAD_IN_GRIDS);
        http |= load_call_is_http(work->call);
        workers |= work->call == LOAD_POSITIONS;
        connections += work->connections;
    }
    if ((grpc && run->options->server == NULL) || (http && run->options->http == NULL)) {
        return gw_error_set(error, GW_EINVAL, "this scenario needs --%s",
                            grpc && run->options->server == NULL ? "server" : "http");
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
        if (files.rlim_max != RLIM_INFINITY && connections + 64 > files.rlim_max) {
            return gw_error_set(error, GW_ENOSPC,
                                "%llu connections, but a process may have %llu files open: raise "
                                "it (ulimit -n) or take fewer",
                                (unsigned long long)connections,
                                (unsigned long long)files.rlim_max);
        }
    }
    return grpc ? load_city_learn(run->options->server, workers, run->scenario->seed, &run->city,
                                  error)
                : GW_OK;
}

static void introduce(const struct load_run *run, struct load_result *result) {
    const struct load_options *options = run->options;
    (void)snprintf(result->scenario, sizeof(result->scenario), "%s", run->scenario->name);
    (void)snprintf(result->description, sizeof(result->description), "%s",
                   run->scenario->description);
    (void)snprintf(result->server, sizeof(result->server), "%s",
                   options->server != NULL ? options->server : "");
    (void)snprintf(result->http, sizeof(result->http), "%s",
                   options->http != NULL ? options->http : "");
    (void)snprintf(result->commit, sizeof(result->commit), "%s",
                   options->commit != NULL ? options->commit : "");
    load_machine(result->machine, sizeof(result->machine));
    result->seed = run->scenario->seed;
    result->began_ms = (int64_t)run->run_id;
    result->warmup_seconds = run->scenario->warmup_seconds;
}

// A report that was cut short says so wherever its description is shown.
static void mark_cut_short(const struct load_run *run, struct load_result *result) {
    const struct load_step *last =
        &result->steps[result->step_count > 0 ? result->step_count - 1 : 0];
    (void)snprintf(result->description, sizeof(result->description),
                   "CUT SHORT after %.1f of %.1f s. %.180s", last->seconds, run->scenario->seconds,
                   run->scenario->description);
}

gw_err load_run(const struct load_options *options, const struct load_scenario *scenario,
                struct load_result *result, struct gw_error *error) {
    struct load_run run = {.options = options, .scenario = scenario};
    run.run_id = (uint64_t)gw_clock_wall_ms();
    load_http_start();
    load_ledger_init(&run.ledger);
    introduce(&run, result);
    run.works = calloc(scenario->work_count, sizeof(*run.works));
    gw_err err = run.works == NULL ? gw_error_set(error, GW_ENOMEM, "no memory for the run")
                                   : learn(&run, error);
    if (err == GW_OK) {
        err = run_steps(&run, result, error);
    }
    if (load_stopped(&run)) {
        mark_cut_short(&run, result);
    }
    if (err == GW_OK && options->verify) {
        err = load_verify(options->server, run.run_id, result->began_ms,
                          options->retry_seconds > 5 ? options->retry_seconds : 5, &run.ledger,
                          &result->verify, error);
    }
    load_city_free(&run.city);
    load_ledger_deinit(&run.ledger);
    free(run.works);
    return err;
}

int load_outcome(const struct load_result *result) {
    if (result->verify.lost > 0 || result->verify.doubled > 0) {
        return 4;
    }
    for (uint32_t i = 0; i < result->step_count; i++) {
        for (uint32_t k = 0; k < result->steps[i].work_count; k++) {
            if (!result->steps[i].works[k].offered) {
                return 3;
            }
        }
    }
    return 0;
}
