// Editions over the wire: uploads that are whole, broken, late, too many; publishing under load.
#include "services/api/testing.h"

#include "gridwarden/v1/edition.pb-c.h"
#include "services/base/clock.h"
#include "services/grids/editions.h"
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UPLOAD "/gridwarden.v1.EditionService/Upload"
#define PUBLISH "/gridwarden.v1.EditionService/Publish"
#define LOCATE "/gridwarden.v1.GridService/Locate"
#define GET_GRID "/gridwarden.v1.GridService/GetGrid"

static struct api_bench it;
static struct gw_error error;

static void release(void *message) {
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

static int set_up(void **state) {
    (void)state;
    it.upload_idle_ms = 0;
    api_bench_open(&it, NULL, NULL, 0);
    assert_int_equal(gw_shard_start(it.bench.shard, &error), GW_OK);
    return 0;
}

static atomic_uint ended_uploads;

static void note_end(void *context, const struct gw_rpc_finished *finished) {
    (void)context;
    (void)atomic_fetch_add(&ended_uploads, strcmp(finished->method->path, UPLOAD) == 0);
}

static int set_up_impatient(void **state) {
    (void)state;
    static const struct gw_rpc_server_options options = {.loops = 2, .observer = {note_end, NULL}};
    atomic_store(&ended_uploads, 0);
    it.upload_idle_ms = 40;
    api_bench_open(&it, NULL, &options, 0);
    assert_int_equal(gw_shard_start(it.bench.shard, &error), GW_OK);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    if (it.server != NULL) { // so that nothing is half-way
        gw_rpc_server_drain(it.server, 0);
        it.server = NULL;
    }
    gw_api_destroy(it.api);
    it.api = NULL;
    bench_verify(&it.bench, NULL);
    api_bench_close(&it);
    return 0;
}

// --- files to send ---

struct sending {
    unsigned char *bytes;
    size_t size;
    char hash[33];
    Gridwarden__V1__UploadHeader header;
};

// Makes the file beside the folder's own, and takes it away again.
static struct sending make(uint64_t number, int32_t moved) {
    struct sending sending = {.size = 0};
    struct bench_edition kind = {.number = number, .moved = moved};
    char path[600];
    struct gw_edition *edition = bench_write_edition(&it.bench, &kind);
    gw_edition_content_hash(edition, sending.hash);
    gw_edition_close(edition);
    assert_int_equal(
        gw_editions_path(it.bench.folder, GW_LAYER_RESPONSIBLE, number, path, sizeof(path), &error),
        GW_OK);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    sending.size = (size_t)ftell(file);
    sending.bytes = malloc(sending.size + 1);
    rewind(file);
    assert_int_equal(fread(sending.bytes, 1, sending.size, file), sending.size);
    (void)fclose(file);
    assert_int_equal(unlink(path), 0);
    gridwarden__v1__upload_header__init(&sending.header);
    sending.header.request_id = (char *)"upload";
    sending.header.layer = (char *)GW_LAYER_RESPONSIBLE;
    sending.header.number = number;
    sending.header.size = sending.size;
    return sending;
}

static struct gw_rpc_stream *open_upload(void) {
    struct gw_rpc_stream *stream = NULL;
    assert_int_equal(gw_rpc_stream_open(it.channel, UPLOAD, NULL,
                                        &gridwarden__v1__upload_response__descriptor, PATIENCE_MS,
                                        &stream, &error),
                     GW_OK);
    return stream;
}

static gw_err send_header(struct gw_rpc_stream *stream, struct sending *sending) {
    Gridwarden__V1__UploadRequest request = GRIDWARDEN__V1__UPLOAD_REQUEST__INIT;
    if (sending->header.content_hash[0] == '\0') {
        sending->header.content_hash = sending->hash;
    }
    request.part_case = GRIDWARDEN__V1__UPLOAD_REQUEST__PART_HEADER;
    request.header = &sending->header;
    return gw_rpc_stream_write(stream, &request.base, &error);
}

static gw_err send_piece(struct gw_rpc_stream *stream, const void *bytes, size_t size) {
    Gridwarden__V1__UploadRequest request = GRIDWARDEN__V1__UPLOAD_REQUEST__INIT;
    request.part_case = GRIDWARDEN__V1__UPLOAD_REQUEST__PART_DATA;
    request.data.data = (uint8_t *)bytes;
    request.data.len = size;
    return gw_rpc_stream_write(stream, &request.base, &error);
}

// The end of a stream, also of one that the server has answered before. `response` may be NULL.
static gw_err finish(struct gw_rpc_stream *stream, Gridwarden__V1__UploadResponse **response) {
    ProtobufCMessage *message = NULL;
    gw_err err = gw_rpc_stream_finish(stream, &message, &error);
    gw_rpc_stream_destroy(stream);
    if (response != NULL) {
        *response = (Gridwarden__V1__UploadResponse *)message;
    } else {
        release(message);
    }
    return err;
}

static gw_err upload(struct sending *sending, Gridwarden__V1__UploadResponse **response) {
    struct gw_rpc_stream *stream = open_upload();
    gw_err err = send_header(stream, sending);
    for (size_t at = 0; err == GW_OK && at < sending->size; at += 1000) {
        size_t size = sending->size - at < 1000 ? sending->size - at : 1000;
        err = send_piece(stream, sending->bytes + at, size);
    }
    return finish(stream, response);
}

static gw_err publish(const char *id, uint64_t number, Gridwarden__V1__PublishResponse **response) {
    Gridwarden__V1__PublishRequest request = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    ProtobufCMessage *message = NULL;
    request.request_id = (char *)id;
    request.layer = (char *)GW_LAYER_RESPONSIBLE;
    request.number = number;
    gw_err err =
        gw_rpc_unary(it.channel, PUBLISH, &request.base,
                     &gridwarden__v1__publish_response__descriptor, PATIENCE_MS, &message, &error);
    if (response != NULL) {
        *response = (Gridwarden__V1__PublishResponse *)message;
    } else {
        release(message);
    }
    return err;
}

// Files in the folder of editions.
static int file_count(void) {
    char path[600];
    int count = 0;
    (void)snprintf(path, sizeof(path), "%s/editions", it.bench.folder);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    return count;
}

static void await_files(int count) {
    int64_t begun_ns = gw_clock_monotonic_ns();
    while (file_count() != count) {
        assert_true(gw_clock_monotonic_ns() - begun_ns < PATIENCE_MS * INT64_C(1000000));
        (void)sched_yield();
    }
}

static void expect_refused(gw_err err, gw_err code, const char *words) {
    if (err != code || strstr(error.text, words) == NULL) {
        fail_msg("%s: %s, not %s", gw_err_text(err), error.text, words);
    }
    await_files(1); // that of edition 1
}

// --- what goes well ---

static void locate(double longitude, char grid[64], uint64_t *edition) {
    Gridwarden__V1__LocateRequest request = GRIDWARDEN__V1__LOCATE_REQUEST__INIT;
    Gridwarden__V1__Point point = bench_point(0, 0);
    Gridwarden__V1__LocateResponse *response = NULL;
    point.longitude = longitude;
    request.point = &point;
    assert_int_equal(api_bench_read(&it, LOCATE, &request.base,
                                    &gridwarden__v1__locate_response__descriptor, &response,
                                    &error),
                     GW_OK);
    (void)snprintf(grid, 64, "%s", response->grid != NULL ? response->grid->code : "");
    *edition = response->edition->number;
    release(response);
}

static void test_an_upload_is_staged_and_published(void **state) {
    (void)state;
    struct sending sending = make(2, 50000);
    Gridwarden__V1__UploadResponse *staged = NULL;
    Gridwarden__V1__PublishResponse *published = NULL;
    char grid[64];
    uint64_t edition = 0;
    assert_int_equal(upload(&sending, &staged), GW_OK);
    assert_int_equal(staged->edition->state, GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_STAGED);
    assert_int_equal(staged->edition->ref->number, 2);
    assert_int_equal(staged->edition->grid_count, 6);
    assert_int_equal(staged->edition->vertex_count, 24);
    assert_int_equal(staged->edition->created_ms, BENCH_NOW);
    assert_string_equal(staged->edition->content_hash, sending.hash);
    assert_string_equal(staged->edition->label, "SYNTHETIC");
    assert_int_equal(file_count(), 2);
    locate(124.012, grid, &edition);
    assert_string_equal(grid, BENCH_A2);
    assert_int_equal(edition, 1);
    assert_int_equal(publish("p", 2, &published), GW_OK);
    assert_int_equal(published->edition->state,
                     GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED);
    assert_true(published->edition->published_ms > 0);
    locate(124.012, grid, &edition);
    assert_string_equal(grid, BENCH_A1);
    assert_int_equal(edition, 2);
    assert_int_equal(publish("q", 1, NULL), GW_OK);
    locate(124.012, grid, &edition);
    assert_string_equal(grid, BENCH_A2);
    assert_int_equal(edition, 1);
    release(staged);
    release(published);
    free(sending.bytes);
}

// The retry is answered when its header has come; other bytes under the id are refused.
static void test_a_retry_gets_the_first_answer(void **state) {
    (void)state;
    struct sending sending = make(2, 50000), other = make(3, 1000);
    Gridwarden__V1__UploadResponse *first = NULL, *second = NULL;
    assert_int_equal(upload(&sending, &first), GW_OK);
    assert_int_equal(upload(&sending, &second), GW_OK);
    assert_int_equal(second->edition->ref->number, 2);
    assert_string_equal(first->edition->content_hash, second->edition->content_hash);
    struct gw_rpc_stream *stream = open_upload(); // also without a single byte of the file
    assert_int_equal(send_header(stream, &sending), GW_OK);
    assert_int_equal(finish(stream, NULL), GW_OK);
    assert_int_equal(upload(&other, NULL), GW_EEXISTS); // the same id
    await_files(2);
    other.header.request_id = (char *)"other";
    assert_int_equal(upload(&other, NULL), GW_OK);
    assert_int_equal(file_count(), 3);
    assert_int_equal(publish("p", 3, NULL), GW_OK);
    assert_int_equal(publish("p", 3, NULL), GW_OK);
    assert_int_equal(publish("q", 3, NULL), GW_ESTATE);
    assert_int_equal(publish("p", 2, NULL), GW_EEXISTS);
    release(first);
    release(second);
    free(sending.bytes);
    free(other.bytes);
}

// --- what does not ---

static void test_broken_uploads_are_refused(void **state) {
    (void)state;
    struct sending sending = make(2, 50000);
    size_t size = sending.size;
    sending.size--;
    expect_refused(upload(&sending, NULL), GW_EINVAL, "send the whole file");
    sending.size = size + 1;
    sending.bytes[size] = 0;
    expect_refused(upload(&sending, NULL), GW_EINVAL, "more bytes have come");
    sending.size = size;
    sending.bytes[size / 2] ^= 1;
    expect_refused(upload(&sending, NULL), GW_EINVAL, "checksum");
    sending.bytes[size / 2] ^= 1;
    sending.header.content_hash = (char *)"00000000000000000000000000000000";
    expect_refused(upload(&sending, NULL), GW_EINVAL, "content_hash");
    sending.header.content_hash = sending.hash;
    sending.header.number = 3;
    expect_refused(upload(&sending, NULL), GW_ESTATE, "the next number is 2");
    sending.header.number = 1;
    expect_refused(upload(&sending, NULL), GW_ESTATE, "is there already");
    sending.header.number = 2;
    sending.header.layer = (char *)"Grid";
    expect_refused(upload(&sending, NULL), GW_EINVAL, "layer");
    sending.header.layer = (char *)"police"; // whose next number is 1
    expect_refused(upload(&sending, NULL), GW_ESTATE, "the next number is 1");
    sending.header.layer = (char *)GW_LAYER_RESPONSIBLE;
    sending.header.request_id = (char *)"";
    expect_refused(upload(&sending, NULL), GW_EINVAL, "request_id");
    sending.header.request_id = (char *)"upload";
    sending.header.size = UINT64_MAX;
    expect_refused(upload(&sending, NULL), GW_ENOSPC, "limit");
    sending.header.size = size;
    memset(sending.bytes, 'x', size);
    expect_refused(upload(&sending, NULL), GW_EINVAL, "does not begin like an edition");
    free(sending.bytes);
    assert_int_equal(bench_published(&it.bench), 1);
}

static void test_the_protocol_is_kept(void **state) {
    (void)state;
    struct sending sending = make(2, 50000);
    unsigned char *large = calloc(1, (1u << 20) + 1u);
    assert_non_null(large);
    expect_refused(finish(open_upload(), NULL), GW_EINVAL, "nothing has come");
    struct gw_rpc_stream *stream = open_upload();
    (void)send_piece(stream, sending.bytes, 10);
    expect_refused(finish(stream, NULL), GW_EINVAL, "first message must be the header");
    stream = open_upload();
    (void)send_header(stream, &sending);
    (void)send_header(stream, &sending);
    expect_refused(finish(stream, NULL), GW_EINVAL, "header has come twice");
    stream = open_upload();
    (void)send_header(stream, &sending);
    (void)send_piece(stream, sending.bytes, 0);
    expect_refused(finish(stream, NULL), GW_EINVAL, "1 to 1048576 bytes");
    sending.header.size = 4u << 20;
    stream = open_upload();
    (void)send_header(stream, &sending);
    (void)send_piece(stream, large, (1u << 20) + 1u);
    expect_refused(finish(stream, NULL), GW_EINVAL, "1 to 1048576 bytes");
    stream = open_upload();
    (void)send_header(stream, &sending);
    (void)send_piece(stream, large, 1u << 20);
    expect_refused(finish(stream, NULL), GW_EINVAL, "1048576 bytes have come");
    Gridwarden__V1__UploadRequest nothing = GRIDWARDEN__V1__UPLOAD_REQUEST__INIT;
    stream = open_upload();
    assert_int_equal(gw_rpc_stream_write(stream, &nothing.base, &error), GW_OK);
    expect_refused(finish(stream, NULL), GW_EINVAL, "first message must be the header");
    sending.header.size = sending.size;
    assert_int_equal(upload(&sending, NULL), GW_OK); // none of that is in the way
    free(sending.bytes);
    free(large);
}

static void test_a_client_that_goes_away_leaves_nothing(void **state) {
    (void)state;
    struct sending sending = make(2, 50000);
    for (int messages = 0; messages < 3; messages++) {
        struct gw_rpc_stream *stream = open_upload();
        if (messages > 0) {
            assert_int_equal(send_header(stream, &sending), GW_OK);
            await_files(2);
        }
        if (messages > 1) {
            assert_int_equal(send_piece(stream, sending.bytes, sending.size / 2), GW_OK);
        }
        gw_rpc_stream_destroy(stream);
        await_files(1);
    }
    assert_int_equal(upload(&sending, NULL), GW_OK);
    free(sending.bytes);
}

static void test_uploads_are_bounded(void **state) {
    (void)state;
    enum { MOST = 4 };
    struct sending sending = make(2, 50000);
    struct gw_rpc_stream *streams[MOST];
    for (int i = 0; i < MOST; i++) {
        streams[i] = open_upload();
        assert_int_equal(send_header(streams[i], &sending), GW_OK);
        await_files(2 + i);
    }
    assert_int_equal(finish(open_upload(), NULL), GW_ENOSPC);
    assert_non_null(strstr(error.text, "4 uploads"));
    // One of them wins; to the others the number is taken, or it is a retry of the same.
    for (int i = 0; i < MOST; i++) {
        assert_int_equal(send_piece(streams[i], sending.bytes, sending.size), GW_OK);
    }
    for (int i = 0; i < MOST; i++) {
        assert_int_equal(finish(streams[i], NULL), GW_OK);
    }
    await_files(2);
    free(sending.bytes);
}

static void test_of_two_for_one_number_one_wins(void **state) {
    (void)state;
    struct sending one = make(2, 50000), other = make(2, -50000);
    Gridwarden__V1__UploadResponse *response = NULL;
    other.header.request_id = (char *)"other";
    struct gw_rpc_stream *first = open_upload(), *second = open_upload();
    assert_int_equal(send_header(first, &one), GW_OK);
    await_files(2);
    assert_int_equal(send_header(second, &other), GW_OK);
    await_files(3);
    assert_int_equal(send_piece(second, other.bytes, other.size), GW_OK);
    assert_int_equal(send_piece(first, one.bytes, one.size), GW_OK);
    assert_int_equal(finish(second, &response), GW_OK);
    assert_string_equal(response->edition->content_hash, other.hash);
    assert_int_equal(finish(first, NULL), GW_ESTATE);
    assert_non_null(strstr(error.text, "is there already: import it again as number 3"));
    await_files(2);
    assert_int_equal(publish("p", 2, NULL), GW_OK); // its file is its own
    release(response);
    free(one.bytes);
    free(other.bytes);
}

static void test_a_silent_upload_is_ended(void **state) {
    (void)state;
    struct sending sending = make(2, 50000);
    struct gw_rpc_stream *stream = open_upload();
    assert_int_equal(send_header(stream, &sending), GW_OK);
    int64_t begun_ns = gw_clock_monotonic_ns();
    while (atomic_load(&ended_uploads) == 0) {
        assert_true(gw_clock_monotonic_ns() - begun_ns < PATIENCE_MS * INT64_C(1000000));
        (void)sched_yield();
    }
    assert_int_equal(finish(stream, NULL), GW_EDEADLINE);
    assert_non_null(strstr(error.text, "upload again"));
    await_files(1);
    free(sending.bytes);
}

static void test_what_cannot_be_published(void **state) {
    (void)state;
    char path[600];
    struct sending sending = make(2, 50000);
    assert_int_equal(publish("a", 2, NULL), GW_ENOTFOUND);
    assert_int_equal(publish("b", 1, NULL), GW_ESTATE);
    assert_int_equal(publish("", 1, NULL), GW_EINVAL);
    assert_int_equal(upload(&sending, NULL), GW_OK);
    assert_int_equal(
        gw_editions_path(it.bench.folder, GW_LAYER_RESPONSIBLE, 2, path, sizeof(path), &error),
        GW_OK);
    FILE *file = fopen(path, "r+b"); // somebody damages it on the disk
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)sending.size / 2, SEEK_SET), 0);
    assert_int_equal(fputc(sending.bytes[sending.size / 2] ^ 1, file),
                     sending.bytes[sending.size / 2] ^ 1);
    (void)fclose(file);
    assert_int_equal(publish("c", 2, NULL), GW_ECORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(publish("c", 2, NULL), GW_ECORRUPT);
    assert_non_null(strstr(error.text, "missing"));
    assert_int_equal(bench_published(&it.bench), 1);
    free(sending.bytes);
}

