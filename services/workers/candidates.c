// Who is to be asked for an incident: the rule of workers.h, level by level.
#include "geo/geodesic.h"
#include "services/workers/roster.h"
#include <stdlib.h>
#include <string.h>

struct chosen {
    uint32_t handle;
    bool has_position;
    double distance_m;
    int64_t age_ms;
};

struct choice {
    const struct gw_workers *workers;
    const struct gw_candidate_query *query;
    uint64_t skill;
    struct chosen best[GW_CANDIDATES_MAX]; // best first
    uint32_t count, eligible;
};

// Those with a position come first, the nearer before the farther; then by id.
static bool better(const struct choice *choice, const struct chosen *a, const struct chosen *b) {
    if (a->has_position != b->has_position) {
        return a->has_position;
    }
    if (a->has_position && (a->distance_m < b->distance_m || a->distance_m > b->distance_m)) {
        return a->distance_m < b->distance_m;
    }
    return gw_roster_before(a->handle, b->handle, choice->workers);
}

static bool was_tried(const struct choice *choice, uint32_t handle) {
    const char *id = gw_roster_id(choice->workers, handle);
    for (size_t i = 0; i < choice->query->tried_count; i++) {
        if (strcmp(choice->query->tried[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_able(const struct choice *choice, uint32_t handle) {
    const struct gw_roster_row *row = &choice->workers->rows[handle];
    return row->duty == GRIDWARDEN__V1__DUTY__DUTY_ON && gw_roster_has_room(row) &&
           (row->skills & choice->skill) == choice->skill && !was_tried(choice, handle);
}

static void keep(struct choice *choice, const struct chosen *candidate) {
    uint32_t at = choice->count;
    if (choice->count < GW_CANDIDATES_MAX) {
        choice->count++;
    } else if (!better(choice, candidate, &choice->best[--at])) {
        return;
    }
    while (at > 0 && better(choice, candidate, &choice->best[at - 1])) {
        choice->best[at] = choice->best[at - 1];
        at--;
    }
    choice->best[at] = *candidate;
}

// Whether a place is certainly farther than the last of a full list, so that its distance is not
// worth computing.
static bool too_far(const struct choice *choice, struct gw_point point) {
    const struct chosen *last = &choice->best[GW_CANDIDATES_MAX - 1];
    return choice->count == GW_CANDIDATES_MAX && last->has_position &&
           gw_geodesic_lower_bound(choice->query->point, point) > last->distance_m;
}

static void weigh(struct choice *choice, uint32_t handle) {
    const struct gw_candidate_query *query = choice->query;
    struct chosen candidate = {handle, false, 0.0, 0};
    struct gw_point point;
    struct gw_worker_bits bits;
    if (!is_able(choice, handle)) {
        return;
    }
    if (gw_worker_index_get(choice->workers->index, handle, &point, &bits)) {
        candidate.age_ms = query->now_ms > bits.time_ms ? query->now_ms - bits.time_ms : 0;
        candidate.has_position = candidate.age_ms <= query->policy->position_age_ms_max;
    }
    if (!candidate.has_position && !query->policy->offer_without_position) {
        return;
    }
    choice->eligible++;
    if (!candidate.has_position) {
        candidate.age_ms = 0;
    } else if (too_far(choice, point)) {
        return;
    } else {
        candidate.distance_m = gw_geodesic_distance(query->point, point);
    }
    keep(choice, &candidate);
}

static void weigh_all(struct choice *choice, const struct gw_handles *list) {
    for (uint32_t i = 0; i < list->count; i++) {
        weigh(choice, list->items[i]);
    }
}

// Asks level after level; the level that has someone, or GW_AREA_NONE.
static uint32_t choose(struct choice *choice) {
    const struct gw_workers *workers = choice->workers;
    const struct gw_candidate_query *query = choice->query;
    uint32_t chain[4], areas = gw_edition_chain(workers->edition, query->grid, chain);
    weigh_all(choice, &workers->rosters[query->grid]);
    if (choice->eligible > 0) {
        return 0;
    }
    for (uint32_t i = 0; i < areas; i++) {
        uint32_t level = gw_edition_area(workers->edition, chain[i]).level;
        if (level > query->policy->level_max) {
            break;
        }
        weigh_all(choice, &workers->rosters[workers->grid_count + chain[i]]);
        if (choice->eligible > 0) {
            return level;
        }
    }
    return GW_AREA_NONE;
}

static uint32_t copy_chosen(const struct choice *choice, uint32_t level,
                            Gridwarden__V1__Candidate out[]) {
    uint32_t count = 0;
    for (; count < choice->count; count++) {
        const struct chosen *chosen = &choice->best[count];
        char *id = strdup(gw_roster_id(choice->workers, chosen->handle));
        if (id == NULL) {
            break;
        }
        gridwarden__v1__candidate__init(&out[count]);
        out[count].worker_id = id;
        out[count].level = level;
        out[count].has_position = chosen->has_position;
        out[count].distance_m = chosen->distance_m;
        out[count].position_age_ms = chosen->age_ms;
    }
    return count;
}

uint32_t gw_workers_candidates(struct gw_workers *workers, const struct gw_candidate_query *query,
                               Gridwarden__V1__Candidate out[GW_CANDIDATES_MAX],
                               uint32_t *eligible_count) {
    struct choice choice = {.workers = workers, .query = query};
    uint32_t count = 0;
    gw_workers_lock_read(workers);
    bool possible =
        query->grid < workers->grid_count &&
        (*query->skill == '\0' || gw_roster_skill_bit(workers, query->skill, &choice.skill));
    if (possible) {
        uint32_t level = choose(&choice);
        count = copy_chosen(&choice, level, out);
    }
    gw_workers_unlock(workers);
    *eligible_count = choice.eligible;
    return count;
}

void gw_candidates_free(Gridwarden__V1__Candidate candidates[], uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        free(candidates[i].worker_id);
        candidates[i].worker_id = NULL;
    }
}
