// The worker index against a brute force with Karney's distances, in worlds that are hard in turn.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/worker_index.h"
#include "tests/support/random.h"
#include <geodesic.h>
#include <math.h>
#include <string.h>

#define WORKERS 2000
#define SKILL_RARE 1u // one worker in 20
#define SKILL_NONE 2u // nobody
#define SKILL_HALF 4u

struct man {
    bool in;
    struct gw_point at;
    struct gw_worker_bits bits;
    uint32_t rank; // his id's place in the order of ids
};

struct world {
    struct test_random random;
    struct gw_worker_index *index;
    struct man men[WORKERS];
    struct gw_point (*place)(struct test_random *random);
};

// ---- places ----

static int64_t spread(struct test_random *random, int64_t reach) {
    return (test_random_range(random, -reach, reach) + test_random_range(random, -reach, reach)) /
           2;
}

static struct gw_point wrapped(int64_t lon, int64_t lat) {
    lon = lon > GW_LON_MAX ? lon - 2 * (int64_t)GW_LON_MAX : lon;
    lon = lon < -GW_LON_MAX ? lon + 2 * (int64_t)GW_LON_MAX : lon;
    lat = lat > GW_LAT_MAX ? GW_LAT_MAX : lat < -GW_LAT_MAX ? -GW_LAT_MAX : lat;
    return (struct gw_point){(int32_t)lon, (int32_t)lat};
}

static struct gw_point city(struct test_random *random) {
    return wrapped(1238000000 + spread(random, 2000000), 422000000 + spread(random, 1500000));
}

static struct gw_point country(struct test_random *random) {
    if (test_random_range(random, 0, 9) == 0) {
        return wrapped(1242000000 + spread(random, 8000000), 427000000 + spread(random, 8000000));
    }
    int64_t spot = test_random_range(random, 0, 30);
    return wrapped(1236000000 + spot * 7654321 % 17000000 + spread(random, 50000),
                   419000000 + spot * 1234567 % 16000000 + spread(random, 50000));
}

static struct gw_point world_wide(struct test_random *random) {
    return wrapped(test_random_range(random, -GW_LON_MAX, GW_LON_MAX),
                   test_random_range(random, -GW_LAT_MAX, GW_LAT_MAX));
}

static struct gw_point antimeridian(struct test_random *random) {
    return wrapped(GW_LON_MAX + spread(random, 30000000), -170000000 + spread(random, 20000000));
}

static struct gw_point north_pole(struct test_random *random) {
    int64_t off = test_random_range(random, 0, 3) == 0 ? 0 : test_random_range(random, 0, 4000000);
    return wrapped(test_random_range(random, -GW_LON_MAX, GW_LON_MAX), GW_LAT_MAX - off);
}

static struct gw_point south_pole(struct test_random *random) {
    struct gw_point point = north_pole(random);
    return (struct gw_point){point.lon, -point.lat};
}

// A few spots with very many each, so that ties and chains are the rule.
static struct gw_point same_spots(struct test_random *random) {
    int64_t spot = test_random_range(random, 0, 3);
    return wrapped(1238000000 + spot * 40, 422000000 + spot % 2 * 100);
}

// A lattice of 3 x 3 units under the query: equal distances by symmetry everywhere.
static struct gw_point tiny_lattice(struct test_random *random) {
    return wrapped(test_random_range(random, -8, 8), test_random_range(random, -8, 8));
}

static struct gw_point equator_and_greenwich(struct test_random *random) {
    return test_random_next(random) % 2 == 0 ? wrapped(spread(random, 100000000), 0)
                                             : wrapped(0, spread(random, 100000000));
}

// ---- the slow way ----

struct far_man {
    double metres;
    uint32_t rank, worker;
};

