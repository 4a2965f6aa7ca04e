// What comes too late: a file a byte at a time, publishing for a caller that has given up.
#include "services/api/testing.h"

#include "gridwarden/v1/edition.pb-c.h"
#include "services/base/clock.h"
#include "services/grids/editions.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UPLOAD "/gridwarden.v1.EditionService/Upload"
#define PUBLISH "/gridwarden.v1.EditionService/Publish"
#define LIST "/gridwarden.v1.GridService/ListEditions"
#define FILE_MAX 65536u

static struct api_bench it;
static struct gw_error error;

// The shard decides nothing before a test starts it.
static int set_up(void **state) {
    (void)state;
    it.upload_idle_ms = 500;
    api_bench_open(&it, NULL, NULL, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    gw_rpc_server_drain(it.server, 0); // so that nothing is half-way
    it.server = NULL;
    gw_api_destroy(it.api);
    it.api = NULL;
    bench_verify(&it.bench, NULL);
    api_bench_close(&it);
    return 0;
}

static struct gw_rpc_stream *open_upload(void) {
    struct gw_rpc_stream *stream = NULL;
    assert_int_equal(gw_rpc_stream_open(it.channel, UPLOAD, NULL,
                                        &gridwarden__v1__upload_response__descriptor, PATIENCE_MS,
                                        &stream, &error),
                     GW_OK);
    return stream;
}

static gw_err send_header(struct gw_rpc_stream *stream, uint64_t size, const char *hash,
                          struct gw_error *why) {
    Gridwarden__V1__UploadHeader header = GRIDWARDEN__V1__UPLOAD_HEADER__INIT;
    Gridwarden__V1__UploadRequest request = GRIDWARDEN__V1__UPLOAD_REQUEST__INIT;
    header.request_id = (char *)"upload";
    header.layer = (char *)GW_LAYER_RESPONSIBLE;
    header.content_hash = (char *)hash;
    header.number = 2;
    header.size = size;
    request.part_case = GRIDWARDEN__V1__UPLOAD_REQUEST__PART_HEADER;
    request.header = &header;
    return gw_rpc_stream_write(stream, &request.base, why);
}

static gw_err send_piece(struct gw_rpc_stream *stream, const void *bytes, size_t size,
                         struct gw_error *why) {
    Gridwarden__V1__UploadRequest request = GRIDWARDEN__V1__UPLOAD_REQUEST__INIT;
    request.part_case = GRIDWARDEN__V1__UPLOAD_REQUEST__PART_DATA;
    request.data.data = (uint8_t *)bytes;
    request.data.len = size;
    return gw_rpc_stream_write(stream, &request.base, why);
}

static gw_err finish(struct gw_rpc_stream *stream, struct gw_error *why) {
    ProtobufCMessage *message = NULL;
    gw_err err = gw_rpc_stream_finish(stream, &message, why);
    gw_rpc_stream_destroy(stream);
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return err;
}

static void look_at_the_list(void) {
    Gridwarden__V1__ListEditionsRequest request = GRIDWARDEN__V1__LIST_EDITIONS_REQUEST__INIT;
    ProtobufCMessage *message = NULL;
    assert_int_equal(api_bench_read(&it, LIST, &request.base,
                                    &gridwarden__v1__list_editions_response__descriptor, &message,
                                    &error),
                     GW_OK);
    protobuf_c_message_free_unpacked(message, NULL);
}

// A byte between two other calls is no reason to keep one of the few places.
static void test_a_dribbling_upload_is_ended(void **state) {
    (void)state;
    bool slow = false;
    for (int tries = 0; tries < 20 && !slow; tries++) { // on a busy machine it may fall silent
        struct gw_rpc_stream *stream = open_upload();
        gw_err err = send_header(stream, 50000, "0123456789abcdef0123456789abcdef", &error);
        while (err == GW_OK) {
            look_at_the_list();
            err = send_piece(stream, "x", 1, &error);
        }
        assert_int_equal(finish(stream, &error), GW_EDEADLINE);
        slow = strstr(error.text, "over a faster line") != NULL;
    }
    assert_true(slow);
}

// --- publishing ---

struct sending {
    unsigned char bytes[FILE_MAX];
    size_t size;
    char hash[33], path[600];
    gw_err err;
};

// Edition 2, taken away from its place again.
static void make(struct sending *sending) {
    const struct bench_edition kind = {.number = 2, .moved = 50000};
    struct gw_edition *edition = bench_write_edition(&it.bench, &kind);
    gw_edition_content_hash(edition, sending->hash);
    gw_edition_close(edition);
    assert_int_equal(gw_editions_path(it.bench.folder, GW_LAYER_RESPONSIBLE, 2, sending->path,
                                      sizeof(sending->path), &error),
                     GW_OK);
    FILE *file = fopen(sending->path, "rb");
    assert_non_null(file);
    sending->size = fread(sending->bytes, 1, FILE_MAX, file);
    assert_true(sending->size > 0 && sending->size < FILE_MAX);
    (void)fclose(file);
    assert_int_equal(unlink(sending->path), 0);
}

static void *upload(void *context) {
    struct sending *sending = context;
    struct gw_error why;
    struct gw_rpc_stream *stream = open_upload();
    sending->err = send_header(stream, sending->size, sending->hash, &why);
    if (sending->err == GW_OK) {
        sending->err = send_piece(stream, sending->bytes, sending->size, &why);
    }
    gw_err err = finish(stream, &why);
    sending->err = sending->err == GW_OK ? err : sending->err;
    return NULL;
}

static gw_err publish(const char *id, uint64_t number, int64_t timeout_ms) {
    Gridwarden__V1__PublishRequest request = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    ProtobufCMessage *message = NULL;
    request.request_id = (char *)id;
    request.layer = (char *)GW_LAYER_RESPONSIBLE;
    request.number = number;
    gw_err err =
        gw_rpc_unary(it.channel, PUBLISH, &request.base,
                     &gridwarden__v1__publish_response__descriptor, timeout_ms, &message, &error);
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return err;
}

// It waits for the upload before it, whose file lies in its place and is to be recorded.
static void test_nothing_is_published_for_a_caller_that_has_gone(void **state) {
    (void)state;
    static struct sending sending;
    pthread_t thread;
    make(&sending);
    assert_int_equal(pthread_create(&thread, NULL, upload, &sending), 0);
    int64_t begun_ns = gw_clock_monotonic_ns();
    while (access(sending.path, F_OK) != 0) {
        assert_true(gw_clock_monotonic_ns() - begun_ns < PATIENCE_MS * INT64_C(1000000));
        (void)sched_yield();
    }
    gw_err late = publish("late", 2, 100);
    assert_int_equal(gw_shard_start(it.bench.shard, &error), GW_OK); // else nothing could end
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sending.err, GW_OK);
    assert_int_equal(late, GW_EDEADLINE);
    assert_int_equal(publish("next", 9, PATIENCE_MS), GW_ENOTFOUND); // done after the late one
    assert_int_equal(bench_published(&it.bench), 1);
    assert_int_equal(publish("late", 2, PATIENCE_MS), GW_OK); // its id was not used
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_dribbling_upload_is_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_published_for_a_caller_that_has_gone,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
