#include "services/incidents/message.h"
#include "services/shard/internal.h"

#include <stdlib.h>
#include <string.h>

void shard_set_response(Gridwarden__Store__V1__Receipt *receipt, const ProtobufCMessage *response) {
    receipt->response.data = gw_message_pack(response, &receipt->response.len);
    if (receipt->response.data == NULL) {
        abort();
    }
}

static void put_record(struct gw_shard *shard, const char *worker_id) {
    Gridwarden__Store__V1__WorkerRecord *record = gw_workers_record(shard->workers, worker_id);
    if (record != NULL) {
        entry_put_worker(&shard->entry, record);
        gridwarden__store__v1__worker_record__free_unpacked(record, NULL);
    }
}

void shard_commit_worker_events(struct gw_shard *shard, struct gw_worker_events *events,
                                uint32_t from) {
    for (uint32_t i = from; i < events->count; i++) {
        gw_workers_evolve(shard->workers, events->events[i]);
    }
    for (uint32_t i = 0; i < events->count; i++) {
        put_record(shard, events->events[i]->worker_id);
        entry_add_worker_event(&shard->entry, events->events[i]);
    }
    events->count = 0; // the entry owns them now
}

// An entry is one write; one command must not make it larger than a log takes.
static gw_err check_size(const struct gw_worker_events *events, struct gw_error *error) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < events->count; i++) {
        bytes += protobuf_c_message_get_packed_size(&events->events[i]->base);
    }
    if (bytes > GW_SHARD_ENTRY_BYTES_MAX / 2u) {
        return gw_error_set(error, GW_ENOSPC,
                            "the request makes %zu bytes of events, the limit is %u: send fewer "
                            "workers at a time",
                            bytes, GW_SHARD_ENTRY_BYTES_MAX / 2u);
    }
    return GW_OK;
}

gw_err shard_worker_step(struct gw_shard *shard, const struct command *command, int64_t now_ms,
                         Gridwarden__Store__V1__Receipt *receipt, struct gw_error *error) {
    Gridwarden__V1__UpsertWorkersResponse upserted = GRIDWARDEN__V1__UPSERT_WORKERS_RESPONSE__INIT;
    Gridwarden__V1__SetDutyResponse duty = GRIDWARDEN__V1__SET_DUTY_RESPONSE__INIT;
    struct gw_worker_events events = {0};
    bool upserts = command->kind == COMMAND_UPSERT_WORKERS;
    gw_err err =
        upserts
            ? gw_workers_decide_upsert(
                  shard->workers,
                  (const Gridwarden__V1__UpsertWorkersRequest *)command->caller.request, now_ms,
                  &events, &upserted, error)
            : gw_workers_decide_duty(
                  shard->workers, (const Gridwarden__V1__SetDutyRequest *)command->caller.request,
                  now_ms, &events, &duty, error);
    if (err == GW_OK) {
        err = check_size(&events, error);
    }
    if (err == GW_OK) {
        shard_set_response(receipt, upserts ? &upserted.base : &duty.base);
        shard_commit_worker_events(shard, &events, 0);
    }
    gw_worker_events_free(&events);
    return err;
}
