// Calls with one answer each.
//
// Open loop: the work's thread builds the next request, sleeps until its arrival and starts the
// call; a thread for each connection takes the answers. Slots bound what is in flight; a heap of
// slots holds what is due later: retries, and the next steps of workers who follow up their
// incidents.
// Closed loop: each connection's thread has one call at a time.
#include "gridwarden/v1/grid.pb-c.h"
#include "gridwarden/v1/incident.pb-c.h"
#include "loadtest/follow.h"
#include "loadtest/parts.h"
#include "services/base/clock.h"
#include <stdlib.h>
#include <string.h>

struct unary;

struct connection {
    struct unary *unary;
    struct gw_rpc_channel *channel;
    struct load_message *message; // closed loop: of this connection
    pthread_t thread;
    bool started;
    atomic_uint open; // calls
};

struct slot {
    struct unary *unary;
    struct connection *connection;
    struct load_ask ask;
    int64_t sent_ns, due_ns;
    uint32_t tries, next_free;
    bool waiting; // closed loop: for the answer
    bool again;   // closed loop: to be tried again at due_ns
};

struct unary {
    struct load_work_run *work;
    struct connection *connections;
    uint32_t connection_count;
    struct load_message *message;  // open loop: of the work's thread
    const ProtobufCMessage *ahead; // what it holds before its arrival; NULL: nothing
    uint64_t ahead_number;         // of that call
    struct slot *slots;            // [capacity]; closed loop: one to a connection
    uint32_t capacity;
    pthread_mutex_t lock; // of what follows
    uint32_t free_first, free_count;
    uint32_t *heap; // slots by due_ns
    uint32_t heap_count;
    int64_t down_ns; // when a call was last turned away; 0: not since the last answer
    // --- the rest is the threads' own ---
    atomic_uint_fast64_t number;
    atomic_bool closing;
    struct load_follow *follow; // NULL: nobody follows up
};

// --- slots and their heap, under the lock ---

static struct slot *take_slot(struct unary *unary) {
    if (unary->free_count == 0) {
        return NULL;
    }
    struct slot *slot = &unary->slots[unary->free_first];
    unary->free_first = slot->next_free;
    unary->free_count--;
    memset(&slot->ask, 0, sizeof(slot->ask));
    slot->tries = 0;
    return slot;
}

static void free_slot(struct unary *unary, struct slot *slot) {
    slot->next_free = unary->free_first;
    unary->free_first = (uint32_t)(slot - unary->slots);
    unary->free_count++;
}

static bool due_before(const struct unary *unary, uint32_t a, uint32_t b) {
    return unary->slots[unary->heap[a]].due_ns < unary->slots[unary->heap[b]].due_ns;
}

static void swap(struct unary *unary, uint32_t a, uint32_t b) {
    uint32_t other = unary->heap[a];
    unary->heap[a] = unary->heap[b];
    unary->heap[b] = other;
}

