// Every allocation fails once, in turn: the index stays as it was, and goes on when there is
// memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geo/worker_index.h"
#include "tests/support/random.h"
#include <string.h>

#define WORKERS 400u

static long calls_until_failure = -1; // -1: never

static bool fails(void) {
    return calls_until_failure >= 0 && calls_until_failure-- == 0;
}

// The linker sends the index's calls here (--wrap in BUILD).
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_realloc(void *old, size_t size) {
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

struct man {
    bool in;
    struct gw_point at;
};

static void assert_unchanged(const struct gw_worker_index *index, const struct man men[]) {
    assert_int_equal(gw_worker_index_check(index), GW_OK);
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct gw_point at;
        struct gw_worker_bits bits;
        assert_true(gw_worker_index_get(index, i, &at, &bits) == men[i].in);
        assert_true(!men[i].in || memcmp(&at, &men[i].at, sizeof(at)) == 0);
    }
}

// Puts and moves all; whatever fails is checked and tried again. Returns whether something failed.
static bool scenario(struct test_random random) {
    static struct man men[WORKERS];
    memset(men, 0, sizeof(men));
    bool failed = false;
    struct gw_worker_index *index = gw_worker_index_create();
    if (index == NULL) {
        failed = true;
        index = gw_worker_index_create();
        assert_non_null(index);
    }
    for (uint32_t i = 0; i < 2 * WORKERS; i++) {
        uint32_t worker = i * 7 % WORKERS;
        struct gw_point at = {(int32_t)test_random_range(&random, 0, 3000000),
                              (int32_t)test_random_range(&random, 0, 1000)};
        struct gw_worker_bits bits = {0, 0, 0};
        gw_err err = gw_worker_index_put(index, worker, at, bits);
        if (err != GW_OK) {
            assert_int_equal(err, GW_ENOMEM);
            assert_unchanged(index, men);
            failed = true;
            assert_int_equal(gw_worker_index_put(index, worker, at, bits), GW_OK);
        }
        men[worker] = (struct man){true, at};
    }
    assert_unchanged(index, men);
    gw_worker_index_destroy(index);
    return failed;
}

static void test_each_allocation_fails_once(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("worker index memory", 6);
    long nth = 0;
    do {
        calls_until_failure = nth++;
    } while (scenario(random) && nth < 1000);
    assert_true(nth > 10 && nth < 1000); // it did fail in many places, and then no more
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation_fails_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
