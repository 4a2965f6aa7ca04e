#include "services/rpc/testdata/echo_service.h"

#include "gridwarden/v1/types.pb-c.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_STEP_NS 1000000
#define WAIT_S_MAX 60 // then the test has failed

struct stream {
    struct echo *echo;
    struct gw_rpc_call *call;
    struct stream *previous, *next;
    char *name;
    uint32_t remaining, sent;
    bool open, threaded, fails, queued;
    uint32_t tell_level, told_generation;
    uint64_t sum; // client streams
    uint32_t messages;
    bool later, answered;
};

// What the other thread is asked to do.
struct job {
    struct job *next;
    struct gw_rpc_call *call; // of a unary call or client stream: to be answered
    struct stream *stream;    // of a server stream: to be gone on with
    Gridwarden__V1__Area *answer;
};

struct echo {
    pthread_mutex_t mutex; // also taken by every `done`: under it, linked streams are alive
    pthread_cond_t changed;
    pthread_t worker;
    bool stop, released;
    struct job *first, *last, *held;
    struct stream *streams;
    uint32_t generation, tell_level;
    struct echo_facts facts;
};

static Gridwarden__V1__Area *copy_area(const Gridwarden__V1__Area *area) {
    Gridwarden__V1__Area *copy = malloc(sizeof(*copy));
    *copy = (Gridwarden__V1__Area)GRIDWARDEN__V1__AREA__INIT;
    copy->code = strdup(area->code);
    copy->name = strdup(area->name);
    copy->level = area->level;
    return copy;
}

static void free_area(Gridwarden__V1__Area *area) {
    if (area != NULL) {
        free(area->code);
        free(area->name);
        free(area);
    }
}

static char *letters(uint32_t count) {
    char *text = malloc((size_t)count + 1);
    memset(text, 'x', count);
    text[count] = '\0';
    return text;
}

static void push_locked(struct echo *echo, struct job job) {
    struct job *added = malloc(sizeof(*added));
    *added = job;
    added->next = NULL;
    if (echo->last == NULL) {
        echo->first = added;
    } else {
        echo->last->next = added;
    }
    echo->last = added;
    (void)pthread_cond_broadcast(&echo->changed);
}

static void push(struct echo *echo, struct job job) {
    (void)pthread_mutex_lock(&echo->mutex);
    push_locked(echo, job);
    (void)pthread_mutex_unlock(&echo->mutex);
}

// --- Echo ---

static void echo_special(struct gw_rpc_call *call, const Gridwarden__V1__Area *request,
                         struct echo *echo) {
    Gridwarden__V1__Area answer = *request;
    char *made = NULL;
    if (strcmp(request->code, "big") == 0) {
        made = letters(request->level);
        answer.name = made;
    } else if (strcmp(request->code, "trace") == 0) {
        made = strdup(gw_rpc_call_trace_id(call));
        answer.name = made;
    } else if (strcmp(request->code, "block") == 0) {
        (void)pthread_mutex_lock(&echo->mutex);
        while (!echo->released) {
            (void)pthread_cond_wait(&echo->changed, &echo->mutex);
        }
        (void)pthread_mutex_unlock(&echo->mutex);
    }
    gw_rpc_reply(call, &answer.base);
    free(made);
}

