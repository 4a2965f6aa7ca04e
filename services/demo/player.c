#include "services/demo/player.h"

#include "services/base/clock.h"
#include "services/demo/player_parts.h"
#include <stdlib.h>
#include <string.h>

enum { SETTLE_NS = 300000000, LIVE_NS = 1000000000, WAIT_MS = 2, NOTES_A_ROUND = 1024 };
// Calls kept back from reports, for those who answer offers.
enum { CALLS_FOR_TASKS = 64 };

int64_t gw_demo_city_ms(const struct gw_demo_player *player, int64_t now_ns) {
    return (now_ns - player->begin_ns) / 1000 * player->options.speed / 1000;
}

int64_t gw_demo_wall_ns(const struct gw_demo_player *player, int64_t city_ms) {
    return player->begin_ns + city_ms * 1000000 / player->options.speed;
}

int64_t gw_demo_minute(const struct gw_demo_player *player, int64_t now_ns) {
    return player->options.begin_minute + gw_demo_city_ms(player, now_ns) / 60000;
}

// --- the beginning ---

static gw_err check_options(struct gw_demo_player *player, const struct gw_demo_options *options,
                            struct gw_error *error) {
    struct gw_demo_options *own = &player->options;
    *own = *options;
    own->speed = own->speed == 0 ? 600 : own->speed;
    own->minutes = own->minutes == 0 ? 1440 : own->minutes;
    own->incidents_a_day = own->incidents_a_day == 0 ? 3000 : own->incidents_a_day;
    own->drain_ms_max = own->drain_ms_max == 0 ? 10000 : own->drain_ms_max;
    own->seed = own->city != NULL ? own->city->seed : own->seed;
    own->run = own->run == 0 ? (uint64_t)gw_clock_wall_ms() : own->run;
    if (own->server == NULL || own->server[0] == '\0') {
        return gw_error_set(error, GW_EINVAL,
                            "server: give the node's address, such as "
                            "127.0.0.1:7600");
    }
    if (own->speed > GW_DEMO_SPEED_MAX) {
        return gw_error_set(error, GW_EINVAL, "speed %u: give 1 to %u", own->speed,
                            GW_DEMO_SPEED_MAX);
    }
    if (own->begin_minute >= 1440 || own->minutes > GW_DEMO_MINUTES_MAX) {
        return gw_error_set(error, GW_EINVAL,
                            "the play must begin at minute 0 to 1439 of a day and last 1 to %u "
                            "minutes",
                            GW_DEMO_MINUTES_MAX);
    }
    uint32_t count = gw_demo_day_count(own->begin_minute, own->minutes, own->incidents_a_day);
    if (count > GW_DEMO_INCIDENTS_MAX) {
        return gw_error_set(error, GW_EINVAL,
                            "%u incidents in one play: %u are the most; fewer a day, or a shorter "
                            "time",
                            count, GW_DEMO_INCIDENTS_MAX);
    }
    player->plan_count = count;
    return GW_OK;
}

static gw_err prepare(struct gw_demo_player *player, struct gw_error *error) {
    gw_err err = GW_OK;
    player->city = player->options.city;
    if (player->city == NULL) {
        err = gw_city_create(player->options.seed, &player->own_city, error);
        player->city = player->own_city;
    }
    if (err != GW_OK) {
        return err;
    }
    player->plan = calloc((size_t)player->plan_count + 1, sizeof(*player->plan));
    player->tasks.heap = calloc(GW_DEMO_TASKS_MAX, sizeof(*player->tasks.heap));
    player->inbox.notes = calloc(GW_DEMO_INBOX_MAX, sizeof(*player->inbox.notes));
    player->on_duty = calloc(GW_CITY_WORKERS, sizeof(*player->on_duty));
    if (player->plan == NULL || player->tasks.heap == NULL || player->inbox.notes == NULL ||
        player->on_duty == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo");
    }
    for (uint32_t i = 0; i < GW_DEMO_CALLS_MAX; i++) {
        player->calls[i].player = player;
        player->calls[i].next_free = player->free_calls;
        player->free_calls = &player->calls[i];
    }
    gw_demo_day_plan(player->city, player->options.begin_minute, player->options.minutes,
                     player->options.incidents_a_day, player->plan);
    err = gw_rpc_channel_create(player->options.server, &player->channel, error);
    return err == GW_OK ? gw_rpc_channel_create(player->options.server, &player->streams, error)
                        : err;
}

static void start_clock(struct gw_demo_player *player) {
    player->begin_ns = player->heard_ns = player->live_ns = player->busy_ns =
        gw_clock_monotonic_ns();
    player->end_ns = gw_demo_wall_ns(player, (int64_t)player->options.minutes * 60000);
}

static gw_err begin(struct gw_demo_player *player, struct gw_error *error) {
    gw_err err = prepare(player, error);
    if (err == GW_OK && !player->options.skip_workers) {
        err = gw_demo_upload(player, error);
    }
    if (err == GW_OK) {
        err = gw_demo_shift(player, player->options.begin_minute, true, error);
    }
    if (err == GW_OK) {
        start_clock(player);
        err = gw_demo_streams_start(player, error);
    }
    return err;
}

