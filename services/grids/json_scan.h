// A strict JSON scanner (RFC 8259) over bytes in memory: one token a call, no recursion, no heap.
//
// It takes what the RFC allows and nothing else: no NaN, no comments, no trailing commas, no raw
// control characters, no half surrogates, nothing behind the document. Bytes must be valid UTF-8;
// the caller checks that first (gw_utf8_valid_prefix).
#ifndef GW_SERVICES_GRIDS_JSON_SCAN_H
#define GW_SERVICES_GRIDS_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define GW_JSON_DEPTH_MAX 30u        // arrays and objects inside one another
#define GW_JSON_STRING_MAX 16777216u // bytes of one string as written
#define GW_JSON_NUMBER_MAX 1024u     // characters of one number
#define GW_JSON_EXPONENT_MAX 300     // decimal magnitude above which a number is called too large

enum gw_json_token {
    GW_JSON_ERROR, // and from then on; see `problem`
    GW_JSON_END,   // of the document, nothing behind it
    GW_JSON_OBJECT,
    GW_JSON_OBJECT_END,
    GW_JSON_ARRAY,
    GW_JSON_ARRAY_END,
    GW_JSON_KEY, // its value is the next token
    GW_JSON_STRING,
    GW_JSON_NUMBER,
    GW_JSON_TRUE,
    GW_JSON_FALSE,
    GW_JSON_NULL
};

enum gw_json_fault { GW_JSON_FINE, GW_JSON_SYNTAX, GW_JSON_LIMIT, GW_JSON_ENCODING };

struct gw_json_scan {
    const char *text;
    size_t size, at;
    unsigned depth;               // open arrays and objects
    char open[GW_JSON_DEPTH_MAX]; // '{' or '[' of each
    int next;                     // what may come next: see json_scan.c
    const char *token;            // the last key, string (without quotes) or number, as written
    size_t token_size;
    enum gw_json_fault fault;
    const char *problem; // a clause without full stop, when fault is set
};

void gw_json_start(struct gw_json_scan *scan, const char *text, size_t size);
enum gw_json_token gw_json_next(struct gw_json_scan *scan);

// Reads over the value whose first token was `first`. False: an error came.
bool gw_json_skip(struct gw_json_scan *scan, enum gw_json_token first);

// Line and column, from 1, of the place that was reached; columns count bytes.
void gw_json_place(const struct gw_json_scan *scan, size_t *line, size_t *column);

// The last key or string with its escapes undone into out[out_size], NUL-terminated, *size bytes.
// False: it does not fit. A NUL escape is decoded like any other: compare *size with strlen(out).
bool gw_json_decode(const struct gw_json_scan *scan, char *out, size_t out_size, size_t *size);

// Whether the last number is too large for a double or nearly so (above 1e300).
bool gw_json_number_overflows(const struct gw_json_scan *scan);

#endif