static void echo_start(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct echo *echo = context;
    const Gridwarden__V1__Area *request = (const Gridwarden__V1__Area *)message;
    (void)pthread_mutex_lock(&echo->mutex);
    echo->facts.unary_started++;
    (void)pthread_cond_broadcast(&echo->changed);
    bool released = echo->released;
    (void)pthread_mutex_unlock(&echo->mutex);
    if (strcmp(request->code, "later") == 0 || (strcmp(request->code, "hold") == 0 && released)) {
        push(echo, (struct job){.call = call, .answer = copy_area(request)});
    } else if (strcmp(request->code, "hold") == 0) {
        struct job *held = malloc(sizeof(*held));
        (void)pthread_mutex_lock(&echo->mutex);
        *held = (struct job){.next = echo->held, .call = call, .answer = copy_area(request)};
        echo->held = held;
        (void)pthread_mutex_unlock(&echo->mutex);
    } else if (strcmp(request->code, "fail") == 0) {
        struct gw_error error = {.code = GW_EINTERNAL};
        for (int code = 1; code < GW_ERR_COUNT; code++) {
            if (gw_err_grpc_status((gw_err)code) == (int)request->level) {
                error.code = (gw_err)code;
                break;
            }
        }
        (void)snprintf(error.text, sizeof(error.text), "%s", request->name);
        gw_rpc_fail(call, &error);
    } else {
        echo_special(call, request, echo);
    }
}

// --- Count ---

// Sends what there is to send; stops when the outbox is full.
static void go_on(struct stream *stream) {
    struct echo *echo = stream->echo;
    gw_err err = GW_OK;
    while (stream->remaining > 0 && err == GW_OK) {
        Gridwarden__V1__Area message = GRIDWARDEN__V1__AREA__INIT;
        message.name = stream->name;
        message.level = stream->sent;
        err = gw_rpc_send(stream->call, &message.base);
        if (err == GW_OK) {
            stream->sent++;
            stream->remaining--;
        } else if (err == GW_ENOSPC) {
            echo->facts.full++;
        }
    }
    if (stream->remaining == 0 && !stream->open && !stream->answered && err == GW_OK) {
        struct gw_error error;
        (void)gw_error_set(&error, GW_ENOTFOUND, "the end of the list");
        stream->answered = true;
        gw_rpc_finish(stream->call, stream->fails ? &error : NULL);
    }
}

static void count_writable(struct gw_rpc_call *call, void *state) {
    (void)call;
    struct stream *stream = state;
    struct echo *echo = stream->echo;
    (void)pthread_mutex_lock(&echo->mutex);
    echo->facts.writable++;
    if (stream->threaded) {
        if (!stream->queued) {
            stream->queued = true;
            push_locked(echo, (struct job){.stream = stream});
        }
    } else if (stream->open) {
        if (stream->told_generation != echo->generation) {
            Gridwarden__V1__Area message = GRIDWARDEN__V1__AREA__INIT;
            message.level = echo->tell_level;
            stream->told_generation = echo->generation;
            if (gw_rpc_send(stream->call, &message.base) != GW_OK) {
                echo->facts.full++;
            }
        }
    } else {
        go_on(stream);
    }
    (void)pthread_mutex_unlock(&echo->mutex);
}

static void stream_done(struct gw_rpc_call *call, void *state) {
    (void)call;
    struct stream *stream = state;
    struct echo *echo = stream->echo;
    (void)pthread_mutex_lock(&echo->mutex);
    echo->facts.stream_done++;
    (void)pthread_cond_broadcast(&echo->changed);
    if (stream->previous != NULL) {
        stream->previous->next = stream->next;
    } else {
        echo->streams = stream->next;
    }
    if (stream->next != NULL) {
        stream->next->previous = stream->previous;
    }
    for (struct job *job = echo->first; job != NULL; job = job->next) {
        if (job->stream == stream || job->call == stream->call) {
            job->stream = NULL; // too late
            job->call = NULL;
        }
    }
    (void)pthread_mutex_unlock(&echo->mutex);
    free(stream->name);
    free(stream);
}

static struct stream *add_stream(struct echo *echo, struct gw_rpc_call *call) {
    struct stream *stream = calloc(1, sizeof(*stream));
    stream->echo = echo;
    stream->call = call;
    (void)pthread_mutex_lock(&echo->mutex);
    echo->facts.stream_started++;
    stream->told_generation = echo->generation;
    stream->next = echo->streams;
    if (echo->streams != NULL) {
        echo->streams->previous = stream;
    }
    echo->streams = stream;
    (void)pthread_mutex_unlock(&echo->mutex);
    return stream;
}

