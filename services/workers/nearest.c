// The Nearest question: its fields checked, the index asked, the answer copied.
#include "services/workers/roster.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define K_DEFAULT 8u

struct question {
    struct gw_point point;
    uint32_t k;
    struct gw_worker_filter filter;
    const struct gw_workers *workers;
    const char *code_prefix; // "": any
    bool nobody;             // a skill that nobody has
};

static gw_err check_point(const Gridwarden__V1__NearestRequest *request, struct question *question,
                          struct gw_error *error) {
    const Gridwarden__V1__Point *point = request->point;
    if (point == NULL) {
        return gw_error_set(error, GW_EINVAL, "point: missing; give longitude and latitude");
    }
    gw_err err = gw_lattice_query(point->longitude, point->latitude, &question->point);
    if (err == GW_EINVAL) {
        bool longitude = !isfinite(point->longitude);
        return gw_error_set(error, err, "point.%s: not a number; give degrees",
                            longitude ? "longitude" : "latitude");
    }
    if (err != GW_OK) {
        bool longitude = fabs(point->longitude) > 180.0;
        return gw_error_set(error, err, "point.%s %g: give degrees, -%d to %d",
                            longitude ? "longitude" : "latitude",
                            longitude ? point->longitude : point->latitude, longitude ? 180 : 90,
                            longitude ? 180 : 90);
    }
    question->k = request->k == 0 ? K_DEFAULT : request->k;
    if (question->k > GW_NEAREST_K_MAX) {
        return gw_error_set(error, GW_EINVAL, "k %u: give 1 to %u, or 0 for %u", request->k,
                            GW_NEAREST_K_MAX, K_DEFAULT);
    }
    return GW_OK;
}

static gw_err check_enums(const Gridwarden__V1__WorkerFilter *filter, struct question *question,
                          struct gw_error *error) {
    switch (filter->duty) {
    case GRIDWARDEN__V1__DUTY__DUTY_UNSPECIFIED:
        break;
    case GRIDWARDEN__V1__DUTY__DUTY_OFF:
        question->filter.flags |= GW_FLAG_DUTY_OFF;
        break;
    case GRIDWARDEN__V1__DUTY__DUTY_ON:
        question->filter.flags |= GW_FLAG_DUTY_ON;
        break;
    default:
        return gw_error_set(error, GW_EINVAL,
                            "filter.duty %d: give DUTY_ON or DUTY_OFF, or leave it out",
                            (int)filter->duty);
    }
    switch (filter->kind) {
    case GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_UNSPECIFIED:
        return GW_OK;
    case GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_FULL_TIME:
        question->filter.flags |= GW_FLAG_FULL_TIME;
        return GW_OK;
    case GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_PART_TIME:
        question->filter.flags |= GW_FLAG_PART_TIME;
        return GW_OK;
    default:
        return gw_error_set(error, GW_EINVAL,
                            "filter.kind %d: give WORKER_KIND_FULL_TIME or WORKER_KIND_PART_TIME, "
                            "or leave it out",
                            (int)filter->kind);
    }
}

static gw_err check_filter(const Gridwarden__V1__WorkerFilter *filter, int64_t now_ms,
                           struct question *question, struct gw_error *error) {
    gw_err err = check_enums(filter, question, error);
    if (err != GW_OK) {
        return err;
    }
    if (filter->n_skills > GW_WORKER_SKILLS_MAX) {
        return gw_error_set(error, GW_EINVAL, "filter.skills: give up to %u, not %zu",
                            GW_WORKER_SKILLS_MAX, filter->n_skills);
    }
    if (filter->position_age_ms_max < 0) {
        return gw_error_set(error, GW_EINVAL,
                            "filter.position_age_ms_max %lld: give milliseconds, or 0 for any age",
                            (long long)filter->position_age_ms_max);
    }
    if (*filter->code_prefix != '\0' && !gw_text_printable(filter->code_prefix, GW_CODE_MAX)) {
        return gw_error_set(error, GW_EINVAL,
                            "filter.code_prefix: give up to %u bytes of UTF-8 without control "
                            "characters",
                            GW_CODE_MAX);
    }
    if (filter->with_free_capacity) {
        question->filter.flags |= GW_FLAG_FREE;
    }
    if (filter->position_age_ms_max > 0) {
        int64_t oldest;
        bool overflows = __builtin_sub_overflow(now_ms, filter->position_age_ms_max, &oldest);
        question->filter.time_ms_min = overflows ? INT64_MIN : oldest;
    }
    question->code_prefix = filter->code_prefix;
    return GW_OK;
}

