#include "services/live/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PIECE_MAX = 65536, PATIENCE_S = 120 };

static void wake(void *context) {
    struct test_client *client = context;
    (void)pthread_mutex_lock(&client->mutex);
    client->woken = true;
    (void)pthread_cond_signal(&client->cond);
    (void)pthread_mutex_unlock(&client->mutex);
}

void test_client_init(struct test_client *client, struct gw_live *live, bool with_workers) {
    memset(client, 0, sizeof(*client));
    client->live = live;
    client->with_workers = with_workers;
    client->incidents = json_object();
    client->workers = json_object();
    client->new_incidents = json_object();
    client->new_workers = json_object();
    (void)pthread_mutex_init(&client->mutex, NULL);
    (void)pthread_cond_init(&client->cond, NULL);
}

void test_client_deinit(struct test_client *client) {
    test_client_close(client);
    json_decref(client->incidents);
    json_decref(client->workers);
    json_decref(client->new_incidents);
    json_decref(client->new_workers);
    (void)pthread_mutex_destroy(&client->mutex);
    (void)pthread_cond_destroy(&client->cond);
}

gw_err test_client_open(struct test_client *client) {
    assert_null(client->reader);
    client->woken = false;
    return gw_live_open(client->live, client->last_id, client->with_workers, wake, client,
                        &client->reader, NULL);
}

void test_client_close(struct test_client *client) {
    gw_live_close(client->reader);
    client->reader = NULL;
    gw_buffer_free(&client->text);
    json_object_clear(client->new_incidents);
    json_object_clear(client->new_workers);
}

void test_client_wait(struct test_client *client) {
    struct timespec until;
    int waited = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    (void)pthread_mutex_lock(&client->mutex);
    while (!client->woken && waited == 0) {
        waited = pthread_cond_timedwait(&client->cond, &client->mutex, &until);
    }
    client->woken = false;
    (void)pthread_mutex_unlock(&client->mutex);
    assert_int_equal(waited, 0);
}

// ---- taking in ----

static void put_incident(json_t *into, json_t *incident) {
    const char *id = json_string_value(json_object_get(incident, "id"));
    assert_non_null(id);
    (void)json_object_set(into, id, incident);
}

static void put_workers(json_t *into, json_t *rows) {
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(rows, i, row) {
        assert_int_equal(json_array_size(row), 7);
        (void)json_object_set(into, json_string_value(json_array_get(row, 0)), row);
    }
}

static void take_snapshot(struct test_client *client, json_t *data) {
    size_t i = 0;
    json_t *incident = NULL;
    client->snapshots++;
    json_array_foreach(json_object_get(data, "incidents"), i, incident) {
        put_incident(client->new_incidents, incident);
    }
    put_workers(client->new_workers, json_object_get(data, "workers"));
}

static void take_ready(struct test_client *client, json_t *data) {
    client->readies++;
    client->edition = (uint64_t)json_integer_value(json_object_get(data, "edition"));
    assert_true(json_integer_value(json_object_get(data, "time_ms")) > 0);
    (void)json_object_clear(client->incidents);
    (void)json_object_clear(client->workers);
    (void)json_object_update(client->incidents, client->new_incidents);
    (void)json_object_update(client->workers, client->new_workers);
    (void)json_object_clear(client->new_incidents);
    (void)json_object_clear(client->new_workers);
    client->last_n = 0; // another boot counts from the beginning
}

static void take_incident(struct test_client *client, json_t *incident) {
    const char *id = json_string_value(json_object_get(incident, "id"));
    client->incident_events++;
    json_t *known = json_object_get(client->incidents, id);
    if (known != NULL) {
        assert_true(json_integer_value(json_object_get(known, "version")) <
                    json_integer_value(json_object_get(incident, "version")));
    }
    if (strcmp(json_string_value(json_object_get(incident, "state")), "CLOSED") == 0) {
        assert_non_null(known);
        (void)json_object_del(client->incidents, id);
    } else {
        put_incident(client->incidents, incident);
    }
}

