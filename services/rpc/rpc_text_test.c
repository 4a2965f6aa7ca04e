// Addresses, trace ids, UTF-8 and the arena: what needs no server.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gridwarden/v1/types.pb-c.h"
#include "gridwarden/v1/worker.pb-c.h"
#include "services/rpc/address.h"
#include "services/rpc/arena.h"
#include "services/rpc/library.h"
#include "services/rpc/message.h"
#include "services/rpc/strict.h"
#include "services/rpc/trace.h"
#include "tests/support/random.h"
#include <string.h>

// --- addresses ---

static void local_addresses_are_taken(void **state) {
    (void)state;
    static const struct {
        const char *text, *bind;
        uint16_t port;
        bool is_unix;
    } rows[] = {
        {"127.0.0.1:7600", "127.0.0.1:7600", 7600, false},
        {"127.0.0.1:0", "127.0.0.1:0", 0, false},
        {"127.255.3.9:65535", "127.255.3.9:65535", 65535, false},
        {"localhost:80", "127.0.0.1:80", 80, false},
        {"[::1]:7600", "[::1]:7600", 7600, false},
        {"[0:0:0:0:0:0:0:1]:1", "[::1]:1", 1, false},
        {"unix:/tmp/x.sock", "unix:/tmp/x.sock", 0, true},
        {"unix:/网格/套接字", "unix:/网格/套接字", 0, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_rpc_address address;
        struct gw_error error = {0};
        assert_int_equal(gw_rpc_address_parse(rows[i].text, &address, &error), GW_OK);
        assert_string_equal(address.bind, rows[i].bind);
        assert_int_equal(address.loopback.port, rows[i].port);
        assert_int_equal(address.is_unix, rows[i].is_unix);
        if (rows[i].is_unix) {
            assert_string_equal(address.path, rows[i].text + 5);
        }
    }
}

static void other_addresses_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "no listen address"},
        {"127.0.0.1", "host:port"},
        {":7600", "other machines"},
        {"0.0.0.0:7600", "TLS"},
        {"[::]:7600", "other machines"},
        {"10.0.0.5:7600", "unix:/path"},
        {"128.0.0.1:7600", "other machines"},
        {"127.1:7600", "other machines"},
        {"127.0.0.1.example.com:7600", "other machines"},
        {"::1:7600", "other machines"},
        {"[::1:7600", "other machines"},
        {"[::2]:7600", "other machines"},
        {"localhost.:7600", "other machines"},
        {"127.0.0.1:65536", "65535"},
        {"127.0.0.1:-1", "65535"},
        {"127.0.0.1:+1", "65535"},
        {"127.0.0.1: 1", "65535"},
        {"127.0.0.1:", "65535"},
        {"127.0.0.1:000001", "65535"},
        {"unix:", "absolute path"},
        {"unix:relative.sock", "absolute path"},
        {"unix:/", "absolute path"},
        {"unix:/tmp/", "absolute path"},
        {"unix-abstract:x", "host:port"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_rpc_address address = {.loopback = {.port = 77}};
        struct gw_error error = {0};
        assert_int_equal(gw_rpc_address_parse(rows[i].text, &address, &error), GW_EINVAL);
        assert_non_null(strstr(error.text, rows[i].says));
        assert_int_equal(address.loopback.port, 77);
    }
    struct gw_rpc_address address;
    assert_int_equal(gw_rpc_address_parse(NULL, &address, NULL), GW_EINVAL);
}

static void unix_paths_have_a_longest(void **state) {
    (void)state;
    for (size_t length = 105; length <= 110; length++) {
        char text[128] = "unix:/";
        memset(text + 6, 'a', length - 1);
        text[5 + length] = '\0';
        struct gw_rpc_address address;
        gw_err err = gw_rpc_address_parse(text, &address, NULL);
        assert_int_equal(err, length < GW_RPC_UNIX_PATH_MAX ? GW_OK : GW_EINVAL);
    }
}

// --- trace ids ---

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void trace_ids_are_read_strictly(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"00-" ID "-" PARENT "-01", true},
        {"00-" ID "-" PARENT "-ff", true},
        {"cc-" ID "-" PARENT "-01", true},
        {"cc-" ID "-" PARENT "-01-what-comes-later", true},
        {"cc-" ID "-" PARENT "-01x", false},
        {"00-" ID "-" PARENT "-01-more", false},
        {"00-" ID "-" PARENT "-01 ", false},
        {"00-" ID "-" PARENT "-0", false},
        {"ff-" ID "-" PARENT "-01", false},
        {"0-" ID "-" PARENT "-01", false},
        {"00_" ID "-" PARENT "-01", false},
        {"00-" ID "_" PARENT "-01", false},
        {"00-" ID "-" PARENT "_01", false},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", false},
        {"00-4bf92f3577b34da6a3ce929d0e0e473g-" PARENT "-01", false},
        {"00-00000000000000000000000000000000-" PARENT "-01", false},
        {"00-" ID "-0000000000000000-01", false},
        {"00-" ID "-" PARENT "-0g", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char id[GW_RPC_TRACE_ID_SIZE] = "untouched";
        assert_int_equal(gw_rpc_trace_parse(rows[i].text, strlen(rows[i].text), id), rows[i].valid);
        assert_string_equal(id, rows[i].valid ? ID : "untouched");
    }
}

