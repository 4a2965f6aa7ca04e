#include "services/workers/roster.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_SIZE_MIN 64u
#define MEMBERSHIPS_MAX (GW_WORKER_HOME_GRIDS_MAX * 5u) // a grid and up to four areas for each home

// ---- finding by id ----

static uint32_t hash(const char *id) {
    uint64_t h = UINT64_C(0xcbf29ce484222325); // FNV-1a, then mixed so that the low bits are good
    for (; *id != '\0'; id++) {
        h = (h ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
    }
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return (uint32_t)(h ^ h >> 33);
}

// The place of an id in the table: where it is, or the free place where it belongs.
static uint32_t table_place(const struct gw_workers *workers, const char *id) {
    uint32_t mask = workers->table_size - 1, at = hash(id) & mask;
    while (workers->table[at] != 0 &&
           strcmp(gw_roster_id(workers, workers->table[at] - 1), id) != 0) {
        at = (at + 1) & mask;
    }
    return at;
}

static void table_grow(struct gw_workers *workers) {
    uint32_t size = workers->table_size == 0 ? TABLE_SIZE_MIN : 2 * workers->table_size;
    workers->table = gw_must_alloc(workers->table, size * sizeof(workers->table[0]));
    memset(workers->table, 0, size * sizeof(workers->table[0]));
    workers->table_size = size;
    for (uint32_t handle = 0; handle < workers->count; handle++) {
        workers->table[table_place(workers, gw_roster_id(workers, handle))] = handle + 1;
    }
}

uint32_t gw_roster_find(const struct gw_workers *workers, const char *id) {
    uint32_t found = workers->table_size == 0 ? 0 : workers->table[table_place(workers, id)];
    return found == 0 ? GW_ROSTER_NONE : found - 1;
}

const char *gw_roster_id(const struct gw_workers *workers, uint32_t handle) {
    return workers->rows[handle].message->id;
}

bool gw_roster_before(uint32_t a, uint32_t b, const void *workers) {
    return strcmp(gw_roster_id(workers, a), gw_roster_id(workers, b)) < 0;
}

// ---- skills ----

static struct gw_skill *find_skill(struct gw_workers *workers, const char *name) {
    for (uint32_t i = 0; i < GW_SKILLS_MAX; i++) {
        if (workers->skills[i].holders > 0 && strcmp(workers->skills[i].name, name) == 0) {
            return &workers->skills[i];
        }
    }
    return NULL;
}

bool gw_roster_skill_bit(const struct gw_workers *workers, const char *name, uint64_t *bit) {
    for (uint32_t i = 0; i < GW_SKILLS_MAX; i++) {
        if (workers->skills[i].holders > 0 && strcmp(workers->skills[i].name, name) == 0) {
            *bit = UINT64_C(1) << i;
            return true;
        }
    }
    return false;
}

// The bits of a row's skills, each counted. decide_upsert keeps the number of names within the
// limit; a name past it (a damaged log) would have no bit, and match nobody.
static uint64_t take_skills(struct gw_workers *workers, const Gridwarden__V1__Worker *worker) {
    uint64_t bits = 0;
    for (size_t i = 0; i < worker->n_skills; i++) {
        struct gw_skill *skill = find_skill(workers, worker->skills[i]);
        for (uint32_t j = 0; skill == NULL && j < GW_SKILLS_MAX; j++) {
            if (workers->skills[j].holders == 0) {
                skill = &workers->skills[j];
                memset(skill->name, 0, sizeof(skill->name));
                memcpy(skill->name, worker->skills[i],
                       strnlen(worker->skills[i], GW_SKILL_NAME_MAX));
            }
        }
        uint64_t bit = skill == NULL ? 0 : UINT64_C(1) << (skill - workers->skills);
        if (skill != NULL && (bits & bit) == 0) {
            skill->holders++;
            bits |= bit;
        }
    }
    return bits;
}

static void drop_skills(struct gw_workers *workers, uint64_t bits) {
    for (uint32_t i = 0; i < GW_SKILLS_MAX; i++) {
        workers->skills[i].holders -= (uint32_t)(bits >> i & 1u);
    }
}

// ---- rosters of grids and areas ----

static uint32_t add_once(uint32_t list[], uint32_t count, uint32_t item) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == item) {
            return count;
        }
    }
    list[count] = item;
    return count + 1;
}

