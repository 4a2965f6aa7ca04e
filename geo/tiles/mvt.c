#include "geo/tiles/mvt.h"

#include "geo/tiles/intern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Field numbers and wire types of vector_tile.proto, as protobuf writes them.
enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };
enum { TILE_LAYER = 3 };
enum { LAYER_NAME = 1, LAYER_FEATURE, LAYER_KEY, LAYER_VALUE, LAYER_EXTENT, LAYER_VERSION = 15 };
enum { FEATURE_ID = 1, FEATURE_TAGS, FEATURE_TYPE, FEATURE_GEOMETRY };
enum { VALUE_TEXT = 1, VALUE_UNSIGNED = 5, VALUE_SIGNED = 6 };
enum { MOVE_TO = 1, LINE_TO = 2, CLOSE_PATH = 7 };

#define EXTENT 4096
#define VERSION 2
#define VARINT_MAX 10 // bytes

struct gw_mvt_writer {
    struct gw_bytes name;
    struct gw_bytes features; // of this layer, done
    struct intern keys, values;
    uint32_t feature_count; // among `features`

    // The feature that was begun last.
    bool open;
    uint64_t id;
    enum gw_mvt_type type;
    struct gw_bytes tags, geometry;
    struct gw_bytes value; // scratch: one Value message
    struct gw_mvt_point cursor;
    uint32_t keys_before, values_before;
    size_t key_bytes_before, value_bytes_before;
};

static uint32_t tag(uint32_t field, uint32_t wire) {
    return field << 3 | wire;
}

static size_t write_varint(unsigned char to[], uint64_t value) {
    size_t size = 0;
    for (; value > 127; value >>= 7) {
        to[size++] = (unsigned char)(value | 128u);
    }
    to[size++] = (unsigned char)value;
    return size;
}

static uint64_t zigzag(int64_t value) {
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

gw_err gw_mvt_create(struct gw_mvt_writer **writer) {
    struct gw_mvt_writer *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return GW_ENOMEM;
    }
    *writer = made;
    return GW_OK;
}

void gw_mvt_destroy(struct gw_mvt_writer *writer) {
    if (writer != NULL) {
        gw_bytes_free(&writer->name);
        gw_bytes_free(&writer->features);
        gw_bytes_free(&writer->tags);
        gw_bytes_free(&writer->geometry);
        gw_bytes_free(&writer->value);
        intern_deinit(&writer->keys);
        intern_deinit(&writer->values);
        free(writer);
    }
}

void gw_mvt_begin(struct gw_mvt_writer *writer, const char *layer) {
    gw_bytes_clear(&writer->name);
    gw_bytes_clear(&writer->features);
    gw_bytes_clear(&writer->tags);
    gw_bytes_clear(&writer->geometry);
    intern_cut(&writer->keys, 0);
    intern_cut(&writer->values, 0);
    gw_bytes_append(&writer->name, layer, strlen(layer));
    writer->feature_count = 0;
    writer->open = false;
}

void gw_mvt_drop(struct gw_mvt_writer *writer) {
    if (writer->open) {
        intern_cut(&writer->keys, writer->keys_before);
        intern_cut(&writer->values, writer->values_before);
        writer->keys.bytes.size = writer->key_bytes_before;
        writer->values.bytes.size = writer->value_bytes_before;
        writer->open = false;
    }
}

