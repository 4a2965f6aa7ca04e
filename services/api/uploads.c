// EditionService.Upload: pieces of a file go to the disk as they come, on the loop; what takes long
// (sync, check, moving it to its place, removing it) is a chore. One chore at a time decides, so
// two uploads of one number can't both have its place.
//
// Life of an upload: its stream holds a reference until `done`, a chore or a command that it waits
// for holds another; the last one frees it.
#include "services/api/uploads.h"

#include "gridwarden/v1/edition.pb-c.h"
#include "services/api/chores.h"
#include "services/api/handlers.h"
#include "services/base/clock.h"
#include "services/grids/editions.h"
#include "services/grids/intake.h"
#include "services/incidents/message.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define UPLOADS_MAX 4u // at once
#define PIECE_BYTES_MAX (1u << 20)
#define IDLE_MS_MAX 60000        // without a message
#define SLOWEST_BYTES_PER_MS 100 // of a file on its way: who dribbles keeps others out

struct api_uploads {
    struct gw_shard *shard;
    struct gw_store *store;
    const char *data;
    int64_t idle_ns_max;
    struct api_chores *chores;
    pthread_mutex_t mutex; // of what follows
    pthread_cond_t emptied;
    struct upload *first;
    uint32_t count;
};

struct upload {
    struct api_chore chore; // first: a chore is its upload
    struct api_uploads *uploads;
    struct upload *next, *previous;       // in uploads
    Gridwarden__V1__UploadHeader *header; // NULL: nothing has come yet
    struct gw_intake *intake;             // of the loop, then of the chore
    uint64_t reserved;                    // bytes of the disk, under uploads->mutex
    bool handed_over;                     // to the chore, or to the shard for its answer
    pthread_mutex_t mutex;                // of what follows
    pthread_cond_t decided;               // the shard has answered the chore
    struct gw_rpc_call *call;             // NULL once it is over
    bool answered, was_decided, was_refused;
    struct gw_error verdict; // of the shard; GW_OK: `staged` is its response
    ProtobufCMessage *staged;
    uint32_t references;
    int64_t heard_ns; // when the last message came; INT64_MAX: no more are waited for
    int64_t due_ns;   // when the whole file must have come; INT64_MAX: none is waited for
};

// --- life ---

static void release(struct upload *upload) {
    struct api_uploads *uploads = upload->uploads;
    (void)pthread_mutex_lock(&upload->mutex);
    bool last = --upload->references == 0;
    (void)pthread_mutex_unlock(&upload->mutex);
    if (!last) {
        return;
    }
    (void)pthread_mutex_lock(&uploads->mutex);
    if (upload->previous != NULL) {
        upload->previous->next = upload->next;
    } else {
        uploads->first = upload->next;
    }
    if (upload->next != NULL) {
        upload->next->previous = upload->previous;
    }
    gw_intake_close(upload->intake);
    if (upload->header != NULL) {
        gridwarden__v1__upload_header__free_unpacked(upload->header, NULL);
    }
    if (upload->staged != NULL) {
        protobuf_c_message_free_unpacked(upload->staged, NULL);
    }
    (void)pthread_cond_destroy(&upload->decided);
    (void)pthread_mutex_destroy(&upload->mutex);
    free(upload);
    uploads->count--;
    (void)pthread_cond_signal(&uploads->emptied);
    (void)pthread_mutex_unlock(&uploads->mutex); // from here on `uploads` may be gone
}

// Answers, if nobody has before and the client is still there. `response` NULL: with the error.
static void answer(struct upload *upload, const struct gw_error *error,
                   const ProtobufCMessage *response) {
    (void)pthread_mutex_lock(&upload->mutex);
    if (upload->call != NULL && !upload->answered) {
        if (response != NULL) {
            gw_rpc_reply(upload->call, response);
        } else {
            gw_rpc_fail(upload->call, error);
        }
    }
    upload->answered = true;
    (void)pthread_mutex_unlock(&upload->mutex);
}

static void hold(struct upload *upload) {
    (void)pthread_mutex_lock(&upload->mutex);
    upload->references++;
    (void)pthread_mutex_unlock(&upload->mutex);
}

static void note_heard(struct upload *upload, int64_t now_ns) {
    (void)pthread_mutex_lock(&upload->mutex);
    upload->heard_ns = now_ns;
    (void)pthread_mutex_unlock(&upload->mutex);
}

