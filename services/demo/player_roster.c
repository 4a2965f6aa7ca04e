#include "services/demo/player_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, UPLOAD_MS = 60000 };

static char *borrow(const char *text) {
    return (char *)(uintptr_t)text;
}

// --- the upload ---

struct batch {
    Gridwarden__V1__Worker rows[BATCH];
    Gridwarden__V1__Worker *workers[BATCH];
    char *homes[BATCH][GW_CITY_HOME_GRIDS_MAX];
    char *skills[BATCH][GW_CITY_SKILLS];
};

static void fill_worker(const struct gw_city *city, uint32_t worker, struct batch *batch,
                        uint32_t row) {
    const struct gw_city_worker *from = &city->workers[worker];
    Gridwarden__V1__Worker *to = &batch->rows[row];
    gridwarden__v1__worker__init(to);
    to->id = borrow(from->id);
    to->name = borrow(from->name);
    to->kind = from->full_time ? GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_FULL_TIME
                               : GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_PART_TIME;
    to->capacity = from->capacity;
    to->home_grids = batch->homes[row];
    to->skills = batch->skills[row];
    for (uint32_t i = 0; i < from->home_count; i++) {
        to->home_grids[to->n_home_grids++] =
            borrow(city->grids[city->homes[from->home_first + i]].code);
    }
    for (uint32_t i = 0; i < GW_CITY_SKILLS; i++) {
        if ((from->skills >> i & 1u) != 0) {
            to->skills[to->n_skills++] = borrow(gw_city_skill(i));
        }
    }
    batch->workers[row] = to;
}

static gw_err upload_batch(struct gw_demo_player *player, uint64_t hash, uint32_t first,
                           struct batch *batch, struct gw_error *error) {
    char id[96];
    uint32_t count = 0;
    Gridwarden__V1__UpsertWorkersRequest request = GRIDWARDEN__V1__UPSERT_WORKERS_REQUEST__INIT;
    for (; count < BATCH && first + count < player->city->worker_count; count++) {
        fill_worker(player->city, first + count, batch, count);
    }
    snprintf(id, sizeof(id), "demo-%016llx-workers-%u", (unsigned long long)hash, first / BATCH);
    request.request_id = id;
    request.workers = batch->workers;
    request.n_workers = count;
    ProtobufCMessage *response = NULL;
    gw_err err = gw_rpc_unary(player->channel, "/gridwarden.v1.WorkerService/UpsertWorkers",
                              &request.base, &gridwarden__v1__upsert_workers_response__descriptor,
                              UPLOAD_MS, &response, error);
    if (err == GW_OK) {
        protobuf_c_message_free_unpacked(response, NULL);
    }
    return err;
}

// A node that refuses the demo's workers most likely serves another city.
static gw_err explain(const struct gw_demo_player *player, const struct gw_error *why,
                      struct gw_error *error) {
    if (why->code == GW_EUNAVAILABLE || why->code == GW_EDEADLINE) {
        return gw_error_set(error, why->code, "%s", why->text);
    }
    return gw_error_set(error, GW_EINVAL,
                        "the node at %s refuses the demo's workers; does it serve the demo city of "
                        "seed %llu? (%.150s)",
                        player->options.server, (unsigned long long)player->options.seed,
                        why->text);
}

gw_err gw_demo_upload(struct gw_demo_player *player, struct gw_error *error) {
    uint64_t hash = gw_city_hash(player->city);
    struct batch *batch = malloc(sizeof(*batch));
    struct gw_error why = {0};
    gw_err err = GW_OK;
    if (batch == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the demo");
    }
    for (uint32_t first = 0; first < player->city->worker_count && err == GW_OK; first += BATCH) {
        err = upload_batch(player, hash, first, batch, &why);
    }
    free(batch);
    return err == GW_OK ? GW_OK : explain(player, &why, error);
}

// --- shifts ---

// Sends one batch; waits for the answer where `wait` says so.
static gw_err send_duty(struct gw_demo_player *player, char *ids[], uint32_t count, bool on,
                        const char *id, bool wait, struct gw_error *error) {
    static const char path[] = "/gridwarden.v1.WorkerService/SetDuty";
    Gridwarden__V1__SetDutyRequest request = GRIDWARDEN__V1__SET_DUTY_REQUEST__INIT;
    request.request_id = borrow(id);
    request.worker_ids = ids;
    request.n_worker_ids = count;
    request.duty = on ? GRIDWARDEN__V1__DUTY__DUTY_ON : GRIDWARDEN__V1__DUTY__DUTY_OFF;
    if (wait) {
        struct gw_error why = {0};
        ProtobufCMessage *response = NULL;
        gw_err err = gw_rpc_unary(player->channel, path, &request.base,
                                  &gridwarden__v1__set_duty_response__descriptor, UPLOAD_MS,
                                  &response, &why);
        if (err == GW_OK) {
            protobuf_c_message_free_unpacked(response, NULL);
        }
        return err == GW_OK ? GW_OK : explain(player, &why, error);
    }
    struct gw_demo_call *call = gw_demo_call_take(player);
    if (call == NULL) {
        player->duty_unsure = true;
        return GW_OK;
    }
    gw_err err = gw_rpc_unary_start(player->channel, path, &request.base,
                                    &gridwarden__v1__set_duty_response__descriptor, GW_DEMO_CALL_MS,
                                    gw_demo_send_duty_done, call);
    if (err != GW_OK) {
        player->duty_unsure = true;
        gw_demo_call_free(call);
    }
    return GW_OK;
}

gw_err gw_demo_shift(struct gw_demo_player *player, int64_t minute, bool all,
                     struct gw_error *error) {
    char *ids[BATCH], id[96];
    bool everybody = all || player->duty_unsure;
    gw_err err = GW_OK;
    player->duty_unsure = false;
    player->duty_minute = minute;
    player->totals.on_duty = 0;
    for (int on = 0; on < 2 && err == GW_OK; on++) {
        uint32_t count = 0, batch = 0;
        for (uint32_t i = 0; i <= player->city->worker_count && err == GW_OK; i++) {
            bool last = i == player->city->worker_count;
            const struct gw_city_worker *worker = last ? NULL : &player->city->workers[i];
            bool working = !last && gw_city_on_shift(worker->shift, (uint32_t)(minute % 1440));
            player->totals.on_duty += on == 1 && working;
            if (!last && working == (on == 1) && (everybody || player->on_duty[i] != working)) {
                ids[count++] = borrow(worker->id);
                player->on_duty[i] = working;
            }
            if (count == BATCH || (last && count > 0)) {
                // Which workers are in a batch follows from the run, the minute and what was told
                // before: the sequence keeps a second telling apart from the first.
                snprintf(id, sizeof(id), "demo-%llx-duty-%lld-%s-%u-%llu",
                         (unsigned long long)player->options.run, (long long)minute,
                         on == 1 ? "on" : "off", batch++,
                         (unsigned long long)player->duty_sequence++);
                err = send_duty(player, ids, count, on == 1, id, all, error);
                count = 0;
            }
        }
    }
    return err;
}
