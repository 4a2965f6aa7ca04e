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

// The areas above the grid whose rosters may be asked.
static uint32_t areas_to_ask(const struct choice *choice, uint32_t chain[4]) {
    const struct gw_edition *edition = choice->workers->edition;
    uint32_t areas = gw_edition_chain(edition, choice->query->grid, chain), count = 0;
    while (count < areas &&
           gw_edition_area(edition, chain[count]).level <= choice->query->policy->level_max) {
        count++;
    }
    return count;
}

// Asks level after level until one has someone; or all at once, which is the roster of the highest,
// since it has everyone below.
static void choose(struct choice *choice) {
    const struct gw_workers *workers = choice->workers;
    bool at_once = choice->query->policy->order == GW_ORDER_NEAREST;
    uint32_t chain[4], areas = areas_to_ask(choice, chain);
    if (!at_once || areas == 0) {
        weigh_all(choice, &workers->rosters[choice->query->grid]);
    }
    for (uint32_t i = at_once && areas > 0 ? areas - 1 : 0; i < areas && choice->eligible == 0;
         i++) {
        weigh_all(choice, &workers->rosters[workers->grid_count + chain[i]]);
    }
}

// Whether one of his home grids lies in the area.
static bool is_of_area(const struct choice *choice, uint32_t handle, uint32_t area) {
    const struct gw_roster_row *row = &choice->workers->rows[handle];
    for (size_t i = 0; i < row->message->n_home_grids; i++) {
        uint32_t chain[4] = {0}, areas = 0;
        if (row->homes[i] != GW_GRID_NONE) {
            areas = gw_edition_chain(choice->workers->edition, row->homes[i], chain);
        }
        for (uint32_t k = 0; k < areas; k++) {
            if (chain[k] == area) {
                return true;
            }
        }
    }
    return false;
}

// The lowest level whose roster has him.
static uint32_t level_of(const struct choice *choice, uint32_t handle) {
    const struct gw_edition *edition = choice->workers->edition;
    const struct gw_roster_row *row = &choice->workers->rows[handle];
    uint32_t chain[4], areas = areas_to_ask(choice, chain);
    for (size_t i = 0; i < row->message->n_home_grids; i++) {
        if (row->homes[i] == choice->query->grid) {
            return 0;
        }
    }
    for (uint32_t i = 0; i < areas; i++) {
        if (is_of_area(choice, handle, chain[i])) {
            return gw_edition_area(edition, chain[i]).level;
        }
    }
    return 0; // not of any roster that is asked: so he was not chosen
}

static uint32_t copy_chosen(const struct choice *choice, Gridwarden__V1__Candidate out[]) {
    uint32_t count = 0;
    for (; count < choice->count; count++) {
        const struct chosen *chosen = &choice->best[count];
        char *id = strdup(gw_roster_id(choice->workers, chosen->handle));
        if (id == NULL) {
            break;
        }
        gridwarden__v1__candidate__init(&out[count]);
        out[count].worker_id = id;
        out[count].level = level_of(choice, chosen->handle);
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
        choose(&choice);
        count = copy_chosen(&choice, out);
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
