#include "services/shard/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gridwarden/v1/edition.pb-c.h"
#include "services/grids/edition_writer.h"
#include "services/grids/editions.h"
#include "services/incidents/message.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WEST = 1240000000, SOUTH = 425000000, CELL = 100000 };

void bench_reply_free(struct bench_reply *reply) {
    if (reply->response != NULL) {
        protobuf_c_message_free_unpacked(reply->response, NULL);
    }
    memset(reply, 0, sizeof(*reply));
}

static void keep_reply(void *context, const struct gw_error *error,
                       const ProtobufCMessage *response) {
    struct bench_reply *reply = context;
    reply->answers++;
    reply->err = error != NULL ? error->code : GW_OK;
    (void)snprintf(reply->text, sizeof(reply->text), "%s", error != NULL ? error->text : "");
    assert_true((error == NULL) == (response != NULL));
    reply->response = response != NULL ? gw_message_clone(response) : NULL;
}

// Steps until the answer is there.
static gw_err await_answer(struct bench *bench, struct bench_reply *reply) {
    for (int i = 0; reply->answers == 0 && i < 100; i++) { // due timers may come first
        (void)gw_shard_step(bench->shard);
    }
    assert_int_equal(reply->answers, 1);
    return reply->err;
}

static gw_err finish_call(struct bench *bench, struct bench_reply *reply) {
    gw_err err = await_answer(bench, reply);
    bench_reply_free(reply);
    return err;
}

// --- the city ---

static const char *const grid_codes[2][3] = {
    {BENCH_A1, BENCH_A2, BENCH_B1},
    {BENCH_C1, BENCH_VILLAGE_C "002", BENCH_VILLAGE_C "003"},
};

static const char *layer_of(const struct bench_edition *kind) {
    return kind->layer != NULL ? kind->layer : GW_LAYER_RESPONSIBLE;
}

static gw_err write_edition(const struct bench_edition *kind, const char *path,
                            struct gw_error *error) {
    static const struct gw_edition_area_row areas[] = {
        {BENCH_VILLAGE_A, "A", "", 1}, {BENCH_VILLAGE_B, "B", "", 1}, {BENCH_VILLAGE_C, "C", "", 1},
        {"211282001", "1", "", 2},     {"211282002", "2", "", 2},     {"211282", "county", "", 3},
        {"2112", "city", "", 4},
    };
    struct gw_point corners[6][4];
    struct gw_edition_ring rings[6];
    struct gw_edition_grid_row rows[6];
    uint32_t count = 0;
    for (int i = 0; i < 6; i++) {
        int32_t west = WEST + i % 3 * CELL + (i % 3 == 1 ? kind->moved : 0);
        int32_t east = WEST + (i % 3 + 1) * CELL + (i % 3 == 0 ? kind->moved : 0);
        int32_t south = SOUTH + i / 3 * CELL;
        corners[i][0] = (struct gw_point){west, south};
        corners[i][1] = (struct gw_point){east, south};
        corners[i][2] = (struct gw_point){east, south + CELL};
        corners[i][3] = (struct gw_point){west, south + CELL};
        rings[i] = (struct gw_edition_ring){corners[i], 4, GW_RING_SHELL};
        const char *code = grid_codes[i / 3][i % 3];
        if (kind->without == NULL || strcmp(kind->without, code) != 0) {
            rows[count++] = (struct gw_edition_grid_row){code, "grid", "", 1, 0, &rings[i], 1};
        }
    }
    struct gw_edition_input input = {.layer = layer_of(kind),
                                     .label = "SYNTHETIC",
                                     .number = kind->number,
                                     .created_ms = BENCH_NOW,
                                     .grids = rows,
                                     .grid_count = count,
                                     .areas = areas,
                                     .area_count = 7};
    return gw_edition_write(&input, path, NULL, error);
}

struct gw_edition *bench_write_edition(struct bench *bench, const struct bench_edition *kind) {
    char path[600];
    struct gw_error error = {GW_OK, ""};
    struct gw_edition *edition = NULL;
    gw_err err =
        gw_editions_path(bench->folder, layer_of(kind), kind->number, path, sizeof(path), &error);
    if (err == GW_OK) {
        err = write_edition(kind, path, &error);
    }
    if (err == GW_OK) {
        err = gw_edition_open(path, &edition, &error);
    }
    if (err != GW_OK) {
        fail_msg("%s", error.text);
    }
    return edition;
}