static void set_due(struct upload *upload, int64_t due_ns) {
    (void)pthread_mutex_lock(&upload->mutex);
    upload->due_ns = due_ns;
    (void)pthread_mutex_unlock(&upload->mutex);
}

// To a chore or to the shard; nothing more is read of the stream.
static void hand_over(struct upload *upload) {
    upload->handed_over = true;
    note_heard(upload, INT64_MAX);
    set_due(upload, INT64_MAX);
    hold(upload);
}

static bool is_wanted(struct upload *upload) {
    (void)pthread_mutex_lock(&upload->mutex);
    bool wanted = upload->call != NULL && !upload->answered;
    (void)pthread_mutex_unlock(&upload->mutex);
    return wanted;
}

// --- the chore: the whole file is there ---

static void note_verdict(void *context, const struct gw_error *error,
                         const ProtobufCMessage *response) {
    struct upload *upload = context;
    (void)pthread_mutex_lock(&upload->mutex);
    upload->was_decided = true;
    upload->was_refused = error != NULL;
    upload->verdict = error != NULL ? *error : (struct gw_error){GW_OK, ""};
    upload->staged = response != NULL ? gw_message_clone(response) : NULL;
    if (error == NULL && upload->staged == NULL) {
        (void)gw_error_set(&upload->verdict, GW_ENOMEM,
                           "the edition is staged, but there is no memory for the answer: repeat "
                           "the request");
    }
    (void)pthread_cond_signal(&upload->decided);
    (void)pthread_mutex_unlock(&upload->mutex);
}

// Has the shard record the edition, and waits. `file` is the shard's from here on.
static gw_err stage(struct upload *upload, struct gw_edition *file, struct gw_error *error) {
    struct gw_shard_command command = {
        .request = &upload->header->base, .done = note_verdict, .context = upload, .edition = file};
    gw_shard_submit(upload->uploads->shard, &command);
    (void)pthread_mutex_lock(&upload->mutex);
    while (!upload->was_decided) {
        (void)pthread_cond_wait(&upload->decided, &upload->mutex);
    }
    *error = upload->verdict;
    (void)pthread_mutex_unlock(&upload->mutex);
    return error->code;
}

static gw_err finish(struct upload *upload, struct gw_error *error) {
    struct api_uploads *uploads = upload->uploads;
    struct gw_edition *file = NULL;
    uint64_t next = 0;
    gw_err err = gw_intake_check(upload->intake, gw_clock_wall_ms(), &file, error);
    if (err != GW_OK) {
        return err;
    }
    err = gw_editions_next_number(uploads->store, upload->header->layer, &next, error);
    if (err == GW_OK && !gw_shard_writable(uploads->shard)) {
        err = gw_error_set(error, GW_EUNAVAILABLE,
                           "this node can't write its log any more: restart it, then upload again");
    }
    bool places = err == GW_OK && upload->header->number == next;
    if (places) {
        err = gw_intake_place(upload->intake, error);
    }
    if (err != GW_OK) {
        gw_edition_close(file);
        return err;
    }
    if (!places) { // another one was faster; the shard says so, or knows the request id
        gw_edition_close(file);
        file = NULL;
    }
    err = stage(upload, file, error);
    if (places && upload->was_refused && err != GW_EUNAVAILABLE) { // that: outcome unknown
        gw_intake_withdraw(upload->intake);
    }
    return err;
}

static void run(struct api_chore *chore) {
    struct upload *upload = (struct upload *)chore;
    struct gw_error error = {GW_OK, ""};
    if (is_wanted(upload)) {
        gw_err err = finish(upload, &error);
        answer(upload, &error, err == GW_OK ? upload->staged : NULL);
    }
    gw_intake_close(upload->intake); // here, since removing a large file takes long
    upload->intake = NULL;
    release(upload);
}

// --- the stream ---

// The number is not the next one: the shard knows whether this is a retry, and else refuses it.
static void note_early(void *context, const struct gw_error *error,
                       const ProtobufCMessage *response) {
    struct upload *upload = context;
    answer(upload, error, response);
    release(upload);
}

static void ask_early(struct upload *upload) {
    struct gw_shard_command command = {
        .request = &upload->header->base, .done = note_early, .context = upload};
    hand_over(upload);
    gw_shard_submit(upload->uploads->shard, &command);
}

