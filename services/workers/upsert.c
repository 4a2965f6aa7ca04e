#include "services/workers/upsert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One worker under check, and how messages call him.
struct subject {
    const struct gw_workers *workers;
    const Gridwarden__V1__Worker *worker;
    struct gw_error *error;
    char called[32 + GW_WORKER_ID_MAX];
};

static gw_err check_id(struct subject *subject, size_t i) {
    if (!gw_text_printable(subject->worker->id, GW_WORKER_ID_MAX)) {
        return gw_error_set(subject->error, GW_EINVAL,
                            "workers[%zu].id: give 1 to %u bytes of UTF-8 without control "
                            "characters",
                            i, GW_WORKER_ID_MAX);
    }
    (void)snprintf(subject->called, sizeof(subject->called), "worker \"%s\"", subject->worker->id);
    return GW_OK;
}

static gw_err check_person(const struct subject *subject) {
    const Gridwarden__V1__Worker *worker = subject->worker;
    if (*worker->name != '\0' && !gw_text_printable(worker->name, GW_NAME_MAX)) {
        return gw_error_set(subject->error, GW_EINVAL,
                            "%s, name: give up to %u bytes of UTF-8 without control characters",
                            subject->called, GW_NAME_MAX);
    }
    if (worker->kind != GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_FULL_TIME &&
        worker->kind != GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_PART_TIME) {
        return gw_error_set(subject->error, GW_EINVAL,
                            "%s, kind %d: give WORKER_KIND_FULL_TIME or WORKER_KIND_PART_TIME",
                            subject->called, (int)worker->kind);
    }
    if (worker->capacity > GW_CAPACITY_MAX) {
        return gw_error_set(subject->error, GW_EINVAL, "%s, capacity %u: give 1 to %u, or 0 for %u",
                            subject->called, worker->capacity, GW_CAPACITY_MAX,
                            GW_CAPACITY_DEFAULT);
    }
    return GW_OK;
}

// The index of an item that stands before `count` too, or `count`.
static size_t earlier(char *const items[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i], items[count]) == 0) {
            return i;
        }
    }
    return count;
}

static gw_err check_homes(const struct subject *subject) {
    const Gridwarden__V1__Worker *worker = subject->worker;
    if (worker->n_home_grids == 0 || worker->n_home_grids > GW_WORKER_HOME_GRIDS_MAX) {
        return gw_error_set(subject->error, GW_EINVAL,
                            "%s, home_grids: give the codes of 1 to %u grids, not %zu",
                            subject->called, GW_WORKER_HOME_GRIDS_MAX, worker->n_home_grids);
    }
    for (size_t i = 0; i < worker->n_home_grids; i++) {
        const char *code = worker->home_grids[i];
        if (!gw_text_printable(code, GW_CODE_MAX)) {
            return gw_error_set(subject->error, GW_EINVAL,
                                "%s, home_grids[%zu]: a code has 1 to %u bytes of UTF-8 without "
                                "control characters",
                                subject->called, i, GW_CODE_MAX);
        }
        if (gw_edition_find_grid(subject->workers->edition, code) == GW_GRID_NONE) {
            return gw_error_set(subject->error, GW_EINVAL,
                                "%s, home_grids[%zu]: no grid \"%s\" in edition %llu of \"%s\"; "
                                "ListGrids tells the codes",
                                subject->called, i, code,
                                (unsigned long long)gw_edition_number(subject->workers->edition),
                                gw_edition_layer(subject->workers->edition));
        }
        if (earlier(worker->home_grids, i) != i) {
            return gw_error_set(subject->error, GW_EINVAL,
                                "%s, home_grids[%zu]: \"%s\" is given twice; give it once",
                                subject->called, i, code);
        }
    }
    return GW_OK;
}

static bool skill_name_ok(const char *name) {
    size_t size = strnlen(name, GW_SKILL_NAME_MAX + 1);
    return size >= 1 && size <= GW_SKILL_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == size;
}

