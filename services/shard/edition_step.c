// Editions change like everything else: a command is decided by the rows of the store, becomes an
// event, and counts when its entry is durable. What takes long (the file's way to the disk, its
// check) has been done by the caller.
#include "gridwarden/v1/edition.pb-c.h"
#include "services/base/diag.h"
#include "services/grids/editions.h"
#include "services/incidents/message.h"
#include "services/shard/internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static gw_err refuse_without_file(const struct command *command, struct gw_error *error) {
    const struct gw_error *why = command->caller.refusal;
    return why != NULL && why->code != GW_OK
               ? gw_error_set(error, why->code, "%s", why->text)
               : gw_error_set(error, GW_ESTATE,
                              "the edition's file did not come with the "
                              "command: send it again");
}

static gw_err no_memory(struct gw_error *error) {
    return gw_error_set(error, GW_ENOMEM, "out of memory: try again later");
}

// The row of an edition that is staged, from what its file says.
static gw_err decide_stage(const struct gw_shard *shard, const struct command *command,
                           Gridwarden__V1__Edition **row, struct gw_error *error) {
    const Gridwarden__V1__UploadHeader *header =
        (const Gridwarden__V1__UploadHeader *)command->caller.request;
    const struct gw_edition *file = command->caller.edition;
    uint64_t next = 0;
    gw_err err = gw_editions_next_number(shard->store, header->layer, &next, error);
    if (err != GW_OK) {
        return err;
    }
    if (header->number != next) {
        return gw_error_set(error, GW_ESTATE,
                            header->number < next
                                ? "edition %" PRIu64 " of layer %s is there already: import it "
                                  "again as number %" PRIu64
                                : "edition %" PRIu64 " of layer %s can't come yet: the next number "
                                  "is %" PRIu64,
                            header->number, header->layer, next);
    }
    if (file == NULL) {
        return refuse_without_file(command, error);
    }
    char hash[33];
    gw_edition_content_hash(file, hash);
    if (strcmp(gw_edition_layer(file), header->layer) != 0 ||
        gw_edition_number(file) != header->number || strcmp(hash, header->content_hash) != 0) {
        return gw_error_set(error, GW_EINVAL, "the file is not the one that the header tells of");
    }
    Gridwarden__V1__EditionRef ref = GRIDWARDEN__V1__EDITION_REF__INIT;
    Gridwarden__V1__Edition staged = GRIDWARDEN__V1__EDITION__INIT;
    ref.layer = header->layer;
    ref.number = header->number;
    staged.ref = &ref;
    staged.state = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_STAGED;
    staged.created_ms = gw_edition_created_ms(file);
    staged.grid_count = gw_edition_grid_count(file);
    staged.vertex_count = gw_edition_coverage(file)->vertex_count;
    staged.content_hash = hash;
    staged.label = (char *)gw_edition_label(file); // only read
    *row = (Gridwarden__V1__Edition *)gw_message_clone(&staged.base);
    return *row != NULL ? GW_OK : no_memory(error);
}

static gw_err check_publishable(const struct command *command, const Gridwarden__V1__Edition *row,
                                struct gw_error *error) {
    const struct gw_edition *file = command->caller.edition;
    if (row->state == GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED) {
        return gw_error_set(error, GW_ESTATE,
                            "edition %" PRIu64 " of layer %s is published already",
                            row->ref->number, row->ref->layer);
    }
    if (row->state != GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_STAGED &&
        row->state != GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_SUPERSEDED) {
        return gw_error_set(error, GW_ESTATE,
                            "edition %" PRIu64 " of layer %s is in a state that this program does "
                            "not know: publish another",
                            row->ref->number, row->ref->layer);
    }
    if (file == NULL) {
        return refuse_without_file(command, error);
    }
    char hash[33];
    gw_edition_content_hash(file, hash);
    return row->content_hash[0] == '\0' || strcmp(hash, row->content_hash) == 0
               ? GW_OK
               : gw_error_set(error, GW_ECORRUPT,
                              "the file of edition %" PRIu64 " of layer %s is not the one that was "
                              "staged: import it again",
                              row->ref->number, row->ref->layer);
}