static uint64_t reserve(struct upload *upload, uint64_t bytes) {
    struct api_uploads *uploads = upload->uploads;
    uint64_t others = 0;
    (void)pthread_mutex_lock(&uploads->mutex);
    for (const struct upload *other = uploads->first; other != NULL; other = other->next) {
        others += other->reserved;
    }
    upload->reserved = bytes < GW_INTAKE_BYTES_MAX ? bytes : GW_INTAKE_BYTES_MAX;
    (void)pthread_mutex_unlock(&uploads->mutex);
    return others;
}

static gw_err take_header(struct upload *upload, const Gridwarden__V1__UploadHeader *header,
                          struct gw_error *error) {
    struct api_uploads *uploads = upload->uploads;
    uint64_t next = 0;
    if (upload->header != NULL) {
        return gw_error_set(error, GW_EINVAL, "the header has come twice: send it once, first");
    }
    upload->header = (Gridwarden__V1__UploadHeader *)gw_message_clone(&header->base);
    if (upload->header == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory for an upload");
    }
    gw_err err = gw_incident_check_request_id(header->request_id, error);
    if (err == GW_OK) {
        err = gw_editions_next_number(uploads->store, header->layer, &next, error);
    }
    if (err != GW_OK) {
        return err;
    }
    if (header->number != next) {
        ask_early(upload);
        return GW_OK;
    }
    struct gw_intake_claim claim = {upload->header->layer, header->number, header->size,
                                    upload->header->content_hash};
    err = gw_intake_open(uploads->data, &claim, reserve(upload, header->size), &upload->intake,
                         error);
    if (err == GW_OK) { // so the size is within bounds
        set_due(upload, gw_clock_monotonic_ns() + uploads->idle_ns_max +
                            (int64_t)(header->size / SLOWEST_BYTES_PER_MS) * 1000000);
    }
    return err;
}

static gw_err take_part(struct upload *upload, const Gridwarden__V1__UploadRequest *request,
                        struct gw_error *error) {
    if (request->part_case == GRIDWARDEN__V1__UPLOAD_REQUEST__PART_HEADER) {
        return take_header(upload, request->header, error);
    }
    if (upload->header == NULL) {
        return gw_error_set(error, GW_EINVAL, "the first message must be the header");
    }
    if (request->part_case != GRIDWARDEN__V1__UPLOAD_REQUEST__PART_DATA || request->data.len == 0 ||
        request->data.len > PIECE_BYTES_MAX) {
        return gw_error_set(error, GW_EINVAL, "data: a message carries 1 to %u bytes of the file",
                            PIECE_BYTES_MAX);
    }
    return gw_intake_write(upload->intake, request->data.data, request->data.len, error);
}

void api_upload_message(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct upload *upload = gw_rpc_call_state(call);
    struct gw_error error;
    (void)context;
    if (upload == NULL || upload->handed_over || !is_wanted(upload)) {
        return;
    }
    note_heard(upload, gw_clock_monotonic_ns());
    if (take_part(upload, (const Gridwarden__V1__UploadRequest *)message, &error) != GW_OK) {
        answer(upload, &error, NULL);
    }
}

void api_upload_half_close(struct gw_rpc_call *call, void *context) {
    struct upload *upload = gw_rpc_call_state(call);
    (void)context;
    if (upload == NULL || upload->handed_over || !is_wanted(upload)) {
        return;
    }
    if (upload->header == NULL) {
        struct gw_error error;
        (void)gw_error_set(&error, GW_EINVAL, "nothing has come: send the header, then the file");
        answer(upload, &error, NULL);
        return;
    }
    hand_over(upload);
    api_chores_put(upload->uploads->chores, &upload->chore);
}

static void upload_done(struct gw_rpc_call *call, void *state) {
    struct upload *upload = state;
    (void)call;
    (void)pthread_mutex_lock(&upload->mutex);
    upload->call = NULL;
    (void)pthread_mutex_unlock(&upload->mutex);
    if (!upload->handed_over && upload->intake != NULL) { // broken off: only to be removed
        upload->handed_over = true;
        api_chores_put(upload->uploads->chores, &upload->chore); // with the stream's reference
    } else {
        release(upload);
    }
}