// Appends the feature that was begun last to those that are done.
static void close_feature(struct gw_mvt_writer *writer) {
    if (!writer->open) {
        return;
    }
    if (writer->geometry.size == 0) {
        gw_mvt_drop(writer);
        return;
    }
    writer->open = false;
    unsigned char head[3 * (1 + VARINT_MAX) + 2], geometry[1 + VARINT_MAX];
    size_t size = 0;
    if (writer->id <= GW_MVT_ID_MAX) {
        head[size++] = (unsigned char)tag(FEATURE_ID, WIRE_VARINT);
        size += write_varint(head + size, writer->id);
    }
    head[size++] = (unsigned char)tag(FEATURE_TYPE, WIRE_VARINT);
    head[size++] = (unsigned char)writer->type;
    if (writer->tags.size > 0) {
        head[size++] = (unsigned char)tag(FEATURE_TAGS, WIRE_BYTES);
        size += write_varint(head + size, writer->tags.size);
    }
    geometry[0] = (unsigned char)tag(FEATURE_GEOMETRY, WIRE_BYTES);
    size_t geometry_size = 1 + write_varint(geometry + 1, writer->geometry.size);

    struct gw_bytes *out = &writer->features;
    gw_bytes_varint(out, tag(LAYER_FEATURE, WIRE_BYTES));
    gw_bytes_varint(out, size + writer->tags.size + geometry_size + writer->geometry.size);
    gw_bytes_append(out, head, size);
    gw_bytes_append(out, writer->tags.data, writer->tags.size);
    gw_bytes_append(out, geometry, geometry_size);
    gw_bytes_append(out, writer->geometry.data, writer->geometry.size);
    out->failed = out->failed || writer->tags.failed || writer->geometry.failed;
    writer->feature_count++;
}

void gw_mvt_feature(struct gw_mvt_writer *writer, uint64_t id, enum gw_mvt_type type) {
    close_feature(writer);
    writer->open = true;
    writer->id = id;
    writer->type = type;
    writer->cursor = (struct gw_mvt_point){0, 0};
    writer->keys_before = writer->keys.count;
    writer->values_before = writer->values.count;
    writer->key_bytes_before = writer->keys.bytes.size;
    writer->value_bytes_before = writer->values.bytes.size;
    gw_bytes_clear(&writer->tags);
    gw_bytes_clear(&writer->geometry);
}

// Interns the key, and the Value message that lies in `writer->value`.
static void put_property(struct gw_mvt_writer *writer, const char *key) {
    assert(writer->open);
    unsigned char head[1 + VARINT_MAX] = {(unsigned char)tag(LAYER_KEY, WIRE_BYTES)};
    size_t key_size = strlen(key);
    size_t head_size = 1 + write_varint(head + 1, key_size);
    uint32_t key_index = intern_put(&writer->keys, key, key_size, head, head_size);

    struct gw_bytes *value = &writer->value;
    head[0] = (unsigned char)tag(LAYER_VALUE, WIRE_BYTES);
    head_size = 1 + write_varint(head + 1, value->size);
    uint32_t value_index = intern_put(&writer->values, value->data, value->size, head, head_size);
    gw_bytes_varint(&writer->tags, key_index);
    gw_bytes_varint(&writer->tags, value_index);
    writer->tags.failed = writer->tags.failed || value->failed;
}

void gw_mvt_text(struct gw_mvt_writer *writer, const char *key, const char *value) {
    size_t size = strlen(value);
    gw_bytes_clear(&writer->value);
    gw_bytes_varint(&writer->value, tag(VALUE_TEXT, WIRE_BYTES));
    gw_bytes_varint(&writer->value, size);
    gw_bytes_append(&writer->value, value, size);
    put_property(writer, key);
}

void gw_mvt_integer(struct gw_mvt_writer *writer, const char *key, int64_t value) {
    gw_bytes_clear(&writer->value);
    gw_bytes_varint(&writer->value, tag(value < 0 ? VALUE_SIGNED : VALUE_UNSIGNED, WIRE_VARINT));
    gw_bytes_varint(&writer->value, value < 0 ? zigzag(value) : (uint64_t)value);
    put_property(writer, key);
}

static void put_command(struct gw_mvt_writer *writer, uint32_t command, uint32_t count) {
    gw_bytes_varint(&writer->geometry, (uint64_t)count << 3 | command);
}

// Coordinates follow one another as differences, most of them of one byte or two.
static unsigned char *write_difference(unsigned char *to, int32_t from, int32_t at) {
    uint64_t value = zigzag((int64_t)at - from);
    if (value < 1u << 7) {
        *to++ = (unsigned char)value;
        return to;
    }
    if (value < 1u << 14) {
        *to++ = (unsigned char)(value | 128u);
        *to++ = (unsigned char)(value >> 7);
        return to;
    }
    return to + write_varint(to, value);
}

