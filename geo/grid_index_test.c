// The bytes of a grid index: what is built, what is opened, what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/grid_index.h"
#include "geo/grid_index_format.h"
#include "geo/testing_coverage.h"
#include <string.h>

struct built {
    struct test_coverage coverage;
    unsigned char *bytes;
    uint64_t size;
    struct gw_grid_index index;
};

static struct built build_kind(enum test_kind kind, uint64_t seed,
                               const struct gw_grid_index_options *options) {
    struct built built = {.bytes = NULL};
    struct test_random random = {seed};
    test_coverage_draw(&built.coverage, kind, &random);
    assert_int_equal(gw_grid_index_build(&built.coverage.view, options, &built.bytes, &built.size),
                     GW_OK);
    assert_int_equal(gw_grid_index_open(built.bytes, built.size, &built.index), GW_OK);
    return built;
}

static void drop(struct built *built) {
    free(built->bytes);
    test_coverage_deinit(&built->coverage);
}

static void test_same_input_same_bytes(void **state) {
    (void)state;
    for (int kind = 0; kind < TEST_KINDS; kind++) {
        struct built one = build_kind((enum test_kind)kind, 3, NULL);
        struct built two = build_kind((enum test_kind)kind, 3, NULL);
        assert_int_equal(one.size, two.size);
        assert_memory_equal(one.bytes, two.bytes, one.size);
        drop(&one);
        drop(&two);
    }
}

// Moved elsewhere the bytes still serve: there are no pointers in them.
static void test_position_independent(void **state) {
    (void)state;
    struct built built = build_kind(TEST_PARTITION, 9, NULL);
    unsigned char *room = malloc(built.size + 64);
    assert_non_null(room);
    unsigned char *moved = room + 8; // malloc aligns to 16
    memcpy(moved, built.bytes, built.size);
    memset(built.bytes, 0xaa, built.size);
    struct gw_grid_index index;
    assert_int_equal(gw_grid_index_open(moved, built.size, &index), GW_OK);
    for (uint32_t i = 0; i < built.coverage.view.vertex_count; i++) {
        struct gw_point p = built.coverage.vertices[i];
        assert_int_equal(gw_grid_index_locate(&index, p),
                         gw_coverage_owner(&built.coverage.view, gw_point_normal(p)));
    }
    assert_int_equal(gw_grid_index_open(moved + 4, built.size, &index), GW_EINVAL);
    free(room);
    drop(&built);
}

static void test_batches_of_every_size(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("batches", 21);
    struct built built = build_kind(TEST_PARTITION, 17, NULL);
    enum { COUNT = 300 };
    struct gw_point points[COUNT];
    uint32_t owners[COUNT + 1];
    for (int i = 0; i < COUNT; i++) {
        uint32_t at = (uint32_t)test_random_range(&random, 0, built.coverage.view.vertex_count - 1);
        points[i] = built.coverage.vertices[at];
    }
    points[7] = (struct gw_point){INT32_MAX, INT32_MIN}; // not on Earth: nobody, and no harm
    points[8] = (struct gw_point){INT32_MIN, INT32_MAX};
    for (size_t count = 0; count <= COUNT; count++) {
        owners[count] = 4711;
        gw_grid_index_locate_batch(&built.index, points, count, owners);
        assert_int_equal(owners[count], 4711);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(owners[i], gw_grid_index_locate(&built.index, points[i]));
        }
    }
    assert_int_equal(owners[7], GW_GRID_NONE);
    assert_int_equal(owners[8], GW_GRID_NONE);
    drop(&built);
}

static void test_budget(void **state) {
    (void)state;
    struct test_random random = {33};
    struct test_coverage coverage;
    test_coverage_draw(&coverage, TEST_PARTITION, &random);
    unsigned char *bytes = NULL;
    uint64_t size = 4711;
    struct gw_grid_index_options options = {.bytes_max = 100};
    assert_int_equal(gw_grid_index_build(&coverage.view, &options, &bytes, &size), GW_ENOSPC);
    assert_null(bytes);
    assert_int_equal(size, 4711);
    uint64_t before = UINT64_MAX;
    for (options.bytes_max = 1 << 20; options.bytes_max >= 1 << 12; options.bytes_max /= 2) {
        gw_err err = gw_grid_index_build(&coverage.view, &options, &bytes, &size);
        if (err == GW_ENOSPC) {
            break;
        }
        assert_int_equal(err, GW_OK);
        assert_true(size <= options.bytes_max && size <= before);
        before = size;
        free(bytes);
    }
    assert_true(before <= 1 << 16);
    test_coverage_deinit(&coverage);
}