static void trace_ids_are_written(void **state) {
    (void)state;
    char id[GW_RPC_TRACE_ID_SIZE];
    gw_rpc_trace_format((const uint8_t[16]){0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3,
                                            0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36},
                        id);
    assert_string_equal(id, ID);
    gw_rpc_trace_format((const uint8_t[16]){0}, id);
    assert_string_equal(id, "00000000000000000000000000000001");
}

// --- UTF-8 ---

static void utf8_is_well_formed_or_not(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"", true},
        {"grid", true},
        {"\xe7\xbd\x91\xe6\xa0\xbc", true}, // 网格
        {"\xf0\xa0\xae\xb7", true},         // U+20BB7
        {"\xf4\x8f\xbf\xbf", true},         // U+10FFFF
        {"\xed\x9f\xbf", true},             // U+D7FF
        {"\xf4\x90\x80\x80", false},        // past the last
        {"\xed\xa0\x80", false},            // a surrogate
        {"\xc0\x80", false},                // longer than needed
        {"\xe0\x9f\xbf", false},            // longer than needed
        {"\xf0\x8f\xbf\xbf", false},        // longer than needed
        {"\x80", false},
        {"\xff", false},
        {"\xe7\xbd", false},
        {"\xe7\xbd"
         "x",
         false},
        {"a\xc3", false},
        {"\xcd\xf8\xb8\xf1", false}, // 网格 in GBK
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(gw_rpc_utf8_valid(rows[i].text, strlen(rows[i].text)), rows[i].valid);
    }
}

static void faults_are_found_inside(void **state) {
    (void)state;
    Gridwarden__V1__Worker workers[2] = {GRIDWARDEN__V1__WORKER__INIT,
                                         GRIDWARDEN__V1__WORKER__INIT};
    Gridwarden__V1__Worker *list[2] = {&workers[0], &workers[1]};
    char *skills[2] = {"electricity", "水"};
    Gridwarden__V1__UpsertWorkersRequest request = GRIDWARDEN__V1__UPSERT_WORKERS_REQUEST__INIT;
    request.workers = list;
    request.n_workers = 2;
    workers[1].skills = skills;
    workers[1].n_skills = 2;
    const char *field = NULL;
    assert_null(gw_rpc_strict_fault(&request.base, &field));
    skills[1] = "\xcb\xaewater\xcb";
    assert_string_equal(gw_rpc_strict_fault(&request.base, &field), "is not valid UTF-8");
    assert_string_equal(field, "skills");
    skills[1] = "";
    workers[0].name = "\xff";
    assert_string_equal(gw_rpc_strict_fault(&request.base, &field), "is not valid UTF-8");
    assert_string_equal(field, "name");
    workers[0].name = "";
    uint8_t byte = 1;
    ProtobufCMessageUnknownField unknown = {
        .tag = 9, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = 1, .data = &byte};
    workers[1].base.n_unknown_fields = 1;
    workers[1].base.unknown_fields = &unknown;
    assert_null(gw_rpc_strict_fault(&request.base, &field)); // of a newer client
    unknown.tag = 0;
    assert_non_null(strstr(gw_rpc_strict_fault(&request.base, &field), "number"));
    unknown.tag = 536870912;
    assert_non_null(strstr(gw_rpc_strict_fault(&request.base, &field), "number"));
}

// --- the arena ---

static void the_arena_keeps_its_cap(void **state) {
    (void)state;
    struct test_random random = test_random_seeded("arena", 7);
    for (int round = 0; round < 200; round++) {
        size_t cap = (size_t)test_random_range(&random, 0, 300000);
        struct gw_rpc_arena arena;
        gw_rpc_arena_init(&arena, cap);
        size_t total = 0;
        for (int i = 0; i < 200 && !arena.failed; i++) {
            size_t size = (size_t)test_random_range(&random, 0, 4000);
            unsigned char *memory = gw_rpc_arena_alloc(&arena, size);
            assert_int_equal(memory == NULL, arena.failed);
            if (memory != NULL) {
                assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
                memset(memory, i, size); // the sanitizer watches the ends
                total += size;
            }
        }
        assert_true(total <= cap);
        gw_rpc_arena_reset(&arena);
        assert_null(arena.blocks);
    }
}

static grpc_slice slice_of(const void *bytes, size_t size) {
    return grpc_slice_from_copied_buffer(bytes, size);
}