// The heap has room for every slot.
static void push(struct unary *unary, struct slot *slot, int64_t due_ns) {
    uint32_t at = unary->heap_count++;
    slot->due_ns = due_ns;
    unary->heap[at] = (uint32_t)(slot - unary->slots);
    while (at > 0 && due_before(unary, at, (at - 1) / 2)) {
        swap(unary, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static struct slot *pop(struct unary *unary) {
    struct slot *slot = &unary->slots[unary->heap[0]];
    unary->heap[0] = unary->heap[--unary->heap_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < unary->heap_count;
             child++) {
            least = due_before(unary, child, least) ? child : least;
        }
        if (least == at) {
            return slot;
        }
        swap(unary, at, least);
        at = least;
    }
}

// --- answers ---

static bool may_retry(gw_err code) {
    return code == GW_EUNAVAILABLE || code == GW_EDEADLINE || code == GW_ECANCELLED ||
           code == GW_EIO;
}

static bool retries(const struct unary *unary, const struct slot *slot, gw_err code,
                    int64_t now_ns) {
    const struct load_work_run *work = unary->work;
    bool writes = work->work->call == LOAD_REPORT || work->work->call == LOAD_FOLLOW;
    double waited = (double)(now_ns - slot->ask.intended_ns) / 1e9;
    return writes && may_retry(code) && waited < work->run->options->retry_seconds &&
           !load_stopped(work->run);
}

static uint64_t items_of(const struct unary *unary, const ProtobufCMessage *response) {
    return unary->work->work->call != LOAD_LOCATE_BATCH
               ? 0
               : ((const Gridwarden__V1__LocateBatchResponse *)response)->n_owners;
}

// What an answer means to the run beside its latency. Under the lock.
static void note_answer(struct unary *unary, const struct slot *slot,
                        const ProtobufCMessage *response) {
    struct load_run *run = unary->work->run;
    if (unary->down_ns != 0 && slot->sent_ns > unary->down_ns) {
        unary->down_ns = 0;
        (void)atomic_fetch_add(&run->ledger.reconnects, 1);
    }
    if (unary->work->work->call == LOAD_REPORT && run->options->verify) {
        const Gridwarden__V1__Incident *incident =
            ((const Gridwarden__V1__ReportResponse *)response)->incident;
        load_ledger_add(&run->ledger, incident != NULL ? incident->id : "", unary->work->lane,
                        slot->ask.number, incident != NULL ? incident->reported_ms : INT64_MAX);
    }
}

// Open loop: what happens to the slot next. Under the lock.
static void settle(struct unary *unary, struct slot *slot, bool good, bool again, int64_t now_ns) {
    if (again) {
        push(unary, slot, now_ns + LOAD_RETRY_NS);
        return;
    }
    double seconds = 0;
    if (good && unary->follow != NULL && load_follow_next(unary->work, &slot->ask, &seconds)) {
        slot->ask.intended_ns = now_ns + (int64_t)(seconds * 1e9);
        slot->tries = 0;
        push(unary, slot, slot->ask.intended_ns);
        return;
    }
    free_slot(unary, slot);
}

static void answered(void *context, const struct gw_error *error,
                     const ProtobufCMessage *response) {
    struct slot *slot = context;
    struct unary *unary = slot->unary;
    struct load_recorder *recorder = &unary->work->recorder;
    struct connection *connection = slot->connection;
    int64_t now_ns = gw_clock_monotonic_ns();
    bool again = error != NULL && retries(unary, slot, error->code, now_ns);
    if (error == NULL) {
        load_recorder_done(recorder, slot->ask.intended_ns, slot->sent_ns, now_ns,
                           items_of(unary, response));
    } else if (!again) {
        load_recorder_failed(recorder, slot->ask.intended_ns, now_ns, error->text);
    }
    (void)pthread_mutex_lock(&unary->lock);
    if (error == NULL) {
        note_answer(unary, slot, response);
    } else if (error->code == GW_EUNAVAILABLE) {
        unary->down_ns = now_ns;
    }
    if (unary->work->closed) {
        slot->waiting = false;
        slot->again = again;
        slot->due_ns = now_ns + LOAD_RETRY_NS;
    } else {
        settle(unary, slot, error == NULL, again, now_ns);
    }
    (void)pthread_mutex_unlock(&unary->lock);
    (void)atomic_fetch_sub(&connection->open, 1);
}

// --- sending ---

// Builds the next arrival's request while there is time: what that takes is the harness's own, and
// would else be counted as the server's.
static void build_ahead(struct unary *unary, int64_t intended_ns) {
    uint64_t number = atomic_load(&unary->number); // arrivals alone move it, where there are any
    if (unary->ahead == NULL || unary->ahead_number != number) {
        struct load_ask ask = {.number = number, .intended_ns = intended_ns};
        unary->ahead = load_message_fill(unary->message, unary->work, &ask);
        unary->ahead_number = number;
    }
}

static const ProtobufCMessage *request_of(struct unary *unary, const struct load_ask *ask,
                                          struct load_message *message) {
    const ProtobufCMessage *ahead = NULL;
    if (message == unary->message) { // else of a closed loop's connection
        bool same = ask->step == LOAD_STEP_CALL && ask->number == unary->ahead_number;
        ahead = same ? unary->ahead : NULL;
        unary->ahead = NULL;
    }
    return ahead != NULL ? ahead : load_message_fill(message, unary->work, ask);
}

static void send_slot(struct unary *unary, struct slot *slot, struct connection *connection,
                      struct load_message *message) {
    const struct load_work_run *work = unary->work;
    const ProtobufCMessage *request = request_of(unary, &slot->ask, message);
    slot->connection = connection;
    (void)atomic_fetch_add(&connection->open, 1);
    if (slot->tries++ > 0) {
        (void)atomic_fetch_add(&work->run->ledger.retried, 1);
    }
    slot->sent_ns = gw_clock_monotonic_ns();
    if (slot->tries == 1) {
        load_recorder_sent(&unary->work->recorder, slot->ask.intended_ns, slot->ask.intended_ns,
                           slot->sent_ns);
    }
    struct gw_error error = {.code = GW_OK};
    gw_err err = gw_rpc_unary_start(connection->channel, load_ask_path(work->work, &slot->ask),
                                    request, load_ask_response(work->work, &slot->ask),
                                    work->run->scenario->timeout_ms, answered, slot);
    if (err != GW_OK) {
        (void)gw_error_set(&error, err, "the call could not be started: %s", gw_err_text(err));
        answered(slot, &error, NULL);
    }
}

static struct connection *connection_of(struct unary *unary, uint64_t number) {
    return &unary->connections[number % unary->connection_count];
}

// A call is due by the schedule.
static void arrive(struct unary *unary, int64_t intended_ns) {
    struct load_work_run *work = unary->work;
    uint64_t number = atomic_fetch_add(&unary->number, 1);
    load_recorder_intended(&work->recorder, intended_ns);
    (void)pthread_mutex_lock(&unary->lock);
    struct slot *slot = take_slot(unary);
    (void)pthread_mutex_unlock(&unary->lock);
    if (slot == NULL) {
        load_recorder_unsent(&work->recorder, intended_ns, unary->capacity);
        return;
    }
    slot->ask.number = number;
    slot->ask.intended_ns = intended_ns;
    send_slot(unary, slot, connection_of(unary, number), unary->message);
}

// The next slot that is due, or NULL and when one will be. Once the run is over, steps that were
// not due in it are dropped, and past `drain_ns` everything.
static struct slot *take_due(struct unary *unary, int64_t now_ns, bool over, int64_t drain_ns,
                             int64_t *wake_ns) {
    const struct load_run *run = unary->work->run;
    struct slot *due = NULL;
    (void)pthread_mutex_lock(&unary->lock);
    while (unary->heap_count > 0 && due == NULL) {
        struct slot *first = &unary->slots[unary->heap[0]];
        bool late_step = first->tries == 0 && (first->due_ns >= run->end_ns || load_stopped(run));
        if (over && (late_step || now_ns >= drain_ns || load_stopped(run))) {
            free_slot(unary, pop(unary));
        } else if (first->due_ns <= now_ns) {
            due = pop(unary);
        } else {
            *wake_ns = first->due_ns < *wake_ns ? first->due_ns : *wake_ns;
            break;
        }
    }
    (void)pthread_mutex_unlock(&unary->lock);
    return due;
}

static bool idle(struct unary *unary) {
    (void)pthread_mutex_lock(&unary->lock);
    bool none = unary->free_count == unary->capacity;
    (void)pthread_mutex_unlock(&unary->lock);
    return none;
}

static int64_t drain_end(const struct load_run *run) {
    return run->end_ns + (int64_t)run->scenario->timeout_ms * 1000000 +
           (int64_t)(run->options->retry_seconds * 1e9);
}

// The open loop, until everything is answered or given up.
static void offer(struct unary *unary) {
    struct load_work_run *work = unary->work;
    const struct load_run *run = work->run;
    int64_t length_ns = run->end_ns - run->begin_ns, drain_ns = drain_end(run);
    struct load_arrivals arrivals;
    load_arrivals_init(&arrivals, (enum load_arrival_kind)work->work->arrivals, work->rate,
                       work->seed);
    if (work->work->by_hour) {
        load_arrivals_by_hour(&arrivals, work->work->hours, run->scenario->start_hour,
                              run->scenario->speed);
    }
    int64_t next_ns = load_arrivals_next(&arrivals, length_ns);
    for (;;) {
        int64_t now_ns = gw_clock_monotonic_ns(), wake_ns = now_ns + LOAD_TICK_NS;
        bool over = load_stopped(run) || (next_ns == INT64_MAX && now_ns >= run->end_ns);
        struct slot *due = take_due(unary, now_ns, over, drain_ns, &wake_ns);
        if (due != NULL) {
            if (due->tries == 0) { // a step; a retry is counted already
                load_recorder_intended(&work->recorder, due->ask.intended_ns);
            }
            send_slot(unary, due, connection_of(unary, due->ask.number), unary->message);
        } else if (!over && next_ns != INT64_MAX && run->begin_ns + next_ns <= now_ns) {
            arrive(unary, run->begin_ns + next_ns);
            next_ns = load_arrivals_next(&arrivals, length_ns);
        } else if (over && (idle(unary) || now_ns >= drain_ns)) {
            return; // calls have deadlines: what is open ends by itself
        } else {
            int64_t arrival_ns = next_ns == INT64_MAX ? INT64_MAX : run->begin_ns + next_ns;
            if (!over && next_ns != INT64_MAX) {
                build_ahead(unary, arrival_ns);
            }
            load_sleep_until(arrival_ns < wake_ns ? arrival_ns : wake_ns);
        }
    }
}

// --- threads of connections ---

static void *take_answers(void *context) {
    struct connection *connection = context;
    while (!atomic_load(&connection->unary->closing) || atomic_load(&connection->open) > 0) {
        (void)gw_rpc_channel_poll(connection->channel, 50);
    }
    return NULL;
}

// The closed loop of one connection: the next call when the last one is answered.
static void *call_in_turn(void *context) {
    struct connection *connection = context;
    struct unary *unary = connection->unary;
    struct load_work_run *work = unary->work;
    struct slot *slot = &unary->slots[connection - unary->connections];
    slot->again = false;
    load_sleep_until(work->run->begin_ns);
    while (gw_clock_monotonic_ns() < work->run->begin_ns) {
        load_sleep_until(work->run->begin_ns);
    }
    while (slot->again || !load_over(work->run, gw_clock_monotonic_ns())) {
        if (slot->again) {
            while (gw_clock_monotonic_ns() < slot->due_ns) {
                load_sleep_until(slot->due_ns);
            }
        } else {
            memset(&slot->ask, 0, sizeof(slot->ask));
            slot->tries = 0;
            slot->ask.number = atomic_fetch_add(&unary->number, 1);
            slot->ask.intended_ns = gw_clock_monotonic_ns();
            load_recorder_intended(&work->recorder, slot->ask.intended_ns);
        }
        slot->waiting = true;
        send_slot(unary, slot, connection, connection->message);
        while (slot->waiting) {
            (void)gw_rpc_channel_poll(connection->channel, 50);
        }
    }
    return NULL;
}

// --- the driver ---

static gw_err connect_all(struct unary *unary, struct gw_error *error) {
    const struct load_work_run *work = unary->work;
    unary->connections = calloc(work->work->connections, sizeof(*unary->connections));
    if (unary->connections == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for the connections");
    }
    for (uint32_t i = 0; i < work->work->connections; i++) {
        struct connection *connection = &unary->connections[i];
        connection->unary = unary;
        gw_err err = gw_rpc_channel_create(work->run->options->server, &connection->channel, error);
        if (err != GW_OK) {
            return err;
        }
        unary->connection_count++;
        connection->message = work->closed ? load_message_create(work->work) : NULL;
        if (work->closed && connection->message == NULL) {
            return gw_error_set(error, GW_ENOMEM, "no memory for the connections");
        }
    }
    return GW_OK;
}

static void reach(struct unary *unary) {
    // The connection is made before the clock starts, by a call that costs the server little.
    for (uint32_t i = 0; i < unary->connection_count; i++) {
        Gridwarden__V1__ListEditionsRequest request = GRIDWARDEN__V1__LIST_EDITIONS_REQUEST__INIT;
        ProtobufCMessage *response = NULL;
        if (gw_rpc_unary(unary->connections[i].channel, "/gridwarden.v1.GridService/ListEditions",
                         &request.base, &gridwarden__v1__list_editions_response__descriptor, 5000,
                         &response, NULL) == GW_OK) {
            protobuf_c_message_free_unpacked(response, NULL);
        }
    }
}

static gw_err prepare(struct load_work_run *work, struct gw_error *error) {
    struct unary *unary = calloc(1, sizeof(*unary));
    if (unary == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    work->state = unary;
    unary->work = work;
    (void)pthread_mutex_init(&unary->lock, NULL);
    unary->capacity = work->closed ? work->work->connections : work->work->in_flight_max;
    unary->slots = calloc(unary->capacity, sizeof(*unary->slots));
    unary->heap = calloc(unary->capacity, sizeof(*unary->heap));
    unary->message = load_message_create(work->work);
    if (unary->slots == NULL || unary->heap == NULL || unary->message == NULL) {
        return gw_error_set(error, GW_ENOMEM, "no memory for %s", work->work->name);
    }
    for (uint32_t i = unary->capacity; i-- > 0;) {
        unary->slots[i].unary = unary;
        free_slot(unary, &unary->slots[i]);
    }
    gw_err err = connect_all(unary, error);
    if (err == GW_OK) {
        reach(unary);
    }
    return err;
}

// An offer that somebody is to follow up: called by the watch's thread.
static void offered(void *context, const struct load_ask *ask) {
    struct unary *unary = context;
    (void)pthread_mutex_lock(&unary->lock);
    struct slot *slot = take_slot(unary);
    if (slot != NULL) {
        slot->ask = *ask;
        slot->ask.number = atomic_fetch_add(&unary->number, 1);
        push(unary, slot, ask->intended_ns);
    }
    (void)pthread_mutex_unlock(&unary->lock);
    if (slot == NULL) {
        load_recorder_intended(&unary->work->recorder, ask->intended_ns);
        load_recorder_unsent(&unary->work->recorder, ask->intended_ns, unary->capacity);
    }
}

static void drive(struct load_work_run *work) {
    struct unary *unary = work->state;
    if (work->work->call == LOAD_FOLLOW) {
        unary->follow = load_follow_start(work, offered, unary);
    }
    for (uint32_t i = 0; i < unary->connection_count; i++) {
        struct connection *connection = &unary->connections[i];
        connection->started =
            pthread_create(&connection->thread, NULL, work->closed ? call_in_turn : take_answers,
                           connection) == 0;
        if (!connection->started) {
            load_recorder_intended(&work->recorder, work->recorder.window_ns);
            load_recorder_failed(&work->recorder, work->recorder.window_ns, gw_clock_monotonic_ns(),
                                 "a thread could not be started");
        }
    }
    if (!work->closed) {
        offer(unary);
    }
    load_follow_stop(unary->follow);
    atomic_store(&unary->closing, true);
    for (uint32_t i = 0; i < unary->connection_count; i++) {
        if (unary->connections[i].started) {
            (void)pthread_join(unary->connections[i].thread, NULL);
        }
    }
}

static void release(struct load_work_run *work) {
    struct unary *unary = work->state;
    if (unary == NULL) {
        return;
    }
    for (uint32_t i = 0; i < unary->connection_count; i++) {
        while (atomic_load(&unary->connections[i].open) > 0) { // of a thread that never was
            (void)gw_rpc_channel_poll(unary->connections[i].channel, 50);
        }
        gw_rpc_channel_destroy(unary->connections[i].channel);
        load_message_destroy(unary->connections[i].message);
    }
    load_message_destroy(unary->message);
    (void)pthread_mutex_destroy(&unary->lock);
    free(unary->connections);
    free(unary->slots);
    free(unary->heap);
    free(unary);
    work->state = NULL;
}

const struct load_driver load_unary_driver = {prepare, drive, release};