static void count_start(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    struct echo *echo = context;
    const Gridwarden__V1__Area *request = (const Gridwarden__V1__Area *)message;
    struct stream *stream = add_stream(echo, call);
    gw_rpc_call_set_stream(call, stream, count_writable, stream_done);
    stream->name = strdup(request->name);
    stream->remaining = request->level;
    stream->threaded = strcmp(request->code, "thread") == 0;
    stream->fails = strcmp(request->code, "fail") == 0;
    stream->open = strcmp(request->code, "open") == 0;
    if (stream->open) {
        stream->remaining = 0;
    } else if (strcmp(request->code, "huge") == 0) {
        free(stream->name);
        stream->name = letters(request->level);
        stream->remaining = 1;
    }
    (void)pthread_mutex_lock(&echo->mutex);
    if (stream->threaded) {
        stream->queued = true;
        push_locked(echo, (struct job){.stream = stream});
    } else {
        go_on(stream);
    }
    (void)pthread_mutex_unlock(&echo->mutex);
}

// --- Sum ---

static void sum_answer(struct stream *stream) {
    char count[16];
    (void)snprintf(count, sizeof(count), "%u", stream->messages);
    Gridwarden__V1__Area answer = GRIDWARDEN__V1__AREA__INIT;
    answer.level = (uint32_t)stream->sum;
    answer.name = count;
    stream->answered = true;
    if (stream->later) {
        push(stream->echo, (struct job){.call = stream->call, .answer = copy_area(&answer)});
    } else {
        gw_rpc_reply(stream->call, &answer.base);
    }
}

static void sum_start(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    (void)message;
    struct stream *stream = add_stream(context, call);
    gw_rpc_call_set_stream(call, stream, NULL, stream_done);
}

static void sum_message(struct gw_rpc_call *call, const ProtobufCMessage *message, void *context) {
    (void)context;
    struct stream *stream = gw_rpc_call_state(call);
    const Gridwarden__V1__Area *area = (const Gridwarden__V1__Area *)message;
    stream->messages++;
    stream->sum += area->level;
    stream->later = stream->later || strcmp(area->code, "later") == 0;
    if (strcmp(area->code, "early") == 0) {
        sum_answer(stream);
    }
}

static void sum_half_close(struct gw_rpc_call *call, void *context) {
    (void)context;
    sum_answer(gw_rpc_call_state(call));
}

const struct gw_rpc_method echo_methods[3] = {
    {.path = ECHO_PATH,
     .kind = GW_RPC_UNARY,
     .request = &gridwarden__v1__area__descriptor,
     .response = &gridwarden__v1__area__descriptor,
     .start = echo_start},
    {.path = COUNT_PATH,
     .kind = GW_RPC_SERVER_STREAM,
     .request = &gridwarden__v1__area__descriptor,
     .response = &gridwarden__v1__area__descriptor,
     .start = count_start},
    {.path = SUM_PATH,
     .kind = GW_RPC_CLIENT_STREAM,
     .request = &gridwarden__v1__area__descriptor,
     .response = &gridwarden__v1__area__descriptor,
     .start = sum_start,
     .on_message = sum_message,
     .on_half_close = sum_half_close},
};

// --- the other thread ---

static void *work(void *context) {
    struct echo *echo = context;
    (void)pthread_mutex_lock(&echo->mutex);
    for (;;) {
        while (echo->first == NULL && !echo->stop) {
            (void)pthread_cond_wait(&echo->changed, &echo->mutex);
        }
        struct job *job = echo->first;
        if (job == NULL) {
            break;
        }
        echo->first = job->next;
        echo->last = echo->first == NULL ? NULL : echo->last;
        if (job->stream != NULL) { // under the mutex: its `done` cannot run meanwhile
            job->stream->queued = false;
            go_on(job->stream);
        } else if (job->call != NULL) {
            gw_rpc_reply(job->call, &job->answer->base);
        }
        free_area(job->answer);
        free(job);
    }
    (void)pthread_mutex_unlock(&echo->mutex);
    return NULL;
}

