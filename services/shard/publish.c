#include "services/grids/editions.h"
#include "services/incidents/message.h"
#include "services/shard/chain.h"
#include "services/shard/entry.h"
#include "services/shard/shard.h"

gw_err gw_shard_append_edition(struct gw_store *store, struct gw_log *log,
                               const Gridwarden__Store__V1__EditionEvent *event, int64_t now_ms,
                               struct gw_error *error) {
    struct chain chain;
    struct entry entry;
    gw_err err = chain_load(&chain, store, log, error);
    if (err != GW_OK) {
        return err;
    }
    ProtobufCMessage *copy = gw_message_clone(&event->base);
    if (copy == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory: nothing was written");
    }
    entry_begin(&entry, store);
    entry_add_edition_event(&entry, (Gridwarden__Store__V1__EditionEvent *)copy);
    err = gw_editions_apply(store, entry.views, event, error);
    if (err == GW_OK) {
        err = chain_append(&chain, store, log, entry.message, now_ms, entry.views, error);
    }
    entry_end(&entry);
    return err;
}
