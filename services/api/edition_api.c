// EditionService.Publish. Uploads are in uploads.c, the list of editions in grid_api.c.
#include "services/api/handlers.h"

#include "gridwarden/v1/edition.pb-c.h"
#include "services/api/chores.h"
#include "services/grids/editions.h"
#include <stdlib.h>

#define PUBLISHING_MAX 16u // files that wait to be opened

// The call and its request live until the answer, which frees this.
struct publishing {
    struct api_chore chore; // first: a chore is its publishing
    struct gw_api *api;
    struct gw_rpc_call *call;
    const Gridwarden__V1__PublishRequest *request;
    struct gw_error refusal; // why there is no file
};

static void done(void *context, const struct gw_error *error, const ProtobufCMessage *response) {
    struct publishing *publishing = context;
    if (error != NULL) {
        gw_rpc_fail(publishing->call, error);
    } else {
        gw_rpc_reply(publishing->call, response);
    }
    free(publishing);
}

// Opens the file, which is read through for that, and hands it to the shard. Without one the shard
// still knows whether this is a retry, and what else is to be said. Nothing is published late, for
// a caller that has given up while other files were at work.
static void run(struct api_chore *chore) {
    struct publishing *publishing = (struct publishing *)chore;
    struct gw_api *api = publishing->api;
    if (gw_rpc_call_cancelled(publishing->call)) {
        (void)atomic_fetch_sub(&api->publishing, 1u);
        (void)gw_error_set(&publishing->refusal, GW_EDEADLINE,
                           "the time was over before the file was opened, and nothing has changed: "
                           "publish it again");
        done(publishing, &publishing->refusal, NULL);
        return;
    }
    struct gw_shard_command command = {.request = &publishing->request->base,
                                       .done = done,
                                       .context = publishing,
                                       .refusal = &publishing->refusal};
    Gridwarden__V1__Edition *row = NULL;
    gw_err err = gw_editions_find(api->store, publishing->request->layer,
                                  publishing->request->number, &row, &publishing->refusal);
    if (err == GW_OK && row->state != GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED) {
        err = gw_editions_open(api->data, row, &command.edition, &publishing->refusal);
    }
    if (err == GW_OK && command.edition == NULL) {
        (void)gw_error_set(&publishing->refusal, GW_ESTATE,
                           "the edition was published until just now: try again");
    }
    if (row != NULL) {
        gridwarden__v1__edition__free_unpacked(row, NULL);
    }
    (void)atomic_fetch_sub(&api->publishing, 1u);
    command.bytes = gw_rpc_request_bytes(publishing->call, &command.size);
    gw_shard_submit(api->shard, &command);
}

void api_publish(struct gw_rpc_call *call, const ProtobufCMessage *request, void *context) {
    struct gw_api *api = context;
    struct gw_error error;
    struct publishing *publishing = malloc(sizeof(*publishing));
    bool room = atomic_fetch_add(&api->publishing, 1u) < PUBLISHING_MAX;
    if (publishing == NULL || !room) {
        (void)atomic_fetch_sub(&api->publishing, 1u);
        free(publishing);
        (void)gw_error_set(&error, GW_ENOSPC,
                           "other editions are being published: try again later");
        gw_rpc_fail(call, &error);
        return;
    }
    *publishing = (struct publishing){.chore.run = run,
                                      .api = api,
                                      .call = call,
                                      .request = (const Gridwarden__V1__PublishRequest *)request};
    api_chores_put(api_uploads_chores(api->uploads), &publishing->chore);
}
