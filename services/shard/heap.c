#include "services/shard/heap.h"

#include <stdlib.h>
#include <string.h>

// By time, then id, so that equal times come up in one order everywhere.
static bool before(const struct heap_item *a, const struct heap_item *b) {
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : strcmp(a->id, b->id) < 0;
}

static void sift_down(struct heap *heap, size_t at) {
    struct heap_item moving = heap->items[at];
    for (size_t child = 2 * at + 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count && before(&heap->items[child + 1], &heap->items[child])) {
            child++;
        }
        if (!before(&heap->items[child], &moving)) {
            break;
        }
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = moving;
}

void heap_push(struct heap *heap, const struct heap_item *item) {
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity > 0 ? heap->capacity * 2 : 64;
        struct heap_item *items = realloc(heap->items, capacity * sizeof(items[0]));
        if (items == NULL) {
            abort();
        }
        heap->items = items;
        heap->capacity = capacity;
    }
    size_t at = heap->count++;
    while (at > 0 && before(item, &heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = *item;
}

const struct heap_item *heap_first(const struct heap *heap) {
    return heap->count > 0 ? &heap->items[0] : NULL;
}

void heap_pop(struct heap *heap) {
    if (heap->count > 0) {
        heap->items[0] = heap->items[--heap->count];
        if (heap->count > 0) {
            sift_down(heap, 0);
        }
    }
}

void heap_keep(struct heap *heap, bool (*keep)(void *context, const struct heap_item *item),
               void *context) {
    size_t kept = 0;
    for (size_t i = 0; i < heap->count; i++) {
        if (keep(context, &heap->items[i])) {
            heap->items[kept++] = heap->items[i];
        }
    }
    heap->count = kept;
    for (size_t i = kept / 2; i > 0; i--) {
        sift_down(heap, i - 1);
    }
}

void heap_free(struct heap *heap) {
    free(heap->items);
    *heap = (struct heap){0};
}