// 2 bytes of wire make a Worker of over 100: the cap stops it, the message's size does not.
static void small_bytes_cannot_ask_for_much(void **state) {
    (void)state;
    gw_rpc_library_start();
    size_t size = 200000;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i += 2) {
        bytes[i] = 0x12; // workers: empty
        bytes[i + 1] = 0;
    }
    grpc_slice slice = slice_of(bytes, size);
    for (size_t cap = 0; cap <= 64u << 20; cap = cap * 2 + 1000) {
        struct gw_rpc_arena arena;
        gw_rpc_arena_init(&arena, cap);
        ProtobufCMessage *message = NULL;
        struct gw_error error = {0};
        gw_err err = gw_rpc_message_unpack(&gridwarden__v1__upsert_workers_request__descriptor,
                                           &slice, &arena, &message, &error);
        if (cap < 8u << 20) {
            assert_int_equal(err, GW_ENOSPC);
            assert_non_null(strstr(error.text, "send less"));
            assert_true(arena.total <= cap + 16);
        } else if (err == GW_OK) {
            assert_int_equal(((Gridwarden__V1__UpsertWorkersRequest *)message)->n_workers,
                             size / 2);
        }
        gw_rpc_arena_reset(&arena);
    }
    grpc_slice_unref(slice);
    free(bytes);
}

static void messages_keep_their_limits(void **state) {
    (void)state;
    gw_rpc_library_start();
    Gridwarden__V1__Area area = GRIDWARDEN__V1__AREA__INIT;
    area.name = "0123456789";
    size_t size = gridwarden__v1__area__get_packed_size(&area);
    struct gw_error error = {0};
    grpc_byte_buffer *buffer = NULL;
    assert_int_equal(gw_rpc_message_pack(&area.base, size - 1, &buffer, &error), GW_EINTERNAL);
    assert_null(buffer);
    assert_int_equal(gw_rpc_message_pack(&area.base, size, &buffer, &error), GW_OK);
    grpc_slice slice;
    assert_int_equal(gw_rpc_message_join(buffer, size - 1, &slice, &error), GW_ENOSPC);
    assert_int_equal(gw_rpc_message_join(buffer, size, &slice, &error), GW_OK);
    ProtobufCMessage *message = NULL;
    assert_int_equal(
        gw_rpc_message_unpack(&gridwarden__v1__area__descriptor, &slice, NULL, &message, &error),
        GW_OK);
    assert_string_equal(((Gridwarden__V1__Area *)message)->name, "0123456789");
    protobuf_c_message_free_unpacked(message, NULL);
    grpc_slice_unref(slice);
    grpc_byte_buffer_destroy(buffer);
    grpc_slice zipped = slice_of("x", 1);
    buffer = grpc_raw_compressed_byte_buffer_create(&zipped, 1, GRPC_COMPRESS_GZIP);
    assert_int_equal(gw_rpc_message_join(buffer, 100, &slice, &error), GW_EUNSUPPORTED);
    grpc_byte_buffer_destroy(buffer);
    grpc_slice_unref(zipped);
}

// Damage anywhere in a message never gives more than an error.
static void damaged_bytes_are_an_error(void **state) {
    (void)state;
    gw_rpc_library_start();
    struct test_random random = test_random_seeded("damage", 11);
    Gridwarden__V1__Area area = GRIDWARDEN__V1__AREA__INIT;
    area.code = "211202";
    area.name = "银州区";
    area.level = 3;
    uint8_t bytes[64];
    size_t size = gridwarden__v1__area__pack(&area, bytes);
    int refused = 0;
    for (int round = 0; round < 5000; round++) {
        uint8_t damaged[64];
        memcpy(damaged, bytes, size);
        size_t cut = (size_t)test_random_range(&random, 0, (int64_t)size);
        size_t at = (size_t)test_random_range(&random, 0, (int64_t)size - 1);
        damaged[at] ^= (uint8_t)test_random_range(&random, 1, 255);
        grpc_slice slice = slice_of(damaged, cut);
        struct gw_rpc_arena arena;
        gw_rpc_arena_init(&arena, 65536);
        ProtobufCMessage *message = NULL;
        struct gw_error error = {0};
        gw_err err = gw_rpc_message_unpack(&gridwarden__v1__area__descriptor, &slice, &arena,
                                           &message, &error);
        assert_true(err == GW_OK || err == GW_EINVAL);
        refused += err == GW_EINVAL;
        if (err == GW_OK) {
            const char *name = ((Gridwarden__V1__Area *)message)->name;
            assert_true(gw_rpc_utf8_valid(name, strlen(name)));
        } else {
            assert_null(message);
            assert_true(strlen(error.text) > 0);
        }
        gw_rpc_arena_reset(&arena);
        grpc_slice_unref(slice);
    }
    assert_in_range(refused, 1000, 5000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_addresses_are_taken),
        cmocka_unit_test(other_addresses_are_refused),
        cmocka_unit_test(unix_paths_have_a_longest),
        cmocka_unit_test(trace_ids_are_read_strictly),
        cmocka_unit_test(trace_ids_are_written),
        cmocka_unit_test(utf8_is_well_formed_or_not),
        cmocka_unit_test(faults_are_found_inside),
        cmocka_unit_test(the_arena_keeps_its_cap),
        cmocka_unit_test(small_bytes_cannot_ask_for_much),
        cmocka_unit_test(messages_keep_their_limits),
        cmocka_unit_test(damaged_bytes_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