// The rosters that somebody with these homes belongs to, each once.
static uint32_t memberships(const struct gw_edition *edition, const uint32_t homes[],
                            size_t home_count, uint32_t out[MEMBERSHIPS_MAX]) {
    uint32_t count = 0, grid_count = gw_edition_grid_count(edition);
    for (size_t i = 0; i < home_count && i < GW_WORKER_HOME_GRIDS_MAX; i++) {
        if (homes[i] == GW_GRID_NONE) {
            continue;
        }
        count = add_once(out, count, homes[i]);
        uint32_t chain[GW_AREA_LEVELS], areas = gw_edition_chain(edition, homes[i], chain);
        for (uint32_t j = 0; j < areas; j++) {
            count = add_once(out, count, grid_count + chain[j]);
        }
    }
    return count;
}

static uint32_t row_memberships(const struct gw_workers *workers, uint32_t handle,
                                uint32_t out[MEMBERSHIPS_MAX]) {
    const struct gw_roster_row *row = &workers->rows[handle];
    return memberships(workers->edition, row->homes, row->message->n_home_grids, out);
}

static void enrol(struct gw_handles *rosters, const uint32_t lists[], uint32_t count,
                  uint32_t handle) {
    for (uint32_t i = 0; i < count; i++) {
        struct gw_handles *list = &rosters[lists[i]];
        if (list->count == list->capacity) {
            list->capacity = list->capacity == 0 ? 4 : 2 * list->capacity;
            list->items = gw_must_alloc(list->items, list->capacity * sizeof(list->items[0]));
        }
        list->items[list->count++] = handle;
    }
}

static void strike_off(struct gw_workers *workers, uint32_t handle) {
    uint32_t lists[MEMBERSHIPS_MAX];
    uint32_t count = row_memberships(workers, handle, lists);
    for (uint32_t i = 0; i < count; i++) {
        struct gw_handles *list = &workers->rosters[lists[i]];
        uint32_t at = 0;
        while (list->items[at] != handle) {
            at++;
        }
        list->items[at] = list->items[--list->count];
    }
}

bool gw_roster_under(const struct gw_workers *workers, uint32_t handle, const char *prefix) {
    const struct gw_roster_row *row = &workers->rows[handle];
    size_t size = strlen(prefix);
    for (size_t i = 0; i < row->message->n_home_grids; i++) {
        if (strncmp(row->message->home_grids[i], prefix, size) == 0) {
            return true;
        }
    }
    uint32_t lists[MEMBERSHIPS_MAX];
    uint32_t count = row_memberships(workers, handle, lists);
    for (uint32_t i = 0; i < count; i++) {
        if (lists[i] >= workers->grid_count) {
            struct gw_area area = gw_edition_area(workers->edition, lists[i] - workers->grid_count);
            if (strncmp(area.code, prefix, size) == 0) {
                return true;
            }
        }
    }
    return false;
}

// A grid of this edition for each home; in `homes`, which is as long as the worker's list.
static void find_homes(const struct gw_edition *edition, const Gridwarden__V1__Worker *worker,
                       uint32_t homes[]) {
    for (size_t i = 0; i < worker->n_home_grids; i++) {
        homes[i] = gw_edition_find_grid(edition, worker->home_grids[i]);
    }
}

// ---- rows ----

uint32_t gw_roster_flags(const struct gw_roster_row *row) {
    uint32_t flags =
        row->duty == GRIDWARDEN__V1__DUTY__DUTY_ON ? GW_FLAG_DUTY_ON : GW_FLAG_DUTY_OFF;
    bool full_time = row->message->kind == GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_FULL_TIME;
    flags |= full_time ? GW_FLAG_FULL_TIME : GW_FLAG_PART_TIME;
    return flags | (gw_roster_has_room(row) ? GW_FLAG_FREE : 0u);
}

bool gw_roster_has_room(const struct gw_roster_row *row) {
    return row->reservation_count < row->message->capacity;
}

void gw_roster_touch(struct gw_workers *workers, uint32_t handle) {
    const struct gw_roster_row *row = &workers->rows[handle];
    gw_worker_index_set_bits(workers->index, handle, row->skills, gw_roster_flags(row));
}

