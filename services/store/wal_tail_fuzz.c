// Fuzz target: judging the bytes of a write-ahead log never reads past them, and a log that is
// whole stays so, or lacks no more than its end, wherever it is cut.
#include "services/store/wal_tail.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum store_wal_state state = store_wal_judge(data, size);
    if (size > 0 && state == STORE_WAL_WHOLE) {
        size_t cut = size * data[0] / 256;
        if (store_wal_judge(data, cut) == STORE_WAL_BROKEN) {
            abort();
        }
    }
    return 0;
}
