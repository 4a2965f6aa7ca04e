// Sequences of operations on the worker index, each followed by a look at the whole structure and,
// where a query is asked, by the slow answer. The bytes are opcodes with their operands.
#include "geo/geodesic.h"
#include "geo/worker_index.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 256u
#define OPERATIONS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

struct man {
    bool in;
    struct gw_point at;
    struct gw_worker_bits bits;
};

static uint32_t take(struct input *input, unsigned bytes) {
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes && input->size > 0; i++) {
        value = value << 8 | *input->data++;
        input->size--;
    }
    return value;
}

static void require(bool ok) {
    if (!ok) {
        abort();
    }
}

// Positions of three sorts: anywhere (also out of range), near a busy spot, on one of few spots.
static struct gw_point take_point(struct input *input) {
    uint32_t sort = take(input, 1);
    int32_t x = (int32_t)(int16_t)take(input, 2), y = (int32_t)(int16_t)take(input, 2);
    switch (sort % 4) {
    case 0:
        return (struct gw_point){x * 55000, y * 27500};
    case 1:
        return (struct gw_point){1238000000 + x * (int32_t)(sort / 4), 422000000 + y};
    case 2:
        return (struct gw_point){x < 0 ? -GW_LON_MAX - x : GW_LON_MAX - x, y};
    default:
        return (struct gw_point){5 + x % 3, GW_LAT_MAX - 2 + y % 3};
    }
}

static struct gw_worker_bits take_bits(struct input *input) {
    uint32_t bits = take(input, 1);
    return (struct gw_worker_bits){bits & 3u, bits >> 2 & 3u, (int64_t)(bits >> 4)};
}

struct found {
    double metres;
    uint32_t worker;
};

static int nearer(const void *left, const void *right) {
    const struct found *a = left, *b = right;
    if (a->metres < b->metres || a->metres > b->metres) {
        return a->metres < b->metres ? -1 : 1;
    }
    return a->worker < b->worker ? -1 : a->worker > b->worker;
}

static void ask(struct input *input, const struct gw_worker_index *index, const struct man men[]) {
    struct gw_point point = take_point(input);
    struct gw_worker_bits need = take_bits(input);
    uint32_t k = take(input, 1) + 1u, count = 0, want = 0;
    struct gw_worker_filter filter = {need.skills, need.flags, need.time_ms, NULL, NULL};
    struct gw_near_worker out[256];
    struct found expected[WORKERS];
    gw_err err = gw_worker_index_nearest(index, point, k, &filter, NULL, NULL, out, &count);
    if (!gw_point_valid(point)) {
        require(err == GW_EINVAL);
        return;
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        const struct gw_worker_bits *bits = &men[i].bits;
        if (men[i].in && (bits->skills & need.skills) == need.skills &&
            (bits->flags & need.flags) == need.flags && bits->time_ms >= need.time_ms) {
            expected[want++] = (struct found){gw_geodesic_distance(point, men[i].at), i};
        }
    }
    qsort(expected, want, sizeof(expected[0]), nearer);
    require(err == GW_OK && count == (want < k ? want : k));
    for (uint32_t i = 0; i < count; i++) {
        require(out[i].worker == expected[i].worker &&
                fabs(out[i].distance_m - expected[i].metres) < 2e-8);
    }
}

static void operate(struct input *input, struct gw_worker_index *index, struct man men[]) {
    uint32_t opcode = take(input, 1), worker = take(input, 1);
    struct man *man = &men[worker];
    if (opcode % 8 < 5) {
        struct man moved = {true, take_point(input), take_bits(input)};
        gw_err err = gw_worker_index_put(index, worker, moved.at, moved.bits);
        require(err == (gw_point_valid(moved.at) ? GW_OK : GW_EINVAL));
        *man = err == GW_OK ? moved : *man;
    } else if (opcode % 8 == 5) {
        gw_worker_index_remove(index, worker);
        man->in = false;
    } else if (opcode % 8 == 6) {
        struct gw_worker_bits bits = take_bits(input);
        gw_worker_index_set_bits(index, worker, bits.skills, bits.flags);
        man->bits.skills = bits.skills;
        man->bits.flags = bits.flags;
    } else {
        ask(input, index, men);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {data, size};
    struct man men[WORKERS];
    memset(men, 0, sizeof(men));
    struct gw_worker_index *index = gw_worker_index_create();
    require(index != NULL);
    for (int i = 0; i < OPERATIONS_MAX && input.size > 0; i++) {
        operate(&input, index, men);
        require(gw_worker_index_check(index) == GW_OK);
    }
    uint32_t in = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct gw_point at;
        struct gw_worker_bits bits;
        require(gw_worker_index_get(index, i, &at, &bits) == men[i].in);
        require(!men[i].in || memcmp(&at, &men[i].at, sizeof(at)) == 0);
        in += men[i].in;
    }
    require(in == gw_worker_index_count(index));
    gw_worker_index_destroy(index);
    return 0;
}