static int by_distance(const void *left, const void *right) {
    const struct far_man *a = left, *b = right;
    if (a->metres < b->metres || a->metres > b->metres) {
        return a->metres < b->metres ? -1 : 1;
    }
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static bool passes(const struct man *man, uint32_t worker, const struct gw_worker_filter *filter) {
    return man->in && (filter == NULL ||
                       ((man->bits.skills & filter->skills) == filter->skills &&
                        (man->bits.flags & filter->flags) == filter->flags &&
                        man->bits.time_ms >= filter->time_ms_min &&
                        (filter->accept == NULL || filter->accept(worker, filter->context))));
}

static uint32_t brute_force(const struct world *world, struct gw_point point,
                            const struct gw_worker_filter *filter, struct far_man out[]) {
    struct geod_geodesic earth;
    geod_init(&earth, 6378137.0, 1.0 / 298.257223563);
    uint32_t count = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        const struct man *man = &world->men[i];
        if (passes(man, i, filter)) {
            out[count] = (struct far_man){0.0, man->rank, i};
            geod_inverse(&earth, point.lat / 1e7, point.lon / 1e7, man->at.lat / 1e7,
                         man->at.lon / 1e7, &out[count].metres, NULL, NULL);
            count++;
        }
    }
    qsort(out, count, sizeof(out[0]), by_distance);
    return count;
}

static bool rank_before(uint32_t a, uint32_t b, const void *context) {
    const struct world *world = context;
    return world->men[a].rank < world->men[b].rank;
}

static void assert_nearest(const struct world *world, struct gw_point point, uint32_t k,
                           const struct gw_worker_filter *filter) {
    static struct far_man expected[WORKERS];
    static struct gw_near_worker got[GW_NEAREST_K_MAX];
    uint32_t want = brute_force(world, point, filter, expected), count = UINT32_MAX;
    want = want < k ? want : k;
    assert_int_equal(
        gw_worker_index_nearest(world->index, point, k, filter, rank_before, world, got, &count),
        GW_OK);
    assert_int_equal(count, want);
    for (uint32_t i = 0; i < count; i++) {
        if (got[i].worker != expected[i].worker ||
            fabs(got[i].distance_m - expected[i].metres) > 2e-8 ||
            (i > 0 && got[i].distance_m < got[i - 1].distance_m)) {
            fail_msg("from (%d, %d), k %u, place %u: worker %u at %.9f m, not %u at %.9f m",
                     point.lon, point.lat, k, i, got[i].worker, got[i].distance_m,
                     expected[i].worker, expected[i].metres);
        }
        char a[64], b[64]; // what a table prints
        (void)snprintf(a, sizeof(a), "%.4f", got[i].distance_m);
        (void)snprintf(b, sizeof(b), "%.4f", expected[i].metres);
        assert_string_equal(a, b);
    }
}

// ---- a world that moves ----

static struct gw_worker_bits any_bits(struct test_random *random) {
    struct gw_worker_bits bits = {0, (uint32_t)test_random_range(random, 0, 7),
                                  test_random_range(random, 0, 1000)};
    bits.skills |= test_random_range(random, 0, 19) == 0 ? SKILL_RARE : 0;
    bits.skills |= test_random_range(random, 0, 1) == 0 ? SKILL_HALF : 0;
    return bits;
}

static void put(struct world *world, uint32_t worker, struct gw_point at) {
    struct man *man = &world->men[worker];
    *man = (struct man){true, at, any_bits(&world->random), man->rank};
    assert_int_equal(gw_worker_index_put(world->index, worker, at, man->bits), GW_OK);
}

static void change(struct world *world) {
    struct test_random *random = &world->random;
    uint32_t worker = (uint32_t)test_random_range(random, 0, WORKERS - 1);
    struct man *man = &world->men[worker];
    switch (test_random_range(random, 0, 5)) {
    case 0:
        gw_worker_index_remove(world->index, worker);
        man->in = false;
        break;
    case 1:
        man->bits.skills = any_bits(random).skills;
        man->bits.flags = any_bits(random).flags;
        gw_worker_index_set_bits(world->index, worker, man->bits.skills, man->bits.flags);
        break;
    case 2:
        put(world, worker, world->place(random));
        break;
    default: // a step of some 50 m
        put(world, worker,
            wrapped(man->at.lon + test_random_range(random, -4500, 4500),
                    man->at.lat + test_random_range(random, -4500, 4500)));
    }
}

