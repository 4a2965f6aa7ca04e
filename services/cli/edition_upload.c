#include "services/cli/edition_upload.h"

#include "gridwarden/v1/edition.pb-c.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (1u << 20)
#define CHECK_MS 60000     // for the node to check and store a file, or to open it for publishing
#define BYTES_PER_MS 1000u // of the slowest line that is put up with

gw_err cli_edition_next_number(struct cli_door *door, const char *layer, uint64_t *number,
                               struct gw_error *error) {
    Gridwarden__V1__ListEditionsRequest request = GRIDWARDEN__V1__LIST_EDITIONS_REQUEST__INIT;
    ProtobufCMessage *message = NULL;
    gw_err err = gw_rpc_unary(door->channel, "/gridwarden.v1.GridService/ListEditions",
                              &request.base, &gridwarden__v1__list_editions_response__descriptor,
                              door->timeout_ms, &message, error);
    if (err != GW_OK) {
        return err;
    }
    const Gridwarden__V1__ListEditionsResponse *response =
        (const Gridwarden__V1__ListEditionsResponse *)message;
    *number = 1;
    for (size_t i = 0; i < response->n_editions; i++) {
        const Gridwarden__V1__EditionRef *ref = response->editions[i]->ref;
        if (ref != NULL && strcmp(ref->layer, layer) == 0 && ref->number >= *number) {
            *number = ref->number + 1;
        }
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return GW_OK;
}

static gw_err send_header(struct gw_rpc_stream *stream, const struct cli_edition_file *file,
                          struct gw_error *error) {
    static const struct cli_args no_arguments;
    char request_id[129];
    cli_request_id(&no_arguments, request_id);
    Gridwarden__V1__UploadHeader header = GRIDWARDEN__V1__UPLOAD_HEADER__INIT;
    Gridwarden__V1__UploadRequest request = GRIDWARDEN__V1__UPLOAD_REQUEST__INIT;
    header.request_id = request_id;
    header.layer = (char *)file->layer; // these two are only read
    header.content_hash = (char *)file->content_hash;
    header.number = file->number;
    header.size = file->size;
    request.part_case = GRIDWARDEN__V1__UPLOAD_REQUEST__PART_HEADER;
    request.header = &header;
    return gw_rpc_stream_write(stream, &request.base, error);
}

// GW_ESTATE: the node has answered before the end.
static gw_err send_bytes(struct gw_rpc_stream *stream, const struct cli_edition_file *file,
                         FILE *input, unsigned char piece[PIECE_BYTES], struct gw_error *error) {
    uint64_t sent = 0;
    gw_err err = GW_OK;
    while (err == GW_OK && sent < file->size) {
        Gridwarden__V1__UploadRequest request = GRIDWARDEN__V1__UPLOAD_REQUEST__INIT;
        size_t got = fread(piece, 1, PIECE_BYTES, input);
        if (got == 0) {
            return gw_error_set(error, GW_EIO, "can't read %s: %s", file->path, strerror(errno));
        }
        request.part_case = GRIDWARDEN__V1__UPLOAD_REQUEST__PART_DATA;
        request.data.data = piece;
        request.data.len = got;
        err = gw_rpc_stream_write(stream, &request.base, error);
        sent += got;
        if (file->progress != NULL) {
            file->progress(file->context, "uploading", sent, file->size);
        }
    }
    return err;
}

static gw_err send_file(struct gw_rpc_stream *stream, const struct cli_edition_file *file,
                        struct gw_error *error) {
    unsigned char *piece = malloc(PIECE_BYTES);
    FILE *input = fopen(file->path, "rb");
    gw_err err = GW_OK;
    if (piece == NULL) {
        err = gw_error_set(error, GW_ENOMEM, "out of memory");
    } else if (input == NULL) {
        err = gw_error_set(error, GW_EIO, "can't read %s: %s", file->path, strerror(errno));
    }
    if (err == GW_OK) {
        err = send_header(stream, file, error);
    }
    if (err == GW_OK) {
        err = send_bytes(stream, file, input, piece, error);
    }
    if (input != NULL) {
        (void)fclose(input);
    }
    free(piece);
    return err;
}

gw_err cli_edition_upload(struct cli_door *door, const struct cli_edition_file *file,
                          struct gw_error *error) {
    struct gw_rpc_stream *stream = NULL;
    ProtobufCMessage *response = NULL;
    int64_t timeout_ms = door->timeout_ms + CHECK_MS + (int64_t)(file->size / BYTES_PER_MS);
    gw_err err = gw_rpc_stream_open(door->channel, "/gridwarden.v1.EditionService/Upload", NULL,
                                    &gridwarden__v1__upload_response__descriptor, timeout_ms,
                                    &stream, error);
    if (err != GW_OK) {
        return err;
    }
    err = send_file(stream, file, error);
    if (err == GW_OK || err == GW_ESTATE) { // that: its answer is there, or says why not
        struct gw_error end = {GW_OK, ""};
        gw_err ended = gw_rpc_stream_finish(stream, &response, &end);
        if (err == GW_OK || ended == GW_OK) {
            err = ended;
            *error = end;
        }
    }
    gw_rpc_stream_destroy(stream);
    if (response != NULL) {
        protobuf_c_message_free_unpacked(response, NULL);
    }
    return err;
}

gw_err cli_edition_publish_number(struct cli_door *door, const char *layer, uint64_t number,
                                  struct gw_error *error) {
    static const struct cli_args no_arguments;
    char request_id[129];
    cli_request_id(&no_arguments, request_id);
    Gridwarden__V1__PublishRequest request = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    ProtobufCMessage *response = NULL;
    request.request_id = request_id;
    request.layer = (char *)layer; // only read
    request.number = number;
    gw_err err = gw_rpc_unary(door->channel, "/gridwarden.v1.EditionService/Publish", &request.base,
                              &gridwarden__v1__publish_response__descriptor,
                              door->timeout_ms + CHECK_MS, &response, error);
    if (err == GW_OK) {
        protobuf_c_message_free_unpacked(response, NULL);
    }
    return err;
}
