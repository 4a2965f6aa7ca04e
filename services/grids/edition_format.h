// The bytes of an edition file. Private to the edition's reader and writer.
//
// Shape:   a header, then the sections in the order of the enum, each at a multiple of 64 bytes.
//          Every reference in it is an offset or an index, so it is mapped and used as it is.
// Order:   little-endian, as on every machine that this runs on; the mark refuses others.
// Version: a reader takes exactly its own; a new version of the file is imported anew.
#ifndef GW_SERVICES_GRIDS_EDITION_FORMAT_H
#define GW_SERVICES_GRIDS_EDITION_FORMAT_H

#include <stdint.h>

#define GW_EDITION_MAGIC "GWEDITN\n"
#define GW_EDITION_VERSION 1u
#define GW_EDITION_BYTE_ORDER 0x01020304u
#define GW_EDITION_ALIGNMENT 64u
#define GW_EDITION_HASH_FROM 32u // the checksum covers every byte from here to the end

enum gw_edition_section {
    GW_SECTION_META,          // struct gw_edition_meta
    GW_SECTION_STRINGS,       // NUL-terminated texts; offset 0 is ""
    GW_SECTION_AREAS,         // struct gw_area_record[area_count], by code in byte order
    GW_SECTION_GRIDS,         // struct gw_grid_record[grid_count], by rank (priority, code)
    GW_SECTION_CODE_ORDER,    // uint32_t[grid_count]: grids by code in byte order
    GW_SECTION_CODE_RANKS,    // uint32_t[grid_count]: the inverse
    GW_SECTION_GRID_RINGS,    // uint32_t[grid_count + 1]
    GW_SECTION_RING_VERTICES, // uint32_t[ring_count + 1]
    GW_SECTION_RING_KINDS,    // uint8_t[ring_count]
    GW_SECTION_VERTICES,      // struct gw_point[vertex_count]
    GW_SECTION_BOXES,         // struct gw_box[grid_count]
    GW_SECTION_INDEX,         // what gw_grid_index_build made
    GW_SECTION_COUNT
};

struct gw_edition_span {
    uint64_t offset, size; // bytes
};

struct gw_edition_header {
    char magic[8];
    uint32_t version, byte_order;
    uint8_t checksum[16]; // XXH3-128, canonical form
    uint64_t file_size;
    struct gw_edition_span sections[GW_SECTION_COUNT];
};

struct gw_edition_meta {
    uint64_t number;
    int64_t created_ms;
    uint32_t layer, label; // offsets in the strings
    uint32_t grid_count, area_count, ring_count, vertex_count;
};

struct gw_area_record {
    uint32_t code, name, level, parent;
};

struct gw_grid_record {
    uint32_t code, name, kind, priority, parent;
};

#endif
