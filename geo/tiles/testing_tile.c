#include "geo/tiles/testing_tile.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const unsigned char *at, *end;
};

static uint64_t varint(struct input *input) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert(input->at < input->end && shift < 64);
        unsigned char byte = *input->at++;
        value |= (uint64_t)(byte & 127u) << shift;
        if (byte < 128) {
            return value;
        }
    }
}

static struct input message(struct input *input) {
    uint64_t size = varint(input);
    assert(size <= (uint64_t)(input->end - input->at));
    struct input inner = {input->at, input->at + size};
    input->at += size;
    return inner;
}

static int64_t unzigzag(uint64_t value) {
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1u);
}

// Makes room for one element more.
static void *more(void *array, uint32_t count, size_t size) {
    if ((count & (count - 1)) != 0) {
        return array;
    }
    void *grown = realloc(array, (count == 0 ? 1 : (size_t)count * 2) * size);
    assert(grown != NULL);
    return grown;
}

static void read_ring(struct test_tile *tile, struct input *input, uint64_t count,
                      int64_t cursor[2], struct test_ring *ring) {
    for (uint64_t i = 0; i < count; i++) {
        cursor[0] += unzigzag(varint(input));
        cursor[1] += unzigzag(varint(input));
        tile->points = more(tile->points, tile->point_count, sizeof *tile->points);
        tile->points[tile->point_count++] =
            (struct gw_mvt_point){(int32_t)cursor[0], (int32_t)cursor[1]};
        ring->count++;
    }
}

static void read_geometry(struct test_tile *tile, struct test_feature *feature,
                          struct input input) {
    int64_t cursor[2] = {0, 0};
    assert(input.at < input.end);
    feature->first_ring = tile->ring_count;
    while (input.at < input.end) {
        struct test_ring ring = {tile->point_count, 0, 0};
        uint64_t command = varint(&input);
        assert((command & 7u) == 1);
        if (feature->type == 1) {
            assert(command >> 3 > 0);
            read_ring(tile, &input, command >> 3, cursor, &ring);
        } else {
            assert(feature->type == 3 && command >> 3 == 1);
            read_ring(tile, &input, 1, cursor, &ring);
            command = varint(&input);
            assert((command & 7u) == 2 && command >> 3 >= 2);
            read_ring(tile, &input, command >> 3, cursor, &ring);
            assert(varint(&input) == (1u << 3 | 7u));
            for (uint32_t i = 0; i < ring.count; i++) {
                struct gw_mvt_point a = tile->points[ring.start + i];
                struct gw_mvt_point b = tile->points[ring.start + (i + 1) % ring.count];
                ring.area += (int64_t)a.x * b.y - (int64_t)a.y * b.x;
            }
        }
        tile->rings = more(tile->rings, tile->ring_count, sizeof *tile->rings);
        tile->rings[tile->ring_count++] = ring;
        feature->ring_count++;
    }
}

static void read_feature(struct test_tile *tile, struct input input) {
    struct test_feature feature = {.id = UINT64_MAX};
    struct input geometry = {NULL, NULL};
    while (input.at < input.end) {
        switch (varint(&input)) {
        case 1 << 3:
            feature.id = varint(&input);
            break;
        case 2 << 3 | 2: {
            struct input tags = message(&input);
            while (tags.at < tags.end) {
                assert(feature.tag_count < 32);
                feature.tags[feature.tag_count++] = (uint32_t)varint(&tags);
            }
            assert(feature.tag_count % 2 == 0);
            break;
        }
        case 3 << 3:
            feature.type = (uint32_t)varint(&input);
            break;
        case 4 << 3 | 2:
            geometry = message(&input);
            break;
        default:
            assert(false); // a field that no feature has
        }
    }
    read_geometry(tile, &feature, geometry);
    tile->features = more(tile->features, tile->feature_count, sizeof *tile->features);
    tile->features[tile->feature_count++] = feature;
}

static void copy_text(char to[], size_t size, struct input from) {
    size_t length = (size_t)(from.end - from.at);
    assert(length < size);
    memcpy(to, from.at, length);
    to[length] = '\0';
}

static void read_value(struct test_tile *tile, struct input input) {
    tile->values = more(tile->values, tile->value_count, sizeof *tile->values);
    char *to = tile->values[tile->value_count++];
    switch (varint(&input)) {
    case 1 << 3 | 2:
        copy_text(to, sizeof *tile->values, message(&input));
        break;
    case 5 << 3:
        snprintf(to, sizeof *tile->values, "%llu", (unsigned long long)varint(&input));
        break;
    case 6 << 3:
        snprintf(to, sizeof *tile->values, "%lld", (long long)unzigzag(varint(&input)));
        break;
    default:
        assert(false); // a value of no kind that is written
    }
    assert(input.at == input.end);
}

static void read_layer(struct test_tile *tile, struct input input) {
    while (input.at < input.end) {
        switch (varint(&input)) {
        case 1 << 3 | 2:
            copy_text(tile->layer, sizeof tile->layer, message(&input));
            break;
        case 2 << 3 | 2:
            read_feature(tile, message(&input));
            break;
        case 3 << 3 | 2:
            tile->keys = more(tile->keys, tile->key_count, sizeof *tile->keys);
            copy_text(tile->keys[tile->key_count++], sizeof *tile->keys, message(&input));
            break;
        case 4 << 3 | 2:
            read_value(tile, message(&input));
            break;
        case 5 << 3:
            tile->extent = (uint32_t)varint(&input);
            break;
        case 15 << 3:
            tile->version = (uint32_t)varint(&input);
            break;
        default:
            assert(false); // a field that no layer has
        }
    }
    assert(tile->version == 2 && tile->extent == 4096 && tile->layer[0] != '\0');
    assert(tile->feature_count > 0);
    for (uint32_t i = 0; i < tile->feature_count; i++) {
        for (uint32_t j = 0; j < tile->features[i].tag_count; j += 2) {
            assert(tile->features[i].tags[j] < tile->key_count);
            assert(tile->features[i].tags[j + 1] < tile->value_count);
        }
    }
}

void test_tile_read(struct test_tile *tile, const struct gw_bytes *bytes) {
    *tile = (struct test_tile){0};
    if (bytes->size == 0) {
        return;
    }
    struct input input = {bytes->data, bytes->data + bytes->size};
    while (input.at < input.end) {
        assert(varint(&input) == (3u << 3 | 2u) && tile->layer_count++ == 0);
        read_layer(tile, message(&input));
    }
}

void test_tile_free(struct test_tile *tile) {
    free(tile->points);
    free(tile->rings);
    free(tile->features);
    free(tile->keys);
    free(tile->values);
}

const struct test_feature *test_tile_feature(const struct test_tile *tile, uint64_t id) {
    for (uint32_t i = 0; i < tile->feature_count; i++) {
        if (tile->features[i].id == id) {
            return &tile->features[i];
        }
    }
    return NULL;
}

const char *test_tile_value(const struct test_tile *tile, const struct test_feature *feature,
                            const char *key) {
    for (uint32_t i = 0; i < feature->tag_count; i += 2) {
        if (strcmp(tile->keys[feature->tags[i]], key) == 0) {
            return tile->values[feature->tags[i + 1]];
        }
    }
    return NULL;
}