gw_err bench_stage(struct bench *bench, const struct bench_edition *kind) {
    Gridwarden__V1__UploadHeader header = GRIDWARDEN__V1__UPLOAD_HEADER__INIT;
    struct gw_edition *edition = bench_write_edition(bench, kind);
    struct bench_reply reply = {0};
    char hash[33];
    gw_edition_content_hash(edition, hash);
    header.request_id = (char *)bench_request_id(bench);
    header.layer = (char *)GW_LAYER_RESPONSIBLE;
    header.number = kind->number;
    header.content_hash = hash;
    bench_submit_edition(bench, &header.base, edition, NULL, &reply);
    return finish_call(bench, &reply);
}

gw_err bench_publish(struct bench *bench, uint64_t number) {
    Gridwarden__V1__PublishRequest request = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    Gridwarden__V1__Edition *row = NULL;
    struct gw_edition *edition = NULL;
    struct gw_error error;
    struct bench_reply reply = {0};
    if (gw_editions_find(bench->store, GW_LAYER_RESPONSIBLE, number, &row, &error) == GW_OK) {
        gw_err err = gw_editions_open(bench->folder, row, &edition, &error);
        assert_int_equal(err, GW_OK);
        gridwarden__v1__edition__free_unpacked(row, NULL);
    }
    request.request_id = (char *)bench_request_id(bench);
    request.layer = (char *)GW_LAYER_RESPONSIBLE;
    request.number = number;
    bench_submit_edition(bench, &request.base, edition, NULL, &reply);
    return finish_call(bench, &reply);
}

uint64_t bench_published(struct bench *bench) {
    const struct gw_edition *edition = gw_current_take(bench->current);
    uint64_t number = gw_edition_number(edition);
    gw_current_release(bench->current, edition);
    return number;
}

// --- a log that can fail ---

static struct bench *bench_of(struct gw_log *log) {
    return (struct bench *)(void *)((char *)log - offsetof(struct bench, faulty_log));
}

static void faulty_append(struct gw_log *log, uint64_t sequence, struct gw_slice entry,
                          struct gw_store_batch *views, gw_log_done_fn *done, void *context) {
    struct bench *bench = bench_of(log);
    if (bench->fail_appends > 0) {
        struct gw_error error;
        bench->fail_appends--;
        gw_err err = gw_error_set(&error, GW_EIO, "no space left on device");
        done(context, sequence, err, &error);
        return;
    }
    bench->real_log->ops->append(bench->real_log, sequence, entry, views, done, context);
}

static gw_err faulty_read(struct gw_log *log, uint64_t from,
                          bool (*visit)(void *context, uint64_t sequence, struct gw_slice entry),
                          void *context, struct gw_error *error) {
    struct gw_log *real = bench_of(log)->real_log;
    return real->ops->read(real, from, visit, context, error);
}

static uint64_t faulty_head(struct gw_log *log) {
    struct gw_log *real = bench_of(log)->real_log;
    return real->ops->head(real);
}

static void faulty_close(struct gw_log *log) {
    struct gw_log *real = bench_of(log)->real_log;
    real->ops->close(real);
}

static const struct gw_log_ops faulty_ops = {faulty_append, faulty_read, faulty_head, faulty_close};

// --- opening and closing ---

static int64_t bench_now(void *context) {
    struct bench *bench = context;
    return bench->now_ms;
}