// The roster fields of a worker, copied.
static Gridwarden__V1__Worker *roster_fields(const Gridwarden__V1__Worker *worker) {
    Gridwarden__V1__Worker fields = GRIDWARDEN__V1__WORKER__INIT;
    fields.id = worker->id;
    fields.name = worker->name;
    fields.kind = worker->kind;
    fields.n_home_grids = worker->n_home_grids;
    fields.home_grids = worker->home_grids;
    fields.n_skills = worker->n_skills;
    fields.skills = worker->skills;
    fields.capacity = worker->capacity;
    void *copy = gw_workers_clone(&fields.base);
    if (copy == NULL) {
        gw_out_of_memory();
    }
    return copy;
}

static uint32_t new_row(struct gw_workers *workers) {
    if (workers->count == workers->capacity) {
        workers->capacity = workers->capacity == 0 ? 64 : 2 * workers->capacity;
        workers->rows = gw_must_alloc(workers->rows, workers->capacity * sizeof(workers->rows[0]));
    }
    uint32_t handle = workers->count++;
    memset(&workers->rows[handle], 0, sizeof(workers->rows[handle]));
    workers->rows[handle].duty = GRIDWARDEN__V1__DUTY__DUTY_OFF;
    return handle;
}

uint32_t gw_roster_upsert(struct gw_workers *workers, const Gridwarden__V1__Worker *worker) {
    uint32_t handle = gw_roster_find(workers, worker->id);
    bool added = handle == GW_ROSTER_NONE;
    if (added) {
        if (2 * (workers->count + 1) > workers->table_size) {
            table_grow(workers);
        }
        handle = new_row(workers);
    }
    struct gw_roster_row *row = &workers->rows[handle];
    if (!added) {
        strike_off(workers, handle);
        drop_skills(workers, row->skills);
    }
    Gridwarden__V1__Worker *old = row->message;
    row->message = roster_fields(worker); // before the old one goes: `worker` may be it
    row->homes = gw_must_alloc(row->homes, row->message->n_home_grids * sizeof(row->homes[0]));
    find_homes(workers->edition, row->message, row->homes);
    if (old != NULL) {
        gridwarden__v1__worker__free_unpacked(old, NULL);
    }
    row->skills = take_skills(workers, row->message);
    uint32_t lists[MEMBERSHIPS_MAX], count = row_memberships(workers, handle, lists);
    enrol(workers->rosters, lists, count, handle);
    if (added) {
        workers->table[table_place(workers, row->message->id)] = handle + 1;
        gw_order_insert(workers, handle);
    }
    gw_roster_touch(workers, handle);
    return handle;
}

void gw_roster_set_duty(struct gw_workers *workers, uint32_t handle, Gridwarden__V1__Duty duty) {
    struct gw_roster_row *row = &workers->rows[handle];
    workers->on_duty -= row->duty == GRIDWARDEN__V1__DUTY__DUTY_ON;
    row->duty = duty == GRIDWARDEN__V1__DUTY__DUTY_ON ? duty : GRIDWARDEN__V1__DUTY__DUTY_OFF;
    workers->on_duty += row->duty == GRIDWARDEN__V1__DUTY__DUTY_ON;
    gw_roster_touch(workers, handle);
}

// ---- another edition ----

struct gw_handles *gw_rosters_create(const struct gw_edition *edition) {
    size_t count = (size_t)gw_edition_grid_count(edition) + gw_edition_area_count(edition);
    return calloc(count + 1, sizeof(struct gw_handles));
}

void gw_rosters_destroy(const struct gw_edition *edition, struct gw_handles *rosters) {
    uint32_t count = gw_edition_grid_count(edition) + gw_edition_area_count(edition);
    for (uint32_t i = 0; rosters != NULL && i < count; i++) {
        free(rosters[i].items);
    }
    free(rosters);
}