static void take_event(struct test_client *client, const char *kind, json_t *data) {
    if (strcmp(kind, "snapshot") == 0) {
        take_snapshot(client, data);
    } else if (strcmp(kind, "ready") == 0) {
        take_ready(client, data);
    } else if (strcmp(kind, "incident") == 0) {
        take_incident(client, data);
    } else if (strcmp(kind, "workers") == 0) {
        assert_true(client->with_workers);
        client->worker_events++;
        put_workers(client->workers, json_object_get(data, "workers"));
    } else if (strcmp(kind, "edition") == 0) {
        client->edition_events++;
        client->edition = (uint64_t)json_integer_value(json_object_get(data, "number"));
        assert_string_equal(json_string_value(json_object_get(data, "layer")), "grid");
    } else {
        fail_msg("event: %s", kind);
    }
}

// Numbers go up, and for a reader that is given everything each comes.
static void take_id(struct test_client *client, const char *id) {
    const char *dash = strrchr(id, '-');
    assert_non_null(dash);
    uint64_t n = strtoull(dash + 1, NULL, 10);
    if (client->last_n != 0) {
        assert_true(n > client->last_n);
        assert_true(!client->with_workers || n == client->last_n + 1);
    }
    client->last_n = n;
    (void)snprintf(client->last_id, sizeof(client->last_id), "%s", id);
}

// The lines of one event, without the empty one at its end.
static void take(struct test_client *client, char *text) {
    const char *kind = NULL, *data = NULL, *id = NULL;
    char *rest = NULL;
    size_t size = strlen(text);
    client->longest = size > client->longest ? size : client->longest;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "event: ", 7) == 0) {
            kind = line + 7;
        } else if (strncmp(line, "id: ", 4) == 0) {
            id = line + 4;
        } else if (strncmp(line, "data: ", 6) == 0) {
            data = line + 6;
        } else {
            assert_string_equal(line, ": heartbeat");
            client->heartbeats++;
        }
    }
    assert_int_equal(kind == NULL, data == NULL);
    if (kind != NULL) {
        json_error_t error;
        json_t *value = json_loads(data, 0, &error);
        assert_non_null(value);
        assert_int_equal(id == NULL, strcmp(kind, "snapshot") == 0);
        take_event(client, kind, value);
        json_decref(value);
    }
    if (id != NULL) {
        take_id(client, id);
    }
}

gw_err test_client_read(struct test_client *client, size_t piece) {
    static char room[PIECE_MAX]; // one thread tests
    size_t got = 0;
    gw_err err = GW_OK;
    do {
        err = gw_live_read(client->reader, room, piece < PIECE_MAX ? piece : PIECE_MAX, &got);
        gw_buffer_append(&client->text, room, got);
        char *begin = client->text.data, *end = NULL;
        while (begin != NULL && (end = strstr(begin, "\n\n")) != NULL) {
            *end = '\0';
            take(client, begin);
            begin = end + 2;
        }
        if (begin != NULL) { // what is left goes to the front
            struct gw_buffer left = {0};
            gw_buffer_text(&left, begin);
            gw_buffer_free(&client->text);
            client->text = left;
        }
    } while (err == GW_OK && got > 0);
    return err;
}

// ---- what a client should have ----

static bool same_incident(json_t *shown, const Gridwarden__V1__Incident *incident) {
    const char *state = protobuf_c_enum_descriptor_get_value(
                            &gridwarden__v1__incident_state__descriptor, (int)incident->state)
                            ->name;
    json_t *lon = json_object_get(shown, "lon"), *lat = json_object_get(shown, "lat");
    if (json_integer_value(json_object_get(shown, "version")) != (json_int_t)incident->version) {
        return false;
    }
    // Of the same version everything has to agree.
    assert_string_equal(json_string_value(json_object_get(shown, "state")),
                        state + strlen("INCIDENT_STATE_"));
    assert_string_equal(json_string_value(json_object_get(shown, "handler")), incident->handler);
    assert_string_equal(json_string_value(json_object_get(shown, "grid")), incident->grid_code);
    assert_string_equal(json_string_value(json_object_get(shown, "class")), incident->class_code);
    assert_int_equal(json_integer_value(json_object_get(shown, "severity")), incident->severity);
    assert_int_equal(json_integer_value(json_object_get(shown, "attempt")), incident->attempt);
    assert_int_equal(json_integer_value(json_object_get(shown, "reported_ms")),
                     incident->reported_ms);
    assert_int_equal(json_integer_value(json_object_get(shown, "updated_ms")),
                     incident->updated_ms);
    assert_int_equal(json_is_null(lon), incident->point == NULL);
    if (incident->point != NULL) {
        assert_true(json_number_value(lon) == incident->point->longitude &&
                    json_number_value(lat) == incident->point->latitude);
    }
    assert_null(json_object_get(shown, "address"));
    assert_null(json_object_get(shown, "description"));
    return true;
}

