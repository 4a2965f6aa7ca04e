#include "geo/tiles/intern.h"

#include <stdlib.h>
#include <string.h>

uint64_t intern_hash(const void *run, size_t size) {
    const unsigned char *from = run;
    uint64_t hash = 0x9e3779b97f4a7c15u ^ size;
    for (; size > 0; from += 8) {
        uint64_t word = 0;
        size_t taken = size < 8 ? size : 8;
        memcpy(&word, from, taken);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
        size -= taken;
    }
    return hash ^ hash >> 29;
}

static bool grow_slots(struct intern *intern) {
    uint32_t slot_count = intern->slot_count == 0 ? 64 : intern->slot_count * 2;
    uint32_t *slots = slot_count == 0 ? NULL : calloc(slot_count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < intern->count; i++) {
        uint32_t slot = (uint32_t)intern->entries[i].hash & (slot_count - 1);
        while (slots[slot] != 0) {
            slot = (slot + 1) & (slot_count - 1);
        }
        slots[slot] = i + 1;
    }
    free(intern->slots);
    intern->slots = slots;
    intern->slot_count = slot_count;
    return true;
}

static bool grow(struct intern *intern) {
    if (intern->count == intern->entry_capacity) {
        uint32_t capacity = intern->entry_capacity == 0 ? 32 : intern->entry_capacity * 2;
        struct intern_entry *entries =
            capacity == 0 ? NULL : realloc(intern->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return false;
        }
        intern->entries = entries;
        intern->entry_capacity = capacity;
    }
    return intern->count < intern->slot_count / 2 || grow_slots(intern);
}

uint32_t intern_put(struct intern *intern, const void *run, size_t size, const unsigned char head[],
                    size_t head_size) {
    intern->failed = intern->failed || !grow(intern);
    if (intern->failed) {
        return 0;
    }
    uint64_t hash = intern_hash(run, size);
    uint32_t mask = intern->slot_count - 1, slot = (uint32_t)hash & mask;
    for (; intern->slots[slot] != 0; slot = (slot + 1) & mask) {
        const struct intern_entry *entry = &intern->entries[intern->slots[slot] - 1];
        if (entry->hash == hash && entry->size == size &&
            memcmp(intern->bytes.data + entry->start, run, size) == 0) {
            return intern->slots[slot] - 1;
        }
    }
    gw_bytes_append(&intern->bytes, head, head_size);
    size_t start = intern->bytes.size;
    gw_bytes_append(&intern->bytes, run, size);
    if (intern->bytes.failed) {
        intern->failed = true;
        return 0;
    }
    intern->entries[intern->count] = (struct intern_entry){hash, start, size};
    intern->slots[slot] = ++intern->count;
    return intern->count - 1;
}

void intern_cut(struct intern *intern, uint32_t count) {
    if (count == 0 && intern->count > 0) {
        memset(intern->slots, 0, intern->slot_count * sizeof *intern->slots);
        intern->count = 0;
    }
    // The last that came in stands at the end of its run of slots: emptying it hides no other.
    while (intern->count > count) {
        uint32_t mask = intern->slot_count - 1;
        uint32_t slot = (uint32_t)intern->entries[intern->count - 1].hash & mask;
        while (intern->slots[slot] != intern->count) {
            slot = (slot + 1) & mask;
        }
        intern->slots[slot] = 0;
        intern->count--;
    }
    if (count == 0) {
        gw_bytes_clear(&intern->bytes);
        intern->failed = false;
    }
}

void intern_deinit(struct intern *intern) {
    gw_bytes_free(&intern->bytes);
    free(intern->entries);
    free(intern->slots);
    *intern = (struct intern){0};
}