static void test_shape(void **state) {
    (void)state;
    struct built built = build_kind(TEST_PARTITION, 40, NULL);
    struct gw_grid_index_shape shape;
    gw_grid_index_shape(&built.index, &shape);
    assert_int_equal(shape.bytes, built.size);
    assert_true(shape.table_bytes + shape.sub_bytes + shape.leaf_bytes < shape.bytes);
    assert_true(shape.table_bytes > 0 && shape.leaf_bytes > 0);
    assert_true(shape.true_hit_cells > 0);
    assert_true(shape.pair_leaves > 0 && shape.leaf_edges >= shape.pair_leaves);
    uint64_t cells =
        shape.true_hit_cells + shape.empty_cells + shape.pair_leaves + shape.list_leaves;
    uint64_t subs = shape.sub_bytes / 64;
    assert_int_equal(cells, shape.table_bytes / 4 + subs * 15);
    drop(&built);
}

// Asks a damaged index that was opened all the same: whatever it says, it must be a grid or nobody.
static void ask_everywhere(const struct gw_grid_index *index, const struct test_coverage *coverage,
                           struct test_random *random) {
    struct gw_point points[128];
    uint32_t owners[128];
    for (int i = 0; i < 128; i++) {
        uint32_t at = (uint32_t)test_random_range(random, 0, coverage->view.vertex_count - 1);
        points[i] = coverage->vertices[at];
        if (i % 2 == 0) {
            points[i].lon = (int32_t)test_random_next(random);
            points[i].lat = (int32_t)test_random_next(random);
        }
    }
    gw_grid_index_locate_batch(index, points, 128, owners);
    for (int i = 0; i < 128; i++) {
        assert_int_equal(owners[i], gw_grid_index_locate(index, points[i]));
        assert_true(owners[i] == GW_GRID_NONE || owners[i] < index->grid_count);
    }
    struct gw_grid_index_shape shape;
    gw_grid_index_shape(index, &shape);
}

static void test_damage(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("damage", 77);
    struct gw_grid_index_options options = {.leaf_edges_max = 1};
    for (int kind = 0; kind < TEST_KINDS; kind++) {
        struct built built = build_kind((enum test_kind)kind, 5, &options);
        unsigned char *bad = aligned_alloc(64, built.size);
        assert_non_null(bad);
        int refused = 0;
        for (int i = 0; i < 400; i++) {
            memcpy(bad, built.bytes, built.size);
            int64_t last = i % 2 == 0 ? 127 : (int64_t)built.size - 1; // the header half the time
            for (int64_t flips = test_random_range(&random, 1, 4); flips > 0; flips--) {
                size_t at = (size_t)test_random_range(&random, 0, last);
                bad[at] = (unsigned char)(bad[at] ^ (1u << test_random_range(&random, 0, 7)));
            }
            struct gw_grid_index index;
            if (gw_grid_index_open(bad, built.size, &index) == GW_OK) {
                ask_everywhere(&index, &built.coverage, &random);
            } else {
                refused++;
            }
        }
        assert_true(refused > 100);
        free(bad);
        drop(&built);
    }
}

static void test_cut_off(void **state) {
    (void)state;
    struct built built = build_kind(TEST_PARTITION, 5, NULL);
    struct gw_grid_index index;
    for (uint64_t size = 0; size < built.size; size += size < 256 ? 1 : 64) {
        assert_int_equal(gw_grid_index_open(built.bytes, size, &index), GW_ECORRUPT);
    }
    assert_int_equal(gw_grid_index_open(NULL, 0, &index), GW_ECORRUPT);
    drop(&built);
}

struct header_fault {
    const char *what;
    size_t offset, bytes;
    uint64_t value;
};