static bool has_incidents(const struct test_client *client, struct bench *bench,
                          char ids[][GW_INCIDENT_ID_SIZE], uint32_t id_count) {
    size_t open = 0;
    bool same = true;
    for (uint32_t i = 0; i < id_count && same; i++) {
        Gridwarden__V1__Incident *incident = bench_incident(bench, ids[i]);
        json_t *shown = json_object_get(client->incidents, ids[i]);
        if (incident->state == GRIDWARDEN__V1__INCIDENT_STATE__INCIDENT_STATE_CLOSED) {
            same = shown == NULL;
        } else {
            open++;
            same = shown != NULL && same_incident(shown, incident);
        }
        gridwarden__v1__incident__free_unpacked(incident, NULL);
    }
    return same && json_object_size(client->incidents) == open;
}

static bool same_worker(json_t *row, const Gridwarden__V1__Worker *worker) {
    return json_number_value(json_array_get(row, 1)) == worker->position->point->longitude &&
           json_number_value(json_array_get(row, 2)) == worker->position->point->latitude &&
           json_integer_value(json_array_get(row, 3)) ==
               (worker->duty == GRIDWARDEN__V1__DUTY__DUTY_ON) &&
           json_integer_value(json_array_get(row, 4)) ==
               (worker->kind == GRIDWARDEN__V1__WORKER_KIND__WORKER_KIND_FULL_TIME) &&
           json_integer_value(json_array_get(row, 5)) == (json_int_t)worker->load &&
           json_integer_value(json_array_get(row, 6)) == worker->position->time_ms;
}

static bool has_workers(const struct test_client *client, struct bench *bench) {
    enum { WORKERS_MAX = 1000 };
    static Gridwarden__V1__Worker *workers[WORKERS_MAX];
    uint32_t count = gw_workers_list(gw_shard_workers(bench->shard), "", "", WORKERS_MAX, workers);
    size_t shown = 0;
    bool same = true;
    for (uint32_t i = 0; i < count; i++) {
        if (workers[i]->position != NULL && client->with_workers) {
            json_t *row = json_object_get(client->workers, workers[i]->id);
            same = same && row != NULL && same_worker(row, workers[i]);
            shown++;
        }
        gridwarden__v1__worker__free_unpacked(workers[i], NULL);
    }
    return same && json_object_size(client->workers) == shown;
}

void test_client_catch_up(struct test_client *client, struct bench *bench,
                          char ids[][GW_INCIDENT_ID_SIZE], uint32_t id_count) {
    assert_int_equal(test_client_read(client, PIECE_MAX), GW_OK);
    while (client->readies == 0 || !has_incidents(client, bench, ids, id_count) ||
           !has_workers(client, bench)) {
        test_client_wait(client);
        assert_int_equal(test_client_read(client, PIECE_MAX), GW_OK);
    }
}

void test_finish(struct bench *bench, const char *id) {
    static const enum gw_incident_command_kind acts[] = {GW_INCIDENT_ACCEPT, GW_INCIDENT_START,
                                                         GW_INCIDENT_RESOLVE, GW_INCIDENT_CLOSE};
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        Gridwarden__V1__Incident *incident = bench_incident(bench, id);
        assert_int_equal(bench_act(bench, acts[i], id, incident->handler), GW_OK);
        gridwarden__v1__incident__free_unpacked(incident, NULL);
    }
}
