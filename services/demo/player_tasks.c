#include "services/base/random.h"
#include "services/demo/player_parts.h"
#include <stdlib.h>
#include <string.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };
enum { DECLINE_OF_1000 = 60, SILENT_OF_1000 = 20 };

// --- the heap ---

static bool before(const struct gw_demo_task *a, const struct gw_demo_task *b) {
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void swap(struct gw_demo_task *a, struct gw_demo_task *b) {
    struct gw_demo_task held = *a;
    *a = *b;
    *b = held;
}

bool gw_demo_tasks_add(struct gw_demo_tasks *tasks, const struct gw_demo_task *task) {
    if (tasks->count == GW_DEMO_TASKS_MAX) {
        return false;
    }
    uint32_t at = tasks->count++;
    tasks->heap[at] = *task;
    tasks->heap[at].order = tasks->order++;
    while (at > 0 && before(&tasks->heap[at], &tasks->heap[(at - 1) / 2])) {
        swap(&tasks->heap[at], &tasks->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    return true;
}

const struct gw_demo_task *gw_demo_tasks_first(const struct gw_demo_tasks *tasks) {
    return tasks->count == 0 ? NULL : &tasks->heap[0];
}

void gw_demo_tasks_pop(struct gw_demo_tasks *tasks, struct gw_demo_task *task) {
    *task = tasks->heap[0];
    tasks->heap[0] = tasks->heap[--tasks->count];
    uint32_t at = 0;
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < tasks->count; child++) {
            least = before(&tasks->heap[child], &tasks->heap[least]) ? child : least;
        }
        if (least == at) {
            return;
        }
        swap(&tasks->heap[at], &tasks->heap[least]);
        at = least;
    }
}

// --- the inbox ---

bool gw_demo_inbox_put(struct gw_demo_inbox *inbox, const struct gw_demo_note *note) {
    (void)pthread_mutex_lock(&inbox->lock);
    while (inbox->count == GW_DEMO_INBOX_MAX && !inbox->closed) {
        (void)pthread_cond_wait(&inbox->room, &inbox->lock);
    }
    bool open = !inbox->closed;
    if (open) {
        inbox->notes[(inbox->first + inbox->count++) % GW_DEMO_INBOX_MAX] = *note;
    }
    (void)pthread_mutex_unlock(&inbox->lock);
    return open;
}

bool gw_demo_inbox_take(struct gw_demo_inbox *inbox, struct gw_demo_note *note) {
    (void)pthread_mutex_lock(&inbox->lock);
    bool any = inbox->count > 0;
    if (any) {
        *note = inbox->notes[inbox->first];
        inbox->first = (inbox->first + 1) % GW_DEMO_INBOX_MAX;
        inbox->count--;
        (void)pthread_cond_broadcast(&inbox->room);
    }
    (void)pthread_mutex_unlock(&inbox->lock);
    return any;
}

void gw_demo_inbox_close(struct gw_demo_inbox *inbox) {
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->closed = true;
    (void)pthread_cond_broadcast(&inbox->room);
    (void)pthread_mutex_unlock(&inbox->lock);
}

// --- what follows ---

int64_t gw_demo_lot(const struct gw_demo_player *player, const struct gw_demo_task *task,
                    int64_t min, int64_t max) {
    uint64_t key = gw_random_mix(player->options.seed ^ task->attempt);
    for (const char *at = task->incident; *at != '\0'; at++) {
        key = gw_random_mix(key ^ (unsigned char)*at);
    }
    struct gw_random random = {key ^ gw_random_mix(task->step)};
    return gw_random_between(&random, min, max);
}

void gw_demo_plan_step(struct gw_demo_player *player, const struct gw_demo_task *after,
                       enum gw_demo_step step, int64_t city_ms) {
    struct gw_demo_task next = *after;
    next.step = step;
    next.tries = 0;
    next.sent_ns = 0;
    next.due_ns += city_ms * 1000000 / player->options.speed;
    if (!gw_demo_tasks_add(&player->tasks, &next)) {
        player->totals.failed++;
    }
}

void gw_demo_follow(struct gw_demo_player *player, const struct gw_demo_note *note) {
    struct gw_demo_task task = {.attempt = note->attempt, .due_ns = player->heard_ns};
    memcpy(task.incident, note->incident, sizeof(task.incident));
    memcpy(task.actor, note->handler, sizeof(task.actor));
    switch (note->kind) {
    case GW_DEMO_NOTE_LAPSED:
        player->totals.late++;
        return;
    case GW_DEMO_NOTE_AT_DESK: // whoever sits there takes it on himself
        player->totals.at_desks++;
        task.step = GW_DEMO_ACCEPT;
        gw_demo_plan_step(player, &task, GW_DEMO_ACCEPT,
                          gw_demo_lot(player, &task, MINUTE_MS, 6 * MINUTE_MS));
        return;
    case GW_DEMO_NOTE_OFFERED:
        break;
    }
    task.step = GW_DEMO_STEPS; // a lot of its own
    int64_t lot = gw_demo_lot(player, &task, 0, 999);
    if (lot < SILENT_OF_1000) {
        return; // he does not look at his phone: the offer lapses
    }
    task.step = lot < SILENT_OF_1000 + DECLINE_OF_1000 ? GW_DEMO_DECLINE : GW_DEMO_ACCEPT;
    gw_demo_plan_step(player, &task, task.step,
                      gw_demo_lot(player, &task, 3 * SECOND_MS, 25 * SECOND_MS));
}