static void put_points(struct gw_mvt_writer *writer, const struct gw_mvt_point points[],
                       uint32_t count) {
    unsigned char *to = gw_bytes_room(&writer->geometry, 2u * VARINT_MAX * (size_t)count);
    if (to == NULL) {
        return;
    }
    struct gw_mvt_point cursor = writer->cursor;
    for (uint32_t i = 0; i < count; i++) {
        to = write_difference(to, cursor.x, points[i].x);
        to = write_difference(to, cursor.y, points[i].y);
        cursor = points[i];
    }
    writer->cursor = cursor;
    writer->geometry.size = (size_t)(to - writer->geometry.data);
}

void gw_mvt_points(struct gw_mvt_writer *writer, const struct gw_mvt_point points[],
                   uint32_t count) {
    assert(writer->open && writer->type == GW_MVT_POINT);
    if (count > 0) {
        put_command(writer, MOVE_TO, count);
        put_points(writer, points, count);
    }
}

void gw_mvt_ring(struct gw_mvt_writer *writer, const struct gw_mvt_point points[], uint32_t count) {
    assert(writer->open && writer->type == GW_MVT_POLYGON && count >= 3);
    put_command(writer, MOVE_TO, 1);
    put_points(writer, points, 1);
    put_command(writer, LINE_TO, count - 1);
    put_points(writer, points + 1, count - 1);
    put_command(writer, CLOSE_PATH, 1);
}

uint32_t gw_mvt_feature_count(const struct gw_mvt_writer *writer) {
    return writer->feature_count + (writer->open && writer->geometry.size > 0 ? 1 : 0);
}

gw_err gw_mvt_end(struct gw_mvt_writer *writer, struct gw_bytes *tile) {
    close_feature(writer);
    if (writer->features.failed || writer->name.failed || writer->keys.failed ||
        writer->values.failed) {
        return GW_ENOMEM;
    }
    if (writer->feature_count == 0) {
        return GW_OK;
    }
    unsigned char head[4 * (1 + VARINT_MAX)], tail[1 + VARINT_MAX];
    size_t size = 0;
    head[size++] = (unsigned char)tag(LAYER_VERSION, WIRE_VARINT);
    size += write_varint(head + size, VERSION);
    head[size++] = (unsigned char)tag(LAYER_NAME, WIRE_BYTES);
    size += write_varint(head + size, writer->name.size);
    size_t tail_size = 0;
    tail[tail_size++] = (unsigned char)tag(LAYER_EXTENT, WIRE_VARINT);
    tail_size += write_varint(tail + tail_size, EXTENT);

    size_t start = tile->size;
    gw_bytes_varint(tile, tag(TILE_LAYER, WIRE_BYTES));
    gw_bytes_varint(tile, size + writer->name.size + writer->features.size +
                              writer->keys.bytes.size + writer->values.bytes.size + tail_size);
    gw_bytes_append(tile, head, size);
    gw_bytes_append(tile, writer->name.data, writer->name.size);
    gw_bytes_append(tile, writer->features.data, writer->features.size);
    gw_bytes_append(tile, writer->keys.bytes.data, writer->keys.bytes.size);
    gw_bytes_append(tile, writer->values.bytes.data, writer->values.bytes.size);
    gw_bytes_append(tile, tail, tail_size);
    if (tile->failed) {
        tile->size = start;
        return GW_ENOMEM;
    }
    return GW_OK;
}

#define CODE_DIGITS_MAX 15
#define CODE_HASH_BITS 52

uint64_t gw_mvt_id_of_code(const char *code) {
    uint64_t number = 0, hash = 0xcbf29ce484222325u; // FNV-1a
    size_t digits = 0, size = 0;
    for (; code[size] != '\0'; size++) {
        unsigned char byte = (unsigned char)code[size];
        hash = (hash ^ byte) * 0x100000001b3u;
        if (digits == size && byte >= '0' && byte <= '9' && size < CODE_DIGITS_MAX) {
            number = number * 10 + (uint64_t)(byte - '0');
            digits++;
        }
    }
    if (size > 0 && digits == size && code[0] != '0') {
        return number;
    }
    // FNV's high bits hardly differ between short codes: murmur3's last step spreads them.
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
    hash ^= hash >> 33;
    return (UINT64_C(1) << CODE_HASH_BITS) + (hash >> (64 - CODE_HASH_BITS));
}
