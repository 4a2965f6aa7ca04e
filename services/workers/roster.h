// What the room's files share: the roster in memory and its parts. Private to services/workers.
//
// Invariants:
//   1. `table` finds each worker by id, `order` lists each once in byte order of ids.
//   2. A worker is in the roster of each of his home grids and of each area above one, once.
//   3. A skill's place is taken exactly while some worker has it.
//   4. Homes and rosters are those of `edition`; they change together (gw_workers_set_edition).
//   5. The index's bits of a worker with a position are those of his row (gw_roster_touch).
//
// Threads: functions here take no lock; their callers hold gw_workers.lock as needed.
#ifndef GW_SERVICES_WORKERS_ROSTER_H
#define GW_SERVICES_WORKERS_ROSTER_H

#include "services/workers/workers.h"
#include <pthread.h>

#define GW_ROSTER_NONE UINT32_MAX
#define GW_CAPACITY_MAX 100u
#define GW_CAPACITY_DEFAULT 3u
#define GW_ORDER_CHUNK_MAX 512u

// Bits of gw_worker_bits.flags.
enum gw_worker_flag {
    GW_FLAG_DUTY_ON = 1,
    GW_FLAG_DUTY_OFF = 2,
    GW_FLAG_FULL_TIME = 4,
    GW_FLAG_PART_TIME = 8,
    GW_FLAG_FREE = 16, // room for one more
};

struct gw_reservation {
    char *incident_id;
    uint32_t attempt;
};

struct gw_roster_row {
    Gridwarden__V1__Worker *message; // roster fields alone
    uint32_t *homes;                 // a grid for each home; GW_GRID_NONE: not in this edition
    uint64_t skills;
    Gridwarden__V1__Duty duty;
    struct gw_reservation *reservations; // in the order in which they were made
    uint32_t reservation_count, reservation_capacity;
};

struct gw_handles {
    uint32_t *items;
    uint32_t count, capacity;
};

struct gw_order_chunk {
    uint32_t count;
    uint32_t handles[GW_ORDER_CHUNK_MAX];
};

struct gw_skill {
    char name[GW_SKILL_NAME_MAX + 1];
    uint32_t holders; // 0: the place is free
};

struct gw_workers {
    pthread_rwlock_t lock;
    const struct gw_edition *edition;
    uint32_t grid_count, area_count;
    struct gw_worker_index *index;
    struct gw_roster_row *rows; // by handle
    uint32_t count, capacity;
    uint32_t *table; // open addressing by id: handle + 1, or 0
    uint32_t table_size;
    struct gw_order_chunk **order;
    uint32_t order_count, order_capacity;
    struct gw_skill skills[GW_SKILLS_MAX];
    struct gw_handles *rosters; // of grids, then of areas; in no order
    uint32_t on_duty, reserved_places;
};

void gw_workers_lock_read(struct gw_workers *workers);
void gw_workers_lock_write(struct gw_workers *workers);
void gw_workers_unlock(struct gw_workers *workers);

// An empty roster for each grid and area of an edition. NULL: out of memory.
struct gw_handles *gw_rosters_create(const struct gw_edition *edition);
void gw_rosters_destroy(const struct gw_edition *edition, struct gw_handles *rosters);

// The handle of a worker, or GW_ROSTER_NONE.
uint32_t gw_roster_find(const struct gw_workers *workers, const char *id);
const char *gw_roster_id(const struct gw_workers *workers, uint32_t handle);
// Whether a's id comes before b's; `workers` as context, so that the index can call it.
bool gw_roster_before(uint32_t a, uint32_t b, const void *workers);

// Adds or replaces the roster fields; duty and reservations stay. Aborts when out of memory.
uint32_t gw_roster_upsert(struct gw_workers *workers, const Gridwarden__V1__Worker *worker);
void gw_roster_set_duty(struct gw_workers *workers, uint32_t handle, Gridwarden__V1__Duty duty);
void gw_roster_reserve(struct gw_workers *workers, uint32_t handle, const char *incident_id,
                       uint32_t attempt);
void gw_roster_release(struct gw_workers *workers, uint32_t handle, const char *incident_id);
// The reservation of an incident, or NULL.
const struct gw_reservation *gw_roster_reservation(const struct gw_roster_row *row,
                                                   const char *incident_id);
bool gw_roster_has_room(const struct gw_roster_row *row);

uint32_t gw_roster_flags(const struct gw_roster_row *row);
// Tells the index what the row says now.
void gw_roster_touch(struct gw_workers *workers, uint32_t handle);

// False: nobody has this skill.
bool gw_roster_skill_bit(const struct gw_workers *workers, const char *name, uint64_t *bit);

// Whether a home grid, or an area above one, has a code that begins with `prefix`.
bool gw_roster_under(const struct gw_workers *workers, uint32_t handle, const char *prefix);

// A copy with duty, load and position, malloc'ed. NULL: out of memory.
Gridwarden__V1__Worker *gw_roster_copy(const struct gw_workers *workers, uint32_t handle);

// --- the order of ids (order.c) ---

struct gw_order_place {
    uint32_t chunk, i;
};
void gw_order_insert(struct gw_workers *workers, uint32_t handle); // aborts when out of memory
// The first worker with id > after.
struct gw_order_place gw_order_seek(const struct gw_workers *workers, const char *after);
// The worker at a place, which moves on; GW_ROSTER_NONE at the end.
uint32_t gw_order_next(const struct gw_workers *workers, struct gw_order_place *place);
void gw_order_deinit(struct gw_workers *workers);

// --- messages (message.c) ---

// A copy that shares nothing, for protobuf_c_message_free_unpacked. NULL: out of memory.
ProtobufCMessage *gw_workers_clone(const ProtobufCMessage *message);

// 1 .. bytes_max bytes of UTF-8 without control characters (of ASCII or Unicode).
bool gw_text_printable(const char *text, size_t bytes_max);

// For folding events, where nothing can go on without memory: says so and aborts.
_Noreturn void gw_out_of_memory(void);
// realloc that does that.
void *gw_must_alloc(void *old, size_t bytes);

#endif
