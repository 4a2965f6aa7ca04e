// Watches: server streams that follow the shard's feed from a token on.
//
// A watch is a cursor, not a queue: when its stream has room it reads the entries after its
// cursor, so a slow reader costs no memory and loses nothing; one that falls out of what the log
// holds is told GW_ERANGE. A token is "0:<sequence>.<event>": the shard, the entry, and how many of
// the entry's events the reader has; the heartbeat of a quiet watch carries it too. The messages of
// a snapshot carry none, since nobody could go on from its middle; the first token ends it.
//
// Threads: a watch belongs to its call's loop thread; wakes and heartbeats come from others.
#ifndef GW_SERVICES_API_WATCH_H
#define GW_SERVICES_API_WATCH_H

#include "services/rpc/server.h"
#include "services/shard/shard.h"

struct gw_watches; // all watches of a node, with the thread that makes their hearts beat
struct gw_watch;

// One kind of watch: how it starts, what it makes of an event, how it says that nothing happened.
struct gw_watch_kind {
    // Sends the next part of the snapshot, without tokens; *more: there is another part, for the
    // next turn. GW_ENOSPC: to be called again when there is room. NULL: no snapshot.
    gw_err (*snapshot)(struct gw_watch *watch, bool *more, struct gw_error *error);
    // Sends what the event at `index` of the entry means to this watch (perhaps nothing), with the
    // token that resumes after it.
    gw_err (*event)(struct gw_watch *watch, const Gridwarden__Store__V1__LogEntry *entry,
                    size_t index, const char *token, struct gw_error *error);
    gw_err (*heartbeat)(struct gw_watch *watch, const char *token);
};

GW_MUST_CHECK gw_err gw_watches_create(struct gw_shard *shard, int64_t heartbeat_ms,
                                       struct gw_watches **watches, struct gw_error *error);
void gw_watches_destroy(struct gw_watches *watches); // accepts NULL; no watch is left

// Makes a watch of a server-stream call, from its start handler. `token` "": from now on (with the
// snapshot first, if the kind has one). Fails the call itself when something is wrong. `state` is
// freed with free() when the watch ends, also when this fails.
void gw_watch_start(struct gw_watches *watches, const struct gw_watch_kind *kind,
                    struct gw_rpc_call *call, const char *token, void *state);

void *gw_watch_state(struct gw_watch *watch);
struct gw_shard *gw_watch_shard(struct gw_watch *watch);
struct gw_rpc_call *gw_watch_call(struct gw_watch *watch);

#endif
