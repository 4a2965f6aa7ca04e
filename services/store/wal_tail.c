// RocksDB's log: blocks of 32 KiB, in them records of {masked crc32c u32, length u16, type u8,
// bytes}, all little-endian. A write is one FULL record, or FIRST, MIDDLE..., LAST over several
// blocks. Fewer than 7 bytes at a block's end stay zero.
#include "services/store/wal_tail.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES 32768u
#define HEADER_BYTES 7u
#define SECTOR_BYTES 512u
#define SEARCH_BYTES_MAX ((size_t)4 << 20) // after the damage; a longer rest is no unfinished write
#define LOGS_MAX 1024u

enum record_type {
    RECORD_NONE = 0,
    RECORD_FULL = 1,
    RECORD_FIRST = 2,
    RECORD_MIDDLE = 3,
    RECORD_LAST = 4
};

struct log_bytes {
    const uint8_t *data;
    size_t size;
    uint32_t crc_table[256];
};

struct record {
    size_t begin, end; // header and bytes; end is that of the block where the length is nonsense
    enum record_type type;
};

static void fill_crc_table(uint32_t table[256]) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1u) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
        }
        table[byte] = crc;
    }
}

static uint32_t masked_crc(const struct log_bytes *log, size_t begin, size_t end) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = begin; i < end; i++) {
        crc = log->crc_table[(crc ^ log->data[i]) & 0xffu] ^ (crc >> 8);
    }
    crc = ~crc;
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static uint32_t little_endian(const uint8_t *bytes, int count) {
    uint32_t value = 0;
    for (int i = count - 1; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static bool all_zero(const struct log_bytes *log, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
        if (log->data[i] != 0) {
            return false;
        }
    }
    return true;
}

enum record_state { RECORD_GOOD, RECORD_CUT, RECORD_BAD }; // CUT: the file ends within it

// The record at `begin`, which has a header's room left in its block.
static enum record_state read_record(const struct log_bytes *log, size_t begin,
                                     struct record *record) {
    size_t block_end = begin - begin % BLOCK_BYTES + BLOCK_BYTES;
    record->begin = begin;
    record->end = block_end < log->size ? block_end : log->size;
    record->type = RECORD_NONE;
    if (begin + HEADER_BYTES > log->size) {
        return RECORD_CUT;
    }
    size_t length = little_endian(log->data + begin + 4, 2);
    uint8_t type = log->data[begin + 6];
    size_t end = begin + HEADER_BYTES + length;
    if (type < RECORD_FULL || type > RECORD_LAST || end > block_end) {
        return RECORD_BAD;
    }
    if (end > log->size) {
        return RECORD_CUT;
    }
    record->end = end;
    record->type = (enum record_type)type;
    return masked_crc(log, begin + 6, end) == little_endian(log->data + begin, 4) ? RECORD_GOOD
                                                                                  : RECORD_BAD;
}

// Pages that never reached the disk read as zeros; flipped or foreign bytes are another kind of
// damage.
static bool has_unwritten_sector(const struct log_bytes *log, const struct record *record) {
    for (size_t at = record->begin - record->begin % SECTOR_BYTES; at < record->end;
         at += SECTOR_BYTES) {
        size_t end = at + SECTOR_BYTES < log->size ? at + SECTOR_BYTES : log->size;
        if (all_zero(log, at, end)) {
            return true;
        }
    }
    return false;
}

static bool write_begins_after(const struct log_bytes *log, size_t begin) {
    for (size_t at = begin; at + HEADER_BYTES <= log->size; at++) {
        struct record record;
        uint8_t type = log->data[at + 6];
        if ((type == RECORD_FULL || type == RECORD_FIRST) &&
            BLOCK_BYTES - at % BLOCK_BYTES >= HEADER_BYTES &&
            read_record(log, at, &record) == RECORD_GOOD) {
            return true;
        }
    }
    return false;
}

// Whether bytes follow the end of a damaged record that, by its header, ends its write.
static bool bytes_follow(const struct log_bytes *log, const struct record *bad) {
    bool ends_write = bad->type == RECORD_FULL || bad->type == RECORD_LAST;
    return ends_write && !all_zero(log, bad->end, log->size);
}

static enum store_wal_state judge_damage(const struct log_bytes *log, const struct record *bad) {
    if (all_zero(log, bad->begin, log->size)) {
        return STORE_WAL_WHOLE; // room that was allocated and never written to
    }
    if (log->size - bad->begin > SEARCH_BYTES_MAX || !has_unwritten_sector(log, bad) ||
        bytes_follow(log, bad) || write_begins_after(log, bad->begin + 1)) {
        return STORE_WAL_BROKEN;
    }
    return STORE_WAL_TORN;
}

enum store_wal_state store_wal_judge(const void *bytes, size_t size) {
    struct log_bytes log = {.data = bytes, .size = size};
    fill_crc_table(log.crc_table);
    bool within_write = false;
    size_t at = 0;
    while (at < size) {
        size_t left = BLOCK_BYTES - at % BLOCK_BYTES;
        if (left < HEADER_BYTES) {
            at += left;
            continue;
        }
        struct record record;
        enum record_state state = read_record(&log, at, &record);
        if (state == RECORD_CUT) {
            return STORE_WAL_TORN;
        }
        if (state == RECORD_BAD) {
            enum store_wal_state damage = judge_damage(&log, &record);
            return damage == STORE_WAL_WHOLE && within_write ? STORE_WAL_TORN : damage;
        }
        bool begins = record.type == RECORD_FULL || record.type == RECORD_FIRST;
        if (begins == within_write) {
            return STORE_WAL_BROKEN; // a write without its end before another, or no beginning
        }
        within_write = record.type == RECORD_FIRST || record.type == RECORD_MIDDLE;
        at = record.end;
    }
    return within_write ? STORE_WAL_TORN : STORE_WAL_WHOLE;
}

// STORE_WAL_BROKEN where the file can't be read.
static enum store_wal_state judge_file(const char *folder, uint64_t number, bool *empty) {
    char path[1200];
    snprintf(path, sizeof path, "%s/%06" PRIu64 ".log", folder, number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0) {
        return STORE_WAL_BROKEN;
    }
    enum store_wal_state state = STORE_WAL_BROKEN;
    if (fstat(fd, &status) == 0) {
        size_t size = (size_t)status.st_size;
        *empty = size == 0;
        void *bytes = size == 0 ? NULL : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (size == 0) {
            state = STORE_WAL_WHOLE;
        } else if (bytes != MAP_FAILED) {
            state = store_wal_judge(bytes, size);
            munmap(bytes, size);
        }
    }
    close(fd);
    return state;
}

static int newest_first(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? 1 : left > right ? -1 : 0;
}

// False: can't be listed, or too many.
static bool list_logs(const char *folder, uint64_t numbers[LOGS_MAX], size_t *count) {
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return false;
    }
    *count = 0;
    bool fits = true;
    const struct dirent *entry;
    while (fits && (entry = readdir(dir)) != NULL) {
        char *end = NULL;
        uint64_t number = strtoull(entry->d_name, &end, 10);
        if (end == entry->d_name || strcmp(end, ".log") != 0) {
            continue;
        }
        fits = *count < LOGS_MAX;
        if (fits) {
            numbers[(*count)++] = number;
        }
    }
    closedir(dir);
    qsort(numbers, *count, sizeof numbers[0], newest_first);
    return fits;
}

bool store_wal_tail_torn(const char *folder) {
    uint64_t numbers[LOGS_MAX];
    size_t count = 0;
    if (!list_logs(folder, numbers, &count)) {
        return false;
    }
    bool torn = false, newest = true;
    for (size_t i = 0; i < count; i++) {
        bool empty = false;
        enum store_wal_state state = judge_file(folder, numbers[i], &empty);
        if (state == STORE_WAL_BROKEN || (state == STORE_WAL_TORN && !newest)) {
            return false;
        }
        torn = torn || state == STORE_WAL_TORN;
        newest = newest && empty; // one that was begun just before the cut holds nothing yet
    }
    return torn;
}
