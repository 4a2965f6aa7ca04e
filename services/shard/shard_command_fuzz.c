// Arbitrary bytes as a request of any kind: answered once, and what was stored stays sound.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gridwarden/v1/edition.pb-c.h"
#include "services/shard/testing.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bench bench;
static uint32_t runs;

static void close_bench(void) {
    bench_verify(&bench, NULL);
    bench_close(&bench);
}

static void open_bench(void) {
    char id[GW_INCIDENT_ID_SIZE];
    bench_open(&bench);
    bench_staff(&bench, 100);
    (void)bench_report(&bench, 0, 0, id);
    (void)atexit(close_bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const ProtobufCMessageDescriptor *const types[] = {
        &gridwarden__v1__report_request__descriptor,
        &gridwarden__v1__set_place_request__descriptor,
        &gridwarden__v1__accept_request__descriptor,
        &gridwarden__v1__decline_request__descriptor,
        &gridwarden__v1__start_request__descriptor,
        &gridwarden__v1__resolve_request__descriptor,
        &gridwarden__v1__close_request__descriptor,
        &gridwarden__v1__set_duty_request__descriptor,
        &gridwarden__v1__upsert_workers_request__descriptor,
        &gridwarden__v1__upload_header__descriptor,
        &gridwarden__v1__publish_request__descriptor,
    };
    struct bench_reply reply = {0};
    if (size == 0) {
        return 0;
    }
    if (runs++ == 0) {
        open_bench();
    }
    ProtobufCMessage *request = protobuf_c_message_unpack(
        types[data[0] % (sizeof(types) / sizeof(types[0]))], NULL, size - 1, data + 1);
    if (request == NULL) {
        return 0;
    }
    struct gw_shard_totals totals;
    bench_submit(&bench, request, &reply);
    while (gw_shard_step(bench.shard) > 0) {
    }
    gw_shard_totals(bench.shard, &totals);
    if (reply.answers != 1 || reply.err == GW_EINTERNAL || !gw_shard_writable(bench.shard) ||
        totals.queued_commands != 0) {
        abort();
    }
    if (runs % 1000 == 0) {
        bench_verify(&bench, NULL);
    }
    bench_reply_free(&reply);
    protobuf_c_message_free_unpacked(request, NULL);
    bench.now_ms += 500;
    return 0;
}