static gw_err decide_publish(const struct gw_shard *shard, const struct command *command,
                             int64_t now_ms, Gridwarden__V1__Edition **row,
                             struct gw_error *error) {
    const Gridwarden__V1__PublishRequest *request =
        (const Gridwarden__V1__PublishRequest *)command->caller.request;
    gw_err err = gw_editions_find(shard->store, request->layer, request->number, row, error);
    if (err == GW_OK) {
        err = check_publishable(command, *row, error);
    }
    if (err == GW_OK) {
        (*row)->state = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED;
        (*row)->published_ms = now_ms;
    }
    return err;
}

// Puts event and views into the entry. What can fail is tried beside the entry first, since views
// can't be taken back.
static gw_err commit(struct gw_shard *shard, Gridwarden__V1__Edition *row, struct gw_error *error) {
    Gridwarden__Store__V1__EditionEvent event = GRIDWARDEN__STORE__V1__EDITION_EVENT__INIT;
    event.edition = row;
    ProtobufCMessage *copy = gw_message_clone(&event.base);
    if (copy == NULL) {
        return no_memory(error);
    }
    struct gw_store_batch *trial = gw_store_batch_create();
    gw_err err = gw_editions_apply(shard->store, trial, &event, error);
    gw_store_batch_destroy(trial);
    if (err == GW_OK &&
        gw_editions_apply(shard->store, shard->entry.views, &event, error) != GW_OK) {
        err = gw_error_set(error, GW_EINTERNAL, "an edition's rows could not be written");
    }
    if (err != GW_OK) {
        protobuf_c_message_free_unpacked(copy, NULL);
        return err;
    }
    entry_add_edition_event(&shard->entry, (Gridwarden__Store__V1__EditionEvent *)copy);
    shard->entry_sealed = true;
    return GW_OK;
}

gw_err shard_edition_step(struct gw_shard *shard, struct command *command, int64_t now_ms,
                          Gridwarden__Store__V1__Receipt *receipt, struct gw_error *error) {
    Gridwarden__V1__Edition *row = NULL;
    bool publishes = command->kind == COMMAND_PUBLISH_EDITION;
    gw_err err = publishes ? decide_publish(shard, command, now_ms, &row, error)
                           : decide_stage(shard, command, &row, error);
    if (err == GW_OK) {
        err = commit(shard, row, error);
    }
    if (err == GW_OK) {
        // Both responses are this one field.
        Gridwarden__V1__PublishResponse response = GRIDWARDEN__V1__PUBLISH_RESPONSE__INIT;
        response.edition = row;
        shard_set_response(receipt, &response.base);
        if (publishes && strcmp(row->ref->layer, gw_edition_layer(shard->edition)) == 0) {
            shard->incoming = command->caller.edition;
            command->caller.edition = NULL;
        }
    }
    if (row != NULL) {
        gridwarden__v1__edition__free_unpacked(row, NULL);
    }
    return err;
}

void shard_take_over(struct gw_shard *shard) {
    if (shard->incoming == NULL) {
        return;
    }
    const struct gw_edition *before = shard->edition;
    if (gw_current_replace(shard->current, shard->incoming) != GW_OK) {
        abort(); // out of memory: the log says what the next start is to serve
    }
    shard->incoming = NULL;
    shard->edition = gw_current_take(shard->current);
    gw_workers_set_edition(shard->workers, shard->edition);
    gw_current_release(shard->current, before);
    gw_diag(GW_INFO, NULL, "edition published", "layer=%s edition=%" PRIu64 " grids=%u",
            gw_edition_layer(shard->edition), gw_edition_number(shard->edition),
            gw_edition_grid_count(shard->edition));
}