// --- under load ---

struct asking {
    struct gw_rpc_channel *channel;
    atomic_bool over;
    atomic_uint answers, torn;
};

// Edition 1's border lies at 124.01, that of 2 at 124.015.
static bool is_whole(const Gridwarden__V1__LocateResponse *answer, double longitude) {
    double border = answer->edition->number == 1 ? 124.01 : 124.015;
    return answer->grid != NULL &&
           strcmp(answer->grid->code, longitude < border ? BENCH_A1 : BENCH_A2) == 0;
}

static void *ask(void *context) {
    struct asking *asking = context;
    for (uint32_t i = 0; !atomic_load(&asking->over); i++) {
        Gridwarden__V1__LocateRequest request = GRIDWARDEN__V1__LOCATE_REQUEST__INIT;
        Gridwarden__V1__Point point = bench_point(0, 0);
        ProtobufCMessage *answer = NULL;
        point.longitude = 124.0085 + i % 8 * 0.001;
        request.point = &point;
        gw_err err =
            gw_rpc_unary(asking->channel, LOCATE, &request.base,
                         &gridwarden__v1__locate_response__descriptor, PATIENCE_MS, &answer, NULL);
        bool torn = err != GW_OK ||
                    !is_whole((const Gridwarden__V1__LocateResponse *)answer, point.longitude);
        (void)atomic_fetch_add(&asking->torn, torn);
        (void)atomic_fetch_add(&asking->answers, 1u);
        release(answer);
    }
    return NULL;
}