static void open_store(struct bench *bench) {
    struct gw_store_options options = {.create = true};
    struct gw_error error;
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/db", bench->folder);
    if (gw_store_open(path, &options, &bench->store, &error) != GW_OK ||
        gw_log_local_open(bench->store, &bench->real_log, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
    bench->faulty_log.ops = &faulty_ops;
    bench->log = &bench->faulty_log;
}

static void open_shard(struct bench *bench) {
    struct gw_error error;
    struct gw_edition *edition = NULL;
    if (gw_editions_open_current(bench->folder, bench->store, GW_LAYER_RESPONSIBLE, &edition,
                                 &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
    bench->current = gw_current_create(edition);
    struct gw_shard_options options = {.store = bench->store,
                                       .log = bench->log,
                                       .current = bench->current,
                                       .policy = &bench->policy,
                                       .metrics = bench->metrics,
                                       .now_ms = bench_now,
                                       .clock_context = bench};
    if (gw_shard_open(&options, &bench->shard, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
}

// The edition's row and the entry that publishes it, as an import makes them.
static void publish_first(struct bench *bench) {
    static const struct bench_edition first = {.number = 1};
    struct gw_error error;
    struct gw_edition *file = bench_write_edition(bench, &first);
    char hash[33];
    gw_edition_content_hash(file, hash);
    gw_edition_close(file);
    Gridwarden__V1__EditionRef ref = GRIDWARDEN__V1__EDITION_REF__INIT;
    Gridwarden__V1__Edition edition = GRIDWARDEN__V1__EDITION__INIT;
    Gridwarden__Store__V1__EditionEvent event = GRIDWARDEN__STORE__V1__EDITION_EVENT__INIT;
    ref.layer = (char *)GW_LAYER_RESPONSIBLE;
    ref.number = 1;
    edition.ref = &ref;
    edition.created_ms = BENCH_NOW;
    edition.grid_count = 6;
    edition.content_hash = hash;
    event.edition = &edition;
    edition.state = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_STAGED;
    assert_int_equal(
        gw_shard_append_edition(bench->store, bench->log, &event, BENCH_NOW - 2, &error), GW_OK);
    edition.state = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED;
    edition.published_ms = BENCH_NOW - 1;
    assert_int_equal(
        gw_shard_append_edition(bench->store, bench->log, &event, BENCH_NOW - 1, &error), GW_OK);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int remove_tree(const char *path) {
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void bench_open(struct bench *bench) {
    static unsigned count;
    const char *root = getenv("TEST_TMPDIR");
    memset(bench, 0, sizeof(*bench));
    (void)snprintf(bench->folder, sizeof(bench->folder), "%s/bench-%d-%u",
                   root != NULL ? root : "/tmp", (int)getpid(), count++);
    (void)remove_tree(bench->folder); // of a run that crashed
    assert_int_equal(mkdir(bench->folder, 0700), 0);
    gw_policy_default(&bench->policy);
    bench->metrics = gw_metrics_create();
    bench->now_ms = BENCH_NOW;
    open_store(bench);
    publish_first(bench);
    open_shard(bench);
}

static void close_store(struct bench *bench) {
    gw_shard_close(bench->shard);
    gw_current_destroy(bench->current);
    bench->log->ops->close(bench->log);
    gw_store_close(bench->store);
    bench->shard = NULL;
}

void bench_restart(struct bench *bench) {
    close_store(bench);
    gw_metrics_destroy(bench->metrics);
    bench->metrics = gw_metrics_create();
    open_store(bench);
    open_shard(bench);
}

void bench_close(struct bench *bench) {
    close_store(bench);
    gw_metrics_destroy(bench->metrics);
    assert_int_equal(remove_tree(bench->folder), 0);
}

// --- calls ---

void bench_submit(struct bench *bench, const ProtobufCMessage *request, struct bench_reply *reply) {
    struct gw_shard_command command = {.request = request, .done = keep_reply, .context = reply};
    gw_shard_submit(bench->shard, &command);
}

void bench_submit_edition(struct bench *bench, const ProtobufCMessage *request,
                          struct gw_edition *file, const struct gw_error *refusal,
                          struct bench_reply *reply) {
    struct gw_shard_command command = {.request = request,
                                       .done = keep_reply,
                                       .context = reply,
                                       .edition = file,
                                       .refusal = refusal};
    gw_shard_submit(bench->shard, &command);
}

gw_err bench_call(struct bench *bench, const ProtobufCMessage *request, struct bench_reply *reply) {
    struct bench_reply own = {0};
    struct bench_reply *used = reply != NULL ? reply : &own;
    bench_submit(bench, request, used);
    gw_err err = await_answer(bench, used);
    if (reply == NULL) {
        bench_reply_free(&own);
    }
    return err;
}

const char *bench_request_id(struct bench *bench) {
    static char id[40];
    (void)snprintf(id, sizeof(id), "request-%llu", (unsigned long long)++bench->request_number);
    return id;
}

Gridwarden__V1__Point bench_point(int column, int row) {
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    point.longitude = gw_degrees(WEST + column * CELL + CELL / 2);
    point.latitude = gw_degrees(SOUTH + row * CELL + CELL / 2);
    return point;
}

static gw_err report(struct bench *bench, Gridwarden__V1__ReportRequest *request,
                     char id[GW_INCIDENT_ID_SIZE]) {
    struct bench_reply reply = {0};
    request->request_id = (char *)bench_request_id(bench);
    request->class_code = (char *)"01";
    request->channel = GRIDWARDEN__V1__CHANNEL__CHANNEL_HOTLINE;
    request->actor = (char *)"hotline-7";
    gw_err err = bench_call(bench, &request->base, &reply);
    if (err == GW_OK) {
        const Gridwarden__V1__ReportResponse *response =
            (const Gridwarden__V1__ReportResponse *)reply.response;
        memcpy(id, response->incident->id, GW_INCIDENT_ID_SIZE);
    }
    bench_reply_free(&reply);
    return err;
}

gw_err bench_report(struct bench *bench, int column, int row, char id[GW_INCIDENT_ID_SIZE]) {
    Gridwarden__V1__ReportRequest request = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    Gridwarden__V1__Point point = bench_point(column, row);
    request.point = &point;
    return report(bench, &request, id);
}

gw_err bench_report_address(struct bench *bench, char id[GW_INCIDENT_ID_SIZE]) {
    Gridwarden__V1__ReportRequest request = GRIDWARDEN__V1__REPORT_REQUEST__INIT;
    request.address = (char *)"文化街 1 号";
    return report(bench, &request, id);
}

gw_err bench_set_place(struct bench *bench, const char *id, int column, int row) {
    Gridwarden__V1__SetPlaceRequest request = GRIDWARDEN__V1__SET_PLACE_REQUEST__INIT;
    Gridwarden__V1__Point point = bench_point(column, row);
    request.request_id = (char *)bench_request_id(bench);
    request.incident_id = (char *)id;
    request.point = &point;
    request.actor = (char *)"desk:city";
    return bench_call(bench, &request.base, NULL);
}

gw_err bench_act(struct bench *bench, enum gw_incident_command_kind kind, const char *id,
                 const char *actor) {
    // These requests begin alike: request id, incident id, actor.
    union {
        Gridwarden__V1__AcceptRequest accept;
        Gridwarden__V1__DeclineRequest decline;
        Gridwarden__V1__StartRequest start;
        Gridwarden__V1__ResolveRequest resolve;
        Gridwarden__V1__CloseRequest close;
        ProtobufCMessage base;
    } request;
    switch (kind) {
    case GW_INCIDENT_ACCEPT:
        gridwarden__v1__accept_request__init(&request.accept);
        break;
    case GW_INCIDENT_DECLINE:
        gridwarden__v1__decline_request__init(&request.decline);
        break;
    case GW_INCIDENT_START:
        gridwarden__v1__start_request__init(&request.start);
        break;
    case GW_INCIDENT_RESOLVE:
        gridwarden__v1__resolve_request__init(&request.resolve);
        break;
    default:
        assert_int_equal(kind, GW_INCIDENT_CLOSE);
        gridwarden__v1__close_request__init(&request.close);
        break;
    }
    request.accept.request_id = (char *)bench_request_id(bench);
    request.accept.incident_id = (char *)id;
    request.accept.actor = (char *)actor;
    return bench_call(bench, &request.base, NULL);
}

// --- workers ---

void bench_add_worker(struct bench *bench, const char *id, const char *grid, uint32_t capacity) {
    Gridwarden__V1__Worker worker = GRIDWARDEN__V1__WORKER__INIT;
    Gridwarden__V1__Worker *workers[] = {&worker};
    Gridwarden__V1__UpsertWorkersRequest upsert = GRIDWARDEN__V1__UPSERT_WORKERS_REQUEST__INIT;
    Gridwarden__V1__SetDutyRequest duty = GRIDWARDEN__V1__SET_DUTY_REQUEST__INIT;
    struct bench_reply reply = {0};
    char *grids[] = {(char *)grid}, *ids[] = {(char *)id};
    worker.id = (char *)id;
    worker.name = (char *)"somebody";
    worker.kind = GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_FULL_TIME;
    worker.home_grids = grids;
    worker.n_home_grids = 1;
    worker.capacity = capacity;
    upsert.request_id = (char *)bench_request_id(bench);
    upsert.workers = workers;
    upsert.n_workers = 1;
    gw_err err = bench_call(bench, &upsert.base, &reply);
    if (err != GW_OK) {
        fail_msg("%s", reply.text);
    }
    bench_reply_free(&reply);
    duty.request_id = (char *)bench_request_id(bench);
    duty.worker_ids = ids;
    duty.n_worker_ids = 1;
    duty.duty = GRIDWARDEN__V1__DUTY__DUTY_ON;
    assert_int_equal(bench_call(bench, &duty.base, NULL), GW_OK);
}

void bench_position(struct bench *bench, const char *id, double longitude, double latitude) {
    Gridwarden__V1__Point point = GRIDWARDEN__V1__POINT__INIT;
    Gridwarden__V1__Position position = GRIDWARDEN__V1__POSITION__INIT;
    Gridwarden__V1__WorkerPosition row = GRIDWARDEN__V1__WORKER_POSITION__INIT;
    Gridwarden__V1__WorkerPosition *rows[] = {&row};
    Gridwarden__V1__ReportPositionsRequest request = GRIDWARDEN__V1__REPORT_POSITIONS_REQUEST__INIT;
    Gridwarden__V1__ReportPositionsResponse response =
        GRIDWARDEN__V1__REPORT_POSITIONS_RESPONSE__INIT;
    struct gw_error error;
    point.longitude = longitude;
    point.latitude = latitude;
    position.point = &point;
    position.time_ms = bench->now_ms;
    row.worker_id = (char *)id;
    row.position = &position;
    request.positions = rows;
    request.n_positions = 1;
    assert_int_equal(gw_workers_report(gw_shard_workers(bench->shard), &request, bench->now_ms,
                                       &response, &error),
                     GW_OK);
    assert_int_equal(response.applied, 1);
}

void bench_staff(struct bench *bench, uint32_t capacity) {
    static const char *const staff[][2] = {
        {"w1", BENCH_A1}, {"w2", BENCH_A1}, {"w3", BENCH_A2}, {"w4", BENCH_B1}, {"w5", BENCH_C1}};
    Gridwarden__V1__Point middle = bench_point(0, 0);
    for (int i = 0; i < 5; i++) {
        bench_add_worker(bench, staff[i][0], staff[i][1], capacity);
        if (i < 3) {
            bench_position(bench, staff[i][0], middle.longitude + 0.0001 * i, middle.latitude);
        }
    }
}

// --- what is so now ---

Gridwarden__V1__Incident *bench_incident(struct bench *bench, const char *id) {
    Gridwarden__V1__Incident *incident = NULL;
    struct gw_error error;
    if (gw_shard_get_incident(bench->shard, id, &incident, &error) != GW_OK) {
        fail_msg("%s", error.text);
    }
    return incident;
}

void bench_expect(struct bench *bench, const char *id, int state, const char *handler) {
    Gridwarden__V1__Incident *incident = bench_incident(bench, id);
    assert_int_equal(incident->state, state);
    assert_string_equal(incident->handler, handler);
    gridwarden__v1__incident__free_unpacked(incident, NULL);
}

uint32_t bench_load(struct bench *bench, const char *worker_id) {
    Gridwarden__V1__Worker *worker = gw_workers_get(gw_shard_workers(bench->shard), worker_id);
    assert_non_null(worker);
    uint32_t load = worker->load;
    gridwarden__v1__worker__free_unpacked(worker, NULL);
    return load;
}

void bench_verify(struct bench *bench, struct gw_shard_verify_totals *totals) {
    struct gw_shard_verify_totals own;
    struct gw_error error;
    if (gw_shard_verify(bench->store, bench->log, totals != NULL ? totals : &own, &error) !=
        GW_OK) {
        fail_msg("%s", error.text);
    }
}