// Names become bits under the lock: who has which can change until then.
static void resolve_skills(const Gridwarden__V1__WorkerFilter *filter, struct question *question) {
    for (size_t i = 0; filter != NULL && i < filter->n_skills; i++) {
        uint64_t bit = 0;
        if (!gw_roster_skill_bit(question->workers, filter->skills[i], &bit)) {
            question->nobody = true;
        }
        question->filter.skills |= bit;
    }
}

static bool lives_under(uint32_t handle, const void *context) {
    const struct question *question = context;
    return gw_roster_under(question->workers, handle, question->code_prefix);
}

static gw_err copy_found(const struct gw_workers *workers, const struct gw_near_worker found[],
                         uint32_t count, Gridwarden__V1__NearestResponse *response) {
    response->workers = calloc((size_t)count + 1, sizeof(response->workers[0]));
    if (response->workers == NULL) {
        return GW_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        Gridwarden__V1__NearWorker *near = malloc(sizeof(*near));
        if (near == NULL) {
            return GW_ENOMEM;
        }
        gridwarden__v1__near_worker__init(near);
        response->workers[response->n_workers++] = near;
        near->distance_m = found[i].distance_m;
        near->worker = gw_roster_copy(workers, found[i].worker);
        if (near->worker == NULL) {
            return GW_ENOMEM;
        }
    }
    return GW_OK;
}

static gw_err answer(struct gw_workers *workers, const Gridwarden__V1__NearestRequest *request,
                     struct question *question, Gridwarden__V1__NearestResponse *response) {
    struct gw_near_worker found[GW_NEAREST_K_MAX];
    uint32_t count = 0;
    gw_err err = GW_OK;
    gw_workers_lock_read(workers);
    resolve_skills(request->filter, question);
    if (*question->code_prefix != '\0') {
        question->filter.accept = lives_under;
        question->filter.context = question;
    }
    if (!question->nobody) {
        err = gw_worker_index_nearest(workers->index, question->point, question->k,
                                      &question->filter, gw_roster_before, workers, found, &count);
    }
    err = err == GW_OK ? copy_found(workers, found, count, response) : err;
    gw_workers_unlock(workers);
    return err;
}

gw_err gw_workers_nearest(struct gw_workers *workers, const Gridwarden__V1__NearestRequest *request,
                          int64_t now_ms, Gridwarden__V1__NearestResponse *response,
                          struct gw_error *error) {
    struct question question = {
        .filter = {.time_ms_min = INT64_MIN}, .workers = workers, .code_prefix = ""};
    gw_err err = check_point(request, &question, error);
    if (err == GW_OK && request->filter != NULL) {
        err = check_filter(request->filter, now_ms, &question, error);
    }
    if (err != GW_OK) {
        return err;
    }
    err = answer(workers, request, &question, response);
    if (err != GW_OK) {
        gw_workers_nearest_free(response);
        return gw_error_set(error, err, "out of memory; try again later, or with a smaller k");
    }
    return GW_OK;
}

void gw_workers_nearest_free(Gridwarden__V1__NearestResponse *response) {
    for (size_t i = 0; i < response->n_workers; i++) {
        gridwarden__v1__near_worker__free_unpacked(response->workers[i], NULL);
    }
    free(response->workers);
    response->workers = NULL;
    response->n_workers = 0;
}
