// A look at RocksDB's newest write-ahead log after it refused to open: is the damage no more than
// the last, unfinished write?
#ifndef GW_SERVICES_STORE_WAL_TAIL_H
#define GW_SERVICES_STORE_WAL_TAIL_H

#include <stdbool.h>
#include <stddef.h>

// True if every log but the newest is whole, and the newest is damaged only in its last write: no
// write begins after the first damage. Writes are synced one by one, so one that is followed by
// another was acknowledged, and its damage must not be passed over. False on any doubt.
bool store_wal_tail_torn(const char *folder);

// The same question about the bytes of one log. WAL_BROKEN: damaged before its last write.
enum store_wal_state { STORE_WAL_WHOLE, STORE_WAL_TORN, STORE_WAL_BROKEN };
enum store_wal_state store_wal_judge(const void *bytes, size_t size);

#endif
