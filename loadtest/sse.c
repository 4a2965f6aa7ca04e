// Readers of the live feed, GET /v1/live: many connections on one thread. Events and bytes are
// counted; a changed incident is timed from the instant (of the server's clock, in milliseconds, on
// this machine) that it carries as updated_ms.
#include "loadtest/http.h"
#include "loadtest/parts.h"
#include "services/base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_A_TURN = 50, LINE_MAX_BYTES = 2048 };

struct reader {
    struct load_work_run *work;
    CURL *handle;
    bool open;
    int64_t again_ns; // when to connect again
    // The event that is being read.
    char line[LINE_MAX_BYTES]; // what is longer is cut; its end is not looked at
    uint32_t used;
    bool incident, data;
    int64_t updated_ms; // 0: none
    uint64_t bytes;
};

struct readers {
    struct load_http http;
    struct reader *rows;
    uint32_t count;
};

static void end_event(struct reader *reader) {
    const struct load_run *run = reader->work->run;
    if (reader->data) {
        int64_t now_ns = gw_clock_monotonic_ns(), since_ns = -1;
        if (reader->incident && reader->updated_ms > 0 &&
            reader->updated_ms < INT64_MAX / 1000000) {
            since_ns = now_ns + run->wall_offset_ns - reader->updated_ms * 1000000;
            since_ns = since_ns < 0 ? 0 : since_ns;
        }
        load_recorder_event(&reader->work->recorder, now_ns, since_ns, reader->bytes);
        reader->bytes = 0;
    }
    reader->incident = reader->data = false;
    reader->updated_ms = 0;
}

static void end_line(struct reader *reader) {
    static const char field[] = "\"updated_ms\":";
    reader->line[reader->used] = '\0';
    if (reader->used == 0) {
        end_event(reader);
    } else if (strncmp(reader->line, "event:", 6) == 0) {
        reader->incident =
            strcmp(reader->line + 6 + strspn(reader->line + 6, " "), "incident") == 0;
    } else if (strncmp(reader->line, "data:", 5) == 0) {
        const char *at = strstr(reader->line, field);
        reader->data = true;
        reader->updated_ms = at == NULL ? 0 : strtoll(at + sizeof(field) - 1, NULL, 10);
    }
    reader->used = 0;
}

static size_t take_bytes(char *data, size_t one, size_t size, void *context) {
    struct reader *reader = context;
    (void)one;
    reader->bytes += size;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            end_line(reader);
        } else if (data[i] != '\r' && reader->used + 1 < LINE_MAX_BYTES) {
            reader->line[reader->used++] = data[i];
        }
    }
    return size;
}

static void open_some(struct readers *readers, int64_t now_ns) {
    uint32_t opened = 0;
    for (uint32_t i = 0; i < readers->count && opened < OPEN_A_TURN; i++) {
        struct reader *reader = &readers->rows[i];
        if (!reader->open && now_ns >= reader->again_ns) {
            reader->used = 0;
            reader->incident = reader->data = false;
            reader->open = load_http_add(&readers->http, reader->handle) == GW_OK;
            reader->again_ns = now_ns + 5 * (int64_t)LOAD_RETRY_NS;
            opened++;
        }
    }
}

// A live stream is not to end.
static void note_ended(struct readers *readers) {
    CURLcode code = CURLE_OK;
    CURL *handle;
    while ((handle = load_http_ended(&readers->http, &code)) != NULL) {
        char *private = NULL, why[160];
        long status = 0;
        int64_t now_ns = gw_clock_monotonic_ns();
        (void)curl_easy_getinfo(handle, CURLINFO_PRIVATE, &private);
        (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
        struct reader *reader = (struct reader *)(void *)private;
        load_http_remove(&readers->http, handle);
        reader->open = false;
        reader->again_ns = now_ns + 5 * (int64_t)LOAD_RETRY_NS;
        (void)snprintf(why, sizeof(why), "the live stream ended (HTTP %ld): %s", status,
                       curl_easy_strerror(code));
        load_recorder_intended(&reader->work->recorder, now_ns);
        load_recorder_failed(&reader->work->recorder, now_ns, now_ns, why);
    }
}

static gw_err prepare(struct load_work_run *work, struct gw_error *error) {
    struct readers *readers = calloc(1, sizeof(*readers));
    char url[LOAD_URL_MAX];
    work->state = readers;
    if (readers != NULL) {
        readers->rows = calloc(work->work->connections, sizeof(*readers->rows));
    }
    if (readers == NULL || readers->rows == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    (void)snprintf(url, sizeof(url), "http://%s/v1/live%s", work->run->options->http,
                   work->work->with_workers ? "" : "?workers=0");
    gw_err err = load_http_open(&readers->http, work->work->connections, error);
    for (uint32_t i = 0; i < work->work->connections && err == GW_OK; i++) {
        struct reader *reader = &readers->rows[i];
        reader->work = work;
        reader->handle = load_http_handle(take_bytes, reader);
        if (reader->handle == NULL) {
            return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
        }
        readers->count++;
        (void)curl_easy_setopt(reader->handle, CURLOPT_URL, url);
        (void)curl_easy_setopt(reader->handle, CURLOPT_PRIVATE, reader);
        (void)curl_easy_setopt(reader->handle, CURLOPT_CONNECTTIMEOUT_MS,
                               (long)work->run->scenario->timeout_ms);
    }
    return err;
}

static void drive(struct load_work_run *work) {
    struct readers *readers = work->state;
    while (!load_over(work->run, gw_clock_monotonic_ns())) {
        int64_t now_ns = gw_clock_monotonic_ns();
        open_some(readers, now_ns);
        load_http_turn(&readers->http, now_ns + LOAD_TICK_NS);
        note_ended(readers);
    }
    for (uint32_t i = 0; i < readers->count; i++) {
        if (readers->rows[i].open) {
            load_http_remove(&readers->http, readers->rows[i].handle);
        }
    }
}

static void release(struct load_work_run *work) {
    struct readers *readers = work->state;
    if (readers == NULL) {
        return;
    }
    for (uint32_t i = 0; i < readers->count; i++) {
        curl_easy_cleanup(readers->rows[i].handle);
    }
    load_http_close(&readers->http);
    free(readers->rows);
    free(readers);
    work->state = NULL;
}

const struct load_driver load_sse_driver = {prepare, drive, release};