static bool odd_workers(uint32_t worker, const void *context) {
    (void)context;
    return worker % 2 == 1;
}

static void ask(struct world *world) {
    static const uint32_t ks[] = {1, 8, 8, 8, 50, 1000};
    const struct gw_worker_filter filters[] = {
        {SKILL_RARE, 0, INT64_MIN, NULL, NULL}, {SKILL_NONE, 0, INT64_MIN, NULL, NULL},
        {SKILL_HALF, 3, INT64_MIN, NULL, NULL}, {0, 0, 500, NULL, NULL},
        {0, 1, 100, odd_workers, NULL},
    };
    struct test_random *random = &world->random;
    int64_t which = test_random_range(random, 0, 9);
    struct gw_point point =
        test_random_range(random, 0, 9) == 0 ? world_wide(random) : world->place(random);
    assert_nearest(world, point, ks[test_random_range(random, 0, 5)],
                   which < 5 ? &filters[which] : NULL);
}

static void run_world(const char *name, struct gw_point (*place)(struct test_random *),
                      uint32_t first_workers) {
    static struct world world;
    memset(&world, 0, sizeof(world));
    world.random = test_random_seeded(name, 17);
    world.place = place;
    world.index = gw_worker_index_create();
    assert_non_null(world.index);
    for (uint32_t i = 0; i < WORKERS; i++) {
        world.men[i].rank = i * 7919u % WORKERS; // another order than that of handles
        if (i < first_workers) {
            put(&world, i, place(&world.random));
        }
    }
    for (int round = 0; round < 30; round++) {
        ask(&world);
        assert_int_equal(gw_worker_index_check(world.index), GW_OK);
        for (int i = 0; i < 200; i++) {
            change(&world);
        }
    }
    gw_worker_index_destroy(world.index);
}

static void test_city(void **state) {
    (void)state;
    run_world("city", city, WORKERS);
}

static void test_country(void **state) {
    (void)state;
    run_world("country", country, WORKERS);
}

static void test_world_wide(void **state) {
    (void)state;
    run_world("world", world_wide, WORKERS);
}

static void test_antimeridian(void **state) {
    (void)state;
    run_world("antimeridian", antimeridian, WORKERS);
}

static void test_poles(void **state) {
    (void)state;
    run_world("north pole", north_pole, WORKERS);
    run_world("south pole", south_pole, 20);
}

static void test_same_spots(void **state) {
    (void)state;
    run_world("same spots", same_spots, WORKERS);
}

static void test_symmetric(void **state) {
    (void)state;
    run_world("tiny lattice", tiny_lattice, WORKERS);
    run_world("equator and Greenwich", equator_and_greenwich, WORKERS);
}

static void test_few(void **state) {
    (void)state;
    run_world("nobody yet", world_wide, 0);
    run_world("seven", city, 7);
}

// ---- edges of the interface ----