struct echo *echo_create(void) {
    struct echo *echo = calloc(1, sizeof(*echo));
    (void)pthread_mutex_init(&echo->mutex, NULL);
    (void)pthread_cond_init(&echo->changed, NULL);
    (void)pthread_create(&echo->worker, NULL, work, echo);
    return echo;
}

void echo_destroy(struct echo *echo) {
    echo_release(echo);
    (void)pthread_mutex_lock(&echo->mutex);
    echo->stop = true;
    (void)pthread_cond_broadcast(&echo->changed);
    (void)pthread_mutex_unlock(&echo->mutex);
    (void)pthread_join(echo->worker, NULL);
    (void)pthread_cond_destroy(&echo->changed);
    (void)pthread_mutex_destroy(&echo->mutex);
    free(echo);
}

static void observe(void *context, const struct gw_rpc_finished *finished) {
    struct echo *echo = context;
    (void)pthread_mutex_lock(&echo->mutex);
    if (finished->duration_ns >= 0 && finished->grpc_status >= 0 && finished->grpc_status <= 16 &&
        strspn(finished->trace_id, "0123456789abcdef") == 32) {
        echo->facts.finished[finished->grpc_status]++;
    }
    echo->facts.finished_unknown += finished->method == NULL;
    (void)pthread_cond_broadcast(&echo->changed);
    (void)pthread_mutex_unlock(&echo->mutex);
}

struct gw_rpc_observer echo_observer(struct echo *echo) {
    return (struct gw_rpc_observer){.finished = observe, .context = echo};
}

struct echo_facts echo_facts(struct echo *echo) {
    (void)pthread_mutex_lock(&echo->mutex);
    struct echo_facts facts = echo->facts;
    for (struct job *held = echo->held; held != NULL; held = held->next) {
        facts.held++;
        facts.held_cancelled += gw_rpc_call_cancelled(held->call);
    }
    (void)pthread_mutex_unlock(&echo->mutex);
    return facts;
}

// Until something changed, or a step is over: a cancelled call is seen only by looking again.
static void wait_for_change(struct echo *echo) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_STEP_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&echo->mutex);
    (void)pthread_cond_timedwait(&echo->changed, &echo->mutex, &until);
    (void)pthread_mutex_unlock(&echo->mutex);
}

bool echo_wait(struct echo *echo, bool (*reached)(const struct echo_facts *facts),
               struct echo_facts *facts) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    for (time_t end = now.tv_sec + WAIT_S_MAX; now.tv_sec < end;
         (void)clock_gettime(CLOCK_MONOTONIC, &now)) {
        *facts = echo_facts(echo);
        if (reached(facts)) {
            return true;
        }
        wait_for_change(echo);
    }
    return false;
}

void echo_release(struct echo *echo) {
    (void)pthread_mutex_lock(&echo->mutex);
    echo->released = true;
    struct job *held = echo->held;
    echo->held = NULL;
    while (held != NULL) {
        struct job *next = held->next;
        push_locked(echo, *held);
        free(held);
        held = next;
    }
    (void)pthread_cond_broadcast(&echo->changed);
    (void)pthread_mutex_unlock(&echo->mutex);
}

void echo_tell(struct echo *echo, uint32_t level) {
    (void)pthread_mutex_lock(&echo->mutex);
    echo->generation++;
    echo->tell_level = level;
    for (struct stream *stream = echo->streams; stream != NULL; stream = stream->next) {
        if (stream->open) {
            gw_rpc_wake(stream->call);
        }
    }
    (void)pthread_mutex_unlock(&echo->mutex);
}