// --- the main loop ---

static void send_reports(struct gw_demo_player *player, int64_t now_ns) {
    while (player->plan_next < player->plan_count &&
           gw_demo_wall_ns(player, player->plan[player->plan_next].time_ms) <= now_ns &&
           player->open_calls + CALLS_FOR_TASKS < GW_DEMO_CALLS_MAX) {
        struct gw_demo_task task = {.step = GW_DEMO_REPORT, .planned = player->plan_next};
        if (!gw_demo_send(player, &task)) {
            return;
        }
        player->plan_next++;
    }
}

static void do_tasks(struct gw_demo_player *player, int64_t now_ns) {
    const struct gw_demo_task *first = gw_demo_tasks_first(&player->tasks);
    while (first != NULL && first->due_ns <= now_ns && player->free_calls != NULL) {
        struct gw_demo_task task;
        gw_demo_tasks_pop(&player->tasks, &task);
        (void)gw_demo_send(player, &task); // a call is free
        first = gw_demo_tasks_first(&player->tasks);
    }
}

static bool stopped(const struct gw_demo_player *player) {
    return player->options.stop != NULL && atomic_load(player->options.stop);
}

// Whether all is done that will be: at the end of the city's time, with nothing under way that
// comes to its end soon. What a last answer sets off takes a moment to come back through the
// watches.
static bool is_over(struct gw_demo_player *player, int64_t now_ns) {
    if (stopped(player) && player->open_calls == 0) {
        return true;
    }
    int64_t drain_ns = (int64_t)player->options.drain_ms_max * 1000000;
    bool open = player->plan_next < player->plan_count || player->open_calls > 0;
    bool waiting = player->tasks.count > 0 && now_ns < player->end_ns + drain_ns;
    if (now_ns < player->end_ns || open || waiting) {
        player->busy_ns = now_ns;
    }
    return now_ns - player->busy_ns > SETTLE_NS;
}

static gw_err run(struct gw_demo_player *player, struct gw_error *error) {
    gw_err err = GW_OK;
    for (;;) {
        int64_t now_ns = gw_clock_monotonic_ns(), minute = gw_demo_minute(player, now_ns);
        struct gw_demo_note note;
        for (int i = 0; i < NOTES_A_ROUND && gw_demo_inbox_take(&player->inbox, &note); i++) {
            gw_demo_follow(player, &note);
            player->busy_ns = now_ns;
        }
        if (!stopped(player)) {
            send_reports(player, now_ns);
            do_tasks(player, now_ns);
        }
        if (minute != player->duty_minute && now_ns < player->end_ns) {
            err = gw_demo_shift(player, minute, false, error);
        }
        if (now_ns - player->live_ns >= LIVE_NS) {
            gw_demo_live(player, now_ns, false);
        }
        if (err != GW_OK || is_over(player, now_ns)) {
            return err;
        }
        if (player->open_calls > 0 && now_ns - player->heard_ns > GW_DEMO_SILENCE_NS) {
            return gw_error_set(error, GW_EUNAVAILABLE,
                                "the node at %s has not answered for ten seconds: is it still "
                                "running?",
                                player->options.server);
        }
        (void)gw_rpc_channel_poll(player->channel, WAIT_MS);
    }
}

// --- the end ---

static void end(struct gw_demo_player *player) {
    gw_demo_streams_stop(player);
    while (player->open_calls > 0) { // each has a deadline
        (void)gw_rpc_channel_poll(player->channel, 100);
    }
    gw_rpc_channel_destroy(player->channel);
    gw_rpc_channel_destroy(player->streams);
    gw_city_destroy(player->own_city);
    free(player->plan);
    free(player->tasks.heap);
    free(player->inbox.notes);
    free(player->on_duty);
    (void)pthread_cond_destroy(&player->inbox.room);
    (void)pthread_mutex_destroy(&player->inbox.lock);
    free(player);
}

gw_err gw_demo_play(const struct gw_demo_options *options, struct gw_demo_totals *totals,
                    struct gw_error *error) {
    struct gw_demo_player *player = calloc(1, sizeof(*player));
    *totals = (struct gw_demo_totals){0};
    if (player == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo");
    }
    (void)pthread_mutex_init(&player->inbox.lock, NULL);
    (void)pthread_cond_init(&player->inbox.room, NULL);
    gw_err err = check_options(player, options, error);
    if (err == GW_OK) {
        err = begin(player, error);
    }
    if (err == GW_OK) {
        err = run(player, error);
        gw_demo_live(player, gw_clock_monotonic_ns(), true);
    }
    if (err == GW_OK && player->totals.failed > 0) {
        err = gw_error_set(error, player->fault.code == GW_OK ? GW_EINTERNAL : player->fault.code,
                           "%llu calls failed; the first one: %.200s",
                           (unsigned long long)player->totals.failed, player->fault.text);
    }
    *totals = player->totals;
    end(player);
    return err;
}