void gw_workers_set_edition(struct gw_workers *workers, const struct gw_edition *edition) {
    struct gw_handles *rosters = gw_rosters_create(edition);
    uint32_t **homes = gw_must_alloc(NULL, (workers->count + 1) * sizeof(homes[0]));
    if (rosters == NULL) {
        gw_out_of_memory();
    }
    // Rows are changed by this thread alone, so readers go on while their new places are found.
    for (uint32_t handle = 0; handle < workers->count; handle++) {
        const Gridwarden__V1__Worker *worker = workers->rows[handle].message;
        uint32_t lists[MEMBERSHIPS_MAX];
        homes[handle] = gw_must_alloc(NULL, worker->n_home_grids * sizeof(homes[0][0]));
        find_homes(edition, worker, homes[handle]);
        enrol(rosters, lists, memberships(edition, homes[handle], worker->n_home_grids, lists),
              handle);
    }
    const struct gw_edition *edition_before = workers->edition;
    struct gw_handles *rosters_before = workers->rosters;
    gw_workers_lock_write(workers);
    for (uint32_t handle = 0; handle < workers->count; handle++) {
        uint32_t *before = workers->rows[handle].homes;
        workers->rows[handle].homes = homes[handle];
        homes[handle] = before;
    }
    workers->edition = edition;
    workers->grid_count = gw_edition_grid_count(edition);
    workers->area_count = gw_edition_area_count(edition);
    workers->rosters = rosters;
    gw_workers_unlock(workers);
    for (uint32_t handle = 0; handle < workers->count; handle++) {
        free(homes[handle]);
    }
    free(homes);
    gw_rosters_destroy(edition_before, rosters_before);
}

// ---- reservations ----

const struct gw_reservation *gw_roster_reservation(const struct gw_roster_row *row,
                                                   const char *incident_id) {
    for (uint32_t i = 0; i < row->reservation_count; i++) {
        if (strcmp(row->reservations[i].incident_id, incident_id) == 0) {
            return &row->reservations[i];
        }
    }
    return NULL;
}

void gw_roster_reserve(struct gw_workers *workers, uint32_t handle, const char *incident_id,
                       uint32_t attempt) {
    struct gw_roster_row *row = &workers->rows[handle];
    const struct gw_reservation *held = gw_roster_reservation(row, incident_id);
    if (held != NULL) { // the same place, for a later attempt
        row->reservations[held - row->reservations].attempt = attempt;
        return;
    }
    if (row->reservation_count == row->reservation_capacity) {
        row->reservation_capacity =
            row->reservation_capacity == 0 ? 4 : 2 * row->reservation_capacity;
        row->reservations = gw_must_alloc(row->reservations,
                                          row->reservation_capacity * sizeof(row->reservations[0]));
    }
    size_t size = strlen(incident_id) + 1;
    struct gw_reservation *added = &row->reservations[row->reservation_count++];
    added->incident_id = memcpy(gw_must_alloc(NULL, size), incident_id, size);
    added->attempt = attempt;
    workers->reserved_places++;
    gw_roster_touch(workers, handle);
}

void gw_roster_release(struct gw_workers *workers, uint32_t handle, const char *incident_id) {
    struct gw_roster_row *row = &workers->rows[handle];
    const struct gw_reservation *held = gw_roster_reservation(row, incident_id);
    if (held == NULL) {
        return;
    }
    size_t at = (size_t)(held - row->reservations);
    free(row->reservations[at].incident_id);
    row->reservation_count--;
    memmove(&row->reservations[at], &row->reservations[at + 1],
            (row->reservation_count - at) * sizeof(row->reservations[0]));
    workers->reserved_places--;
    gw_roster_touch(workers, handle);
}

// ---- copies ----

Gridwarden__V1__Worker *gw_roster_copy(const struct gw_workers *workers, uint32_t handle) {
    const struct gw_roster_row *row = &workers->rows[handle];
    Gridwarden__V1__Worker worker = *row->message; // shallow: the clone makes it deep
    Gridwarden__V1__Position position = GRIDWARDEN__V1__POSITION__INIT;
    Gridwarden__V1__Point place = GRIDWARDEN__V1__POINT__INIT;
    struct gw_point point;
    struct gw_worker_bits bits;
    worker.duty = row->duty;
    worker.load = row->reservation_count;
    if (gw_worker_index_get(workers->index, handle, &point, &bits)) {
        place.longitude = gw_degrees(point.lon);
        place.latitude = gw_degrees(point.lat);
        position.point = &place;
        position.time_ms = bits.time_ms;
        worker.position = &position;
    }
    return (Gridwarden__V1__Worker *)gw_workers_clone(&worker.base);
}