static void test_each_answer_is_of_one_edition(void **state) {
    (void)state;
    enum { ROUNDS = 30 };
    struct sending sending = make(2, 50000);
    struct asking asking = {.channel = NULL};
    char target[64], id[16];
    pthread_t thread;
    assert_int_equal(upload(&sending, NULL), GW_OK);
    (void)snprintf(target, sizeof(target), "127.0.0.1:%d", gw_rpc_server_port(it.server));
    assert_int_equal(gw_rpc_channel_create(target, &asking.channel, &error), GW_OK);
    assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
    for (int i = 0; i < ROUNDS; i++) {
        unsigned answered = atomic_load(&asking.answers);
        (void)snprintf(id, sizeof(id), "p-%d", i);
        assert_int_equal(publish(id, i % 2 == 0 ? 2 : 1, NULL), GW_OK);
        while (atomic_load(&asking.answers) == answered) {
            (void)sched_yield();
        }
    }
    atomic_store(&asking.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&asking.torn), 0);
    gw_rpc_channel_destroy(asking.channel);
    free(sending.bytes);
}

// --- watches ---

static void report(const char *request_id) {
    Gridwarden__V1__ReportRequest request = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    Gridwarden__V1__ReportResponse *response = NULL;
    Gridwarden__V1__Point point = bench_point(0, 0);
    request.request_id = (char *)request_id;
    request.class_code = (char *)"01";
    request.point = &point;
    assert_int_equal(api_bench_read(&it, "/gridwarden.v1.IncidentService/Report", &request.base,
                                    &gridwarden__v1__report_response__descriptor, &response,
                                    &error),
                     GW_OK);
    release(response);
}

