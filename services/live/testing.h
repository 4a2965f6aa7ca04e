// A client of the live stream: folds what it reads into a picture of its own.
#ifndef GW_SERVICES_LIVE_TESTING_H
#define GW_SERVICES_LIVE_TESTING_H

#include "services/live/live.h"
#include "services/shard/testing.h"

#include <jansson.h>
#include <pthread.h>

struct test_client {
    struct gw_live *live;
    struct gw_live_reader *reader;
    bool with_workers;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool woken;
    struct gw_buffer text; // received, not yet taken in
    char last_id[64];
    uint64_t last_n;
    uint64_t edition; // of ready or of the last edition event
    uint32_t snapshots, readies, incident_events, worker_events, edition_events, heartbeats;
    size_t longest;                      // event, in bytes
    json_t *incidents, *workers;         // by id
    json_t *new_incidents, *new_workers; // of a snapshot that is not complete
};

void test_client_init(struct test_client *client, struct gw_live *live, bool with_workers);
void test_client_deinit(struct test_client *client);
// Opens with the last id that it has.
gw_err test_client_open(struct test_client *client);
void test_client_close(struct test_client *client); // as a connection that breaks
// Reads what is there in pieces of up to `piece` bytes and takes in what is whole.
gw_err test_client_read(struct test_client *client, size_t piece);
// Waits for a wake after a read that ended with nothing.
void test_client_wait(struct test_client *client);

// Reads on until it shows what the shard has: the open ones of these incidents, and the workers.
void test_client_catch_up(struct test_client *client, struct bench *bench,
                          char ids[][GW_INCIDENT_ID_SIZE], uint32_t id_count);
// Takes an incident from its offer (or desk) to the end, by whom it is with.
void test_finish(struct bench *bench, const char *id);

#endif