// NULL: too many at once, or no memory.
static struct upload *make(struct api_uploads *uploads, struct gw_rpc_call *call,
                           struct gw_error *error) {
    struct upload *upload = calloc(1, sizeof(*upload));
    if (upload == NULL) {
        (void)gw_error_set(error, GW_ENOMEM, "not enough memory for an upload");
        return NULL;
    }
    upload->chore.run = run;
    upload->uploads = uploads;
    upload->call = call;
    upload->references = 1;
    upload->heard_ns = gw_clock_monotonic_ns();
    upload->due_ns = INT64_MAX;
    (void)pthread_mutex_init(&upload->mutex, NULL);
    (void)pthread_cond_init(&upload->decided, NULL);
    (void)pthread_mutex_lock(&uploads->mutex);
    bool room = uploads->count < UPLOADS_MAX;
    if (room) {
        uploads->count++;
        upload->next = uploads->first;
        if (upload->next != NULL) {
            upload->next->previous = upload;
        }
        uploads->first = upload;
    }
    (void)pthread_mutex_unlock(&uploads->mutex);
    if (!room) {
        (void)pthread_cond_destroy(&upload->decided);
        (void)pthread_mutex_destroy(&upload->mutex);
        free(upload);
        (void)gw_error_set(error, GW_ENOSPC, "%u uploads are under way already: try again later",
                           UPLOADS_MAX);
        return NULL;
    }
    return upload;
}

void api_upload_start(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    const struct gw_api *api = context;
    struct gw_error error;
    (void)message;
    struct upload *upload = make(api->uploads, call, &error);
    if (upload == NULL) {
        gw_rpc_fail(call, &error);
        return;
    }
    gw_rpc_call_set_stream(call, upload, NULL, upload_done);
}

// --- all of them ---

// Ends uploads that have fallen silent or take too long, so that they don't keep others out.
static void end_idle(void *context) {
    struct api_uploads *uploads = context;
    int64_t now_ns = gw_clock_monotonic_ns();
    (void)pthread_mutex_lock(&uploads->mutex); // none is freed meanwhile
    for (struct upload *upload = uploads->first; upload != NULL; upload = upload->next) {
        (void)pthread_mutex_lock(&upload->mutex);
        bool idle = now_ns - upload->heard_ns > uploads->idle_ns_max;
        bool slow = now_ns > upload->due_ns;
        (void)pthread_mutex_unlock(&upload->mutex);
        struct gw_error error;
        if (idle) {
            (void)gw_error_set(&error, GW_EDEADLINE,
                               "nothing of the file has come for %" PRId64 " s: upload again",
                               uploads->idle_ns_max / 1000000000);
            answer(upload, &error, NULL);
        } else if (slow) {
            (void)gw_error_set(&error, GW_EDEADLINE,
                               "less than %d kB of the file have come in a second: upload again, "
                               "over a faster line",
                               SLOWEST_BYTES_PER_MS);
            answer(upload, &error, NULL);
        }
    }
    (void)pthread_mutex_unlock(&uploads->mutex);
}

gw_err api_uploads_create(const struct gw_api_options *options, struct api_uploads **out,
                          struct gw_error *error) {
    struct api_uploads *uploads = calloc(1, sizeof(*uploads));
    if (uploads == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory to start");
    }
    int64_t idle_ms = options->upload_idle_ms > 0 ? options->upload_idle_ms : IDLE_MS_MAX;
    uploads->shard = options->shard;
    uploads->store = options->store;
    uploads->data = options->data;
    uploads->idle_ns_max = idle_ms * 1000000;
    (void)pthread_mutex_init(&uploads->mutex, NULL);
    (void)pthread_cond_init(&uploads->emptied, NULL);
    gw_err err = api_chores_create(end_idle, uploads, idle_ms / 4 + 1, &uploads->chores, error);
    if (err != GW_OK) {
        (void)pthread_cond_destroy(&uploads->emptied);
        (void)pthread_mutex_destroy(&uploads->mutex);
        free(uploads);
        return err;
    }
    *out = uploads;
    return GW_OK;
}

void api_uploads_destroy(struct api_uploads *uploads) {
    if (uploads == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&uploads->mutex);
    while (uploads->count > 0) { // chores, and answers of the shard, are still to come
        (void)pthread_cond_wait(&uploads->emptied, &uploads->mutex);
    }
    (void)pthread_mutex_unlock(&uploads->mutex);
    api_chores_destroy(uploads->chores);
    (void)pthread_cond_destroy(&uploads->emptied);
    (void)pthread_mutex_destroy(&uploads->mutex);
    free(uploads);
}

struct api_chores *api_uploads_chores(struct api_uploads *uploads) {
    return uploads->chores;
}