static void test_watches_of_incidents_do_not_mind(void **state) {
    (void)state;
    struct sending sending = make(2, 50000);
    struct gw_rpc_stream *stream = api_bench_watch(&it, "0:1.0", ""); // from the first entry on
    uint32_t reported = 0;
    report("before");
    assert_int_equal(upload(&sending, NULL), GW_OK);
    assert_int_equal(publish("p", 2, NULL), GW_OK);
    report("between");
    assert_int_equal(publish("q", 1, NULL), GW_OK);
    report("after");
    while (reported < 3) {
        Gridwarden__V1__IncidentServiceWatchResponse *message =
            (Gridwarden__V1__IncidentServiceWatchResponse *)api_bench_next(stream);
        const Gridwarden__V1__IncidentEvent *event = message->event;
        if (event != NULL && event->kind_case == GRIDWARDEN__V1__INCIDENT_EVENT__KIND_REPORTED) {
            assert_int_equal(message->incident->edition->number, reported == 1 ? 2 : 1);
            reported++;
        }
        release(message);
    }
    gw_rpc_stream_destroy(stream);
    free(sending.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_upload_is_staged_and_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_retry_gets_the_first_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_uploads_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_protocol_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_client_that_goes_away_leaves_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_uploads_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_of_two_for_one_number_one_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_silent_upload_is_ended, set_up_impatient, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_answer_is_of_one_edition, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watches_of_incidents_do_not_mind, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