static void test_header_faults(void **state) {
    (void)state;
    static const struct header_fault faults[] = {
        {"magic", 0, 1, 'X'},
        {"version", offsetof(struct gw_index_header, version), 4, GW_GRID_INDEX_VERSION + 1u},
        {"byte order", offsetof(struct gw_index_header, byte_order), 4, 0x04030201},
        {"size", offsetof(struct gw_index_header, size), 8, UINT64_MAX},
        {"table offset", offsetof(struct gw_index_header, table_offset), 8, 0},
        {"table unaligned", offsetof(struct gw_index_header, table_offset), 8, 132},
        {"sub offset", offsetof(struct gw_index_header, sub_offset), 8, UINT64_MAX - 63},
        {"leaf offset", offsetof(struct gw_index_header, leaf_offset), 8, UINT64_MAX - 63},
        {"rank offset", offsetof(struct gw_index_header, rank_offset), 8, UINT64_MAX - 63},
        {"shift", offsetof(struct gw_index_header, cell_shift), 4, 31},
        {"columns", offsetof(struct gw_index_header, cols), 4, UINT32_MAX},
        {"no columns", offsetof(struct gw_index_header, cols), 4, 0},
        {"rows", offsetof(struct gw_index_header, rows), 4, UINT32_MAX},
        {"subs", offsetof(struct gw_index_header, sub_count), 4, UINT32_MAX},
        {"leaf words", offsetof(struct gw_index_header, leaf_words), 4, UINT32_MAX},
        {"no leaf words", offsetof(struct gw_index_header, leaf_words), 4, 0},
        {"grids", offsetof(struct gw_index_header, grid_count), 4, GW_GRIDS_MAX + 1u},
        {"fewer grids", offsetof(struct gw_index_header, grid_count), 4, 1},
        {"origin", offsetof(struct gw_index_header, origin), 4, 0x7fffffff},
    };
    struct built built = build_kind(TEST_PARTITION, 5, NULL);
    unsigned char *bad = aligned_alloc(64, built.size);
    assert_non_null(bad);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct gw_grid_index index = {.grid_count = 4711};
        memcpy(bad, built.bytes, built.size);
        memcpy(bad + faults[i].offset, &faults[i].value, faults[i].bytes);
        if (gw_grid_index_open(bad, built.size, &index) != GW_ECORRUPT) {
            fail_msg("opened in spite of: %s", faults[i].what);
        }
        assert_int_equal(index.grid_count, 4711);
    }
    free(bad);
    drop(&built);
}

// Entries that point where they must not: back into themselves, to what is shared, out of bounds.
static void test_entry_faults(void **state) {
    (void)state;
    struct gw_grid_index_options options = {.leaf_edges_max = 1};
    struct built built = build_kind(TEST_FAN, 8, &options);
    struct gw_index_header header;
    memcpy(&header, built.bytes, sizeof(header));
    assert_true(header.sub_count > 0);
    uint32_t *table = (uint32_t *)(void *)(built.bytes + header.table_offset);
    uint32_t *subs = (uint32_t *)(void *)(built.bytes + header.sub_offset);
    const uint32_t sub = (uint32_t)GW_TAG_SUB << GW_TAG_SHIFT;
    const uint32_t pair = (uint32_t)GW_TAG_PAIR << GW_TAG_SHIFT;
    const uint32_t list = (uint32_t)GW_TAG_LIST << GW_TAG_SHIFT;
    const uint32_t entries[] = {sub | header.sub_count,          sub | GW_PAYLOAD_MASK,
                                header.grid_count + 1u,          pair | header.leaf_words,
                                list | header.leaf_words,        pair | (header.leaf_words - 1u),
                                list | (header.leaf_words - 1u), pair /* the leaf of nobody */};
    struct gw_grid_index index;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        uint32_t saved = table[0];
        table[0] = entries[i];
        assert_int_equal(gw_grid_index_open(built.bytes, built.size, &index), GW_ECORRUPT);
        table[0] = saved;
    }
    for (uint32_t i = 0; i < 16; i++) { // a sub table within itself
        uint32_t saved = subs[i];
        subs[i] = sub;
        assert_int_equal(gw_grid_index_open(built.bytes, built.size, &index), GW_ECORRUPT);
        subs[i] = saved;
    }
    assert_int_equal(gw_grid_index_open(built.bytes, built.size, &index), GW_OK);
    drop(&built);
}

// A leaf's entry that says wrongly whether there is one edge, for each leaf.
static void test_edge_bit_faults(void **state) {
    (void)state;
    struct built built = build_kind(TEST_FAN, 8, NULL);
    struct gw_index_header header;
    memcpy(&header, built.bytes, sizeof(header));
    uint32_t *table = (uint32_t *)(void *)(built.bytes + header.table_offset);
    uint32_t single = 0, other = 0, lists = 0;
    for (uint32_t i = 0; i < header.cols * header.rows; i++) {
        uint32_t tag = table[i] >> GW_TAG_SHIFT;
        if (tag != GW_TAG_PAIR && tag != GW_TAG_LIST) {
            continue;
        }
        lists += tag == GW_TAG_LIST;
        single += tag == GW_TAG_PAIR && (table[i] & GW_LEAF_ONE_EDGE) != 0;
        other += tag == GW_TAG_PAIR && (table[i] & GW_LEAF_ONE_EDGE) == 0;
        struct gw_grid_index index;
        table[i] ^= GW_LEAF_ONE_EDGE;
        assert_int_equal(gw_grid_index_open(built.bytes, built.size, &index), GW_ECORRUPT);
        table[i] ^= GW_LEAF_ONE_EDGE;
    }
    assert_true(single > 0 && other > 0 && lists > 0);
    drop(&built);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_input_same_bytes),
        cmocka_unit_test(test_position_independent),
        cmocka_unit_test(test_batches_of_every_size),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_header_faults),
        cmocka_unit_test(test_entry_faults),
        cmocka_unit_test(test_edge_bit_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