static void test_limits(void **state) {
    (void)state;
    struct gw_worker_index *index = gw_worker_index_create();
    const struct gw_worker_bits bits = {1, 2, 3};
    const struct gw_point faulty[] = {
        {GW_LON_MAX + 1, 0}, {-GW_LON_MAX - 1, 0}, {0, GW_LAT_MAX + 1}, {0, -GW_LAT_MAX - 1}};
    struct gw_near_worker out[1] = {{77, 7.0}};
    uint32_t count = 99;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(gw_worker_index_put(index, 0, faulty[i], bits), GW_EINVAL);
        assert_int_equal(
            gw_worker_index_nearest(index, faulty[i], 1, NULL, NULL, NULL, out, &count), GW_EINVAL);
    }
    const struct gw_point corners[] = {{GW_LON_MAX, GW_LAT_MAX}, {-GW_LON_MAX, -GW_LAT_MAX}};
    assert_int_equal(gw_worker_index_put(index, GW_WORKERS_MAX, corners[0], bits), GW_EINVAL);
    assert_int_equal(gw_worker_index_count(index), 0);
    assert_int_equal(gw_worker_index_nearest(index, corners[0], 0, NULL, NULL, NULL, out, &count),
                     GW_EINVAL);
    assert_int_equal(gw_worker_index_nearest(index, corners[0], GW_NEAREST_K_MAX + 1, NULL, NULL,
                                             NULL, out, &count),
                     GW_EINVAL);
    assert_int_equal(count, 99);
    assert_int_equal(out[0].worker, 77);
    assert_int_equal(gw_worker_index_put(index, 1000000, corners[0], bits), GW_OK);
    assert_int_equal(gw_worker_index_put(index, 3, corners[1], bits), GW_OK);
    assert_int_equal(gw_worker_index_check(index), GW_OK);
    assert_int_equal(gw_worker_index_nearest(index, corners[1], 1, NULL, NULL, NULL, out, &count),
                     GW_OK);
    assert_int_equal(count, 1);
    assert_int_equal(out[0].worker, 3);
    gw_worker_index_destroy(index);
}

static void test_get_and_remove(void **state) {
    (void)state;
    struct gw_worker_index *index = gw_worker_index_create();
    struct gw_point at = {5, 6}, got;
    struct gw_worker_bits bits = {7, 8, 9};
    assert_false(gw_worker_index_get(index, 4, &got, &bits));
    assert_false(gw_worker_index_get(index, UINT32_MAX, &got, &bits));
    gw_worker_index_remove(index, 4);
    gw_worker_index_remove(index, UINT32_MAX);
    gw_worker_index_set_bits(index, 4, 1, 1);
    assert_int_equal(gw_worker_index_put(index, 4, at, bits), GW_OK);
    gw_worker_index_set_bits(index, 4, 70, 80);
    assert_true(gw_worker_index_get(index, 4, &got, &bits));
    assert_memory_equal(&got, &at, sizeof(at));
    assert_int_equal(bits.skills, 70);
    assert_int_equal(bits.flags, 80);
    assert_int_equal(bits.time_ms, 9);
    gw_worker_index_remove(index, 4);
    assert_int_equal(gw_worker_index_count(index), 0);
    assert_false(gw_worker_index_get(index, 4, &got, &bits));
    assert_int_equal(gw_worker_index_check(index), GW_OK);
    gw_worker_index_destroy(index);
}

static void test_ties_by_handle_without_order(void **state) {
    (void)state;
    struct gw_worker_index *index = gw_worker_index_create();
    struct gw_worker_bits bits = {0, 0, 0};
    for (uint32_t i = 0; i < 300; i++) {
        struct gw_point at = {i % 2 == 0 ? 10 : -10, 0};
        assert_int_equal(gw_worker_index_put(index, i * 37 % 300, at, bits), GW_OK);
    }
    struct gw_near_worker out[100];
    uint32_t count;
    assert_int_equal(
        gw_worker_index_nearest(index, (struct gw_point){0, 0}, 100, NULL, NULL, NULL, out, &count),
        GW_OK);
    assert_int_equal(count, 100);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(out[i].worker, i);
    }
    gw_worker_index_destroy(index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_city),
        cmocka_unit_test(test_country),
        cmocka_unit_test(test_world_wide),
        cmocka_unit_test(test_antimeridian),
        cmocka_unit_test(test_poles),
        cmocka_unit_test(test_same_spots),
        cmocka_unit_test(test_symmetric),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_get_and_remove),
        cmocka_unit_test(test_ties_by_handle_without_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