static gw_err check_skills(const struct subject *subject) {
    const Gridwarden__V1__Worker *worker = subject->worker;
    if (worker->n_skills > GW_WORKER_SKILLS_MAX) {
        return gw_error_set(subject->error, GW_EINVAL, "%s, skills: give up to %u, not %zu",
                            subject->called, GW_WORKER_SKILLS_MAX, worker->n_skills);
    }
    for (size_t i = 0; i < worker->n_skills; i++) {
        if (!skill_name_ok(worker->skills[i])) {
            return gw_error_set(subject->error, GW_EINVAL,
                                "%s, skills[%zu]: a name has 1 to %u characters of a-z, 0-9, _ "
                                "and -",
                                subject->called, i, GW_SKILL_NAME_MAX);
        }
        if (earlier(worker->skills, i) != i) {
            return gw_error_set(subject->error, GW_EINVAL,
                                "%s, skills[%zu]: \"%s\" is given twice; give it once",
                                subject->called, i, worker->skills[i]);
        }
    }
    return GW_OK;
}

static gw_err check_worker(const struct gw_workers *workers, const Gridwarden__V1__Worker *worker,
                           size_t i, struct gw_error *error) {
    struct subject subject = {workers, worker, error, ""};
    gw_err err = check_id(&subject, i);
    err = err == GW_OK ? check_person(&subject) : err;
    err = err == GW_OK ? check_homes(&subject) : err;
    return err == GW_OK ? check_skills(&subject) : err;
}

static int by_id(const void *left, const void *right) {
    const Gridwarden__V1__Worker *const *a = left, *const *b = right;
    return strcmp((*a)->id, (*b)->id);
}

// No id twice, and room for those that are new.
static gw_err check_ids(const struct gw_workers *workers,
                        const Gridwarden__V1__UpsertWorkersRequest *request,
                        struct gw_error *error) {
    const Gridwarden__V1__Worker *sorted[GW_WORKER_UPSERT_MAX];
    uint32_t added = 0;
    for (size_t i = 0; i < request->n_workers; i++) {
        sorted[i] = request->workers[i];
        added += gw_roster_find(workers, request->workers[i]->id) == GW_ROSTER_NONE;
    }
    qsort(sorted, request->n_workers, sizeof(sorted[0]), by_id);
    for (size_t i = 1; i < request->n_workers; i++) {
        if (strcmp(sorted[i - 1]->id, sorted[i]->id) == 0) {
            return gw_error_set(error, GW_EINVAL,
                                "workers: \"%s\" is in the request twice; give each worker once",
                                sorted[i]->id);
        }
    }
    if (added > GW_WORKERS_MAX - workers->count) {
        return gw_error_set(error, GW_ENOSPC, "a city holds at most %u workers and has %u",
                            GW_WORKERS_MAX, workers->count);
    }
    return GW_OK;
}

// All skills of the roster and of the request fit, in whatever order the request is folded.
static gw_err check_skill_room(const struct gw_workers *workers,
                               const Gridwarden__V1__UpsertWorkersRequest *request,
                               struct gw_error *error) {
    const char *fresh[GW_SKILLS_MAX];
    uint32_t used = 0, count = 0;
    for (uint32_t i = 0; i < GW_SKILLS_MAX; i++) {
        used += workers->skills[i].holders > 0;
    }
    for (size_t i = 0; i < request->n_workers; i++) {
        const Gridwarden__V1__Worker *worker = request->workers[i];
        for (size_t j = 0; j < worker->n_skills; j++) {
            uint64_t bit;
            bool known = gw_roster_skill_bit(workers, worker->skills[j], &bit);
            for (uint32_t k = 0; !known && k < count; k++) {
                known = strcmp(fresh[k], worker->skills[j]) == 0;
            }
            if (!known && used + count == GW_SKILLS_MAX) {
                return gw_error_set(error, GW_ENOSPC,
                                    "worker \"%s\", skills[%zu]: \"%s\" would be a skill too many; "
                                    "a city has at most %u different ones",
                                    worker->id, j, worker->skills[j], GW_SKILLS_MAX);
            }
            if (!known) {
                fresh[count++] = worker->skills[j];
            }
        }
    }
    return GW_OK;
}

gw_err gw_upsert_check(const struct gw_workers *workers,
                       const Gridwarden__V1__UpsertWorkersRequest *request,
                       struct gw_error *error) {
    if (request->n_workers == 0 || request->n_workers > GW_WORKER_UPSERT_MAX) {
        return gw_error_set(error, GW_EINVAL, "workers: give 1 to %u a request, not %zu",
                            GW_WORKER_UPSERT_MAX, request->n_workers);
    }
    for (size_t i = 0; i < request->n_workers; i++) {
        gw_err err = check_worker(workers, request->workers[i], i, error);
        if (err != GW_OK) {
            return err;
        }
    }
    gw_err err = check_ids(workers, request, error);
    return err == GW_OK ? check_skill_room(workers, request, error) : err;
}
