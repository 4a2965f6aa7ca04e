#include "geo/tiles/spans.h"

#include <stdlib.h>

#define GROUP_BITS 4u // 16 spans or groups to a group

static int compare_spans(const void *left, const void *right) {
    const struct span *a = left, *b = right;
    if (a->low != b->low) {
        return a->low < b->low ? -1 : 1;
    }
    return a->item == b->item ? 0 : a->item < b->item ? -1 : 1;
}

static uint32_t groups_of(uint32_t count) {
    return (count >> GROUP_BITS) + ((count & ((1u << GROUP_BITS) - 1)) != 0 ? 1 : 0);
}

bool spans_make(struct spans *spans, struct span *list, uint32_t count) {
    *spans = (struct spans){.list = list, .count = count};
    spans->highs = malloc(((size_t)count / 8 + SPAN_LEVELS_MAX) * sizeof *spans->highs);
    if (spans->highs == NULL) {
        spans_deinit(spans);
        return false;
    }
    qsort(list, count, sizeof *list, compare_spans);
    uint32_t below = count, end = 0;
    while (below > 1) {
        uint32_t level = spans->level_count++, start = end, groups = groups_of(below);
        spans->level_starts[level] = start;
        for (uint32_t i = 0; i < below; i++) {
            int32_t high =
                level == 0 ? list[i].high : spans->highs[spans->level_starts[level - 1] + i];
            int32_t *group = &spans->highs[start + (i >> GROUP_BITS)];
            *group = (i & ((1u << GROUP_BITS) - 1)) == 0 || high > *group ? high : *group;
        }
        end = start + groups;
        below = groups;
    }
    return true;
}

void spans_deinit(struct spans *spans) {
    free(spans->list);
    free(spans->highs);
    *spans = (struct spans){0};
}

uint32_t spans_next(const struct spans *spans, uint32_t from, int32_t at) {
    uint64_t i = from;
    while (i < spans->count && spans->list[i].low <= at) {
        // The largest group that begins here and ends too early as a whole is passed over.
        uint64_t step = 0;
        for (uint32_t level = 0; level < spans->level_count; level++) {
            uint32_t bits = (level + 1) * GROUP_BITS;
            if ((i & ((UINT64_C(1) << bits) - 1)) != 0 ||
                spans->highs[spans->level_starts[level] + (i >> bits)] >= at) {
                break;
            }
            step = UINT64_C(1) << bits;
        }
        if (step == 0 && spans->list[i].high >= at) {
            return (uint32_t)i;
        }
        i += step == 0 ? 1 : step;
    }
    return spans->count;
}
