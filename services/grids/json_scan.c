#include "services/grids/json_scan.h"
#include <string.h>

// What may come next.
enum {
    EXPECT_VALUE,        // after '[' with ',', ':' or at the start
    EXPECT_VALUE_OR_END, // after '['
    EXPECT_KEY,          // after ',' in an object
    EXPECT_KEY_OR_END,   // after '{'
    EXPECT_COMMA_OR_END, // after a value inside something
    EXPECT_NOTHING       // after the document
};

void gw_json_start(struct gw_json_scan *scan, const char *text, size_t size) {
    *scan = (struct gw_json_scan){.text = text, .size = size, .next = EXPECT_VALUE};
}

static enum gw_json_token fail(struct gw_json_scan *scan, enum gw_json_fault fault,
                               const char *problem) {
    if (scan->fault == GW_JSON_FINE) {
        scan->fault = fault;
        scan->problem = problem;
    }
    return GW_JSON_ERROR;
}

static void skip_blanks(struct gw_json_scan *scan) {
    while (scan->at < scan->size) {
        char c = scan->text[scan->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            return;
        }
        scan->at++;
    }
}

// After a value: what may follow in the container that is open now.
static void value_done(struct gw_json_scan *scan) {
    scan->next = scan->depth == 0 ? EXPECT_NOTHING : EXPECT_COMMA_OR_END;
}

static enum gw_json_token open_container(struct gw_json_scan *scan, char c) {
    if (scan->depth == GW_JSON_DEPTH_MAX) {
        return fail(scan, GW_JSON_LIMIT,
                    "arrays and objects are nested more than 30 deep, which no map needs");
    }
    scan->open[scan->depth++] = c;
    scan->at++;
    scan->next = c == '{' ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return c == '{' ? GW_JSON_OBJECT : GW_JSON_ARRAY;
}

static enum gw_json_token close_container(struct gw_json_scan *scan) {
    char opened = scan->open[--scan->depth];
    scan->at++;
    value_done(scan);
    return opened == '{' ? GW_JSON_OBJECT_END : GW_JSON_ARRAY_END;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// The four digits of \uXXXX at text[0], or -1.
static long unit_at(const char *text, size_t left) {
    long unit = 0;
    if (left < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

// Reads the escape whose backslash is at scan->at. Half a surrogate pair is no character.
static bool take_escape(struct gw_json_scan *scan) {
    const char *text = scan->text + scan->at;
    size_t left = scan->size - scan->at;
    if (left < 2 || strchr("\"\\/bfnrtu", text[1]) == NULL || text[1] == '\0') {
        (void)fail(scan, GW_JSON_SYNTAX,
                   "a backslash is followed by a character that is no escape");
        return false;
    }
    if (text[1] != 'u') {
        scan->at += 2;
        return true;
    }
    long unit = unit_at(text + 2, left - 2);
    if (unit < 0) {
        (void)fail(scan, GW_JSON_SYNTAX, "\\u is not followed by four hexadecimal digits");
        return false;
    }
    if (unit < 0xd800 || unit > 0xdfff) {
        scan->at += 6;
        return true;
    }
    long low = left >= 12 && text[6] == '\\' && text[7] == 'u' ? unit_at(text + 8, left - 8) : -1;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
        (void)fail(scan, GW_JSON_ENCODING, "half of a surrogate pair stands alone in a text");
        return false;
    }
    scan->at += 12;
    return true;
}

// Reads the string whose opening quote is at scan->at.
static bool take_string(struct gw_json_scan *scan) {
    size_t from = ++scan->at;
    while (scan->at < scan->size) {
        unsigned char c = (unsigned char)scan->text[scan->at];
        if (c == '"') {
            scan->token = scan->text + from;
            scan->token_size = scan->at - from;
            scan->at++;
            return true;
        }
        if (c < 0x20) {
            (void)fail(scan, GW_JSON_SYNTAX, "a text holds a raw control character");
            return false;
        }
        if (scan->at - from >= GW_JSON_STRING_MAX) {
            (void)fail(scan, GW_JSON_LIMIT, "a text is longer than 16 MiB");
            return false;
        }
        if (c != '\\') {
            scan->at++;
        } else if (!take_escape(scan)) {
            return false;
        }
    }
    (void)fail(scan, GW_JSON_SYNTAX, "the file ends inside a text");
    return false;
}

static size_t take_digits(struct gw_json_scan *scan) {
    size_t from = scan->at;
    while (scan->at < scan->size && scan->text[scan->at] >= '0' && scan->text[scan->at] <= '9') {
        scan->at++;
    }
    return scan->at - from;
}

static bool at_char(const struct gw_json_scan *scan, char c) {
    return scan->at < scan->size && scan->text[scan->at] == c;
}

static enum gw_json_token take_number(struct gw_json_scan *scan) {
    size_t from = scan->at;
    scan->at += at_char(scan, '-');
    bool zero = at_char(scan, '0');
    size_t whole = take_digits(scan);
    bool right = whole > 0 && !(zero && whole > 1);
    if (right && at_char(scan, '.')) {
        scan->at++;
        right = take_digits(scan) > 0;
    }
    if (right && (at_char(scan, 'e') || at_char(scan, 'E'))) {
        scan->at++;
        scan->at += at_char(scan, '+') || at_char(scan, '-');
        right = take_digits(scan) > 0;
    }
    if (!right) {
        return fail(scan, GW_JSON_SYNTAX,
                    scan->at == scan->size ? "the file ends inside a number"
                                           : "a number is not written as JSON wants it");
    }
    scan->token = scan->text + from;
    scan->token_size = scan->at - from;
    if (scan->token_size > GW_JSON_NUMBER_MAX) {
        return fail(scan, GW_JSON_LIMIT, "a number has more than 1,024 characters");
    }
    value_done(scan);
    return GW_JSON_NUMBER;
}

static enum gw_json_token take_word(struct gw_json_scan *scan) {
    static const struct {
        const char *word;
        enum gw_json_token token;
    } words[] = {{"true", GW_JSON_TRUE}, {"false", GW_JSON_FALSE}, {"null", GW_JSON_NULL}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t size = strlen(words[i].word);
        if (scan->size - scan->at >= size &&
            memcmp(scan->text + scan->at, words[i].word, size) == 0) {
            scan->at += size;
            value_done(scan);
            return words[i].token;
        }
    }
    return fail(scan, GW_JSON_SYNTAX,
                "a value is expected here, and this is none (NaN and Infinity are not JSON)");
}

static enum gw_json_token take_value(struct gw_json_scan *scan) {
    char c = scan->text[scan->at];
    if (c == '{' || c == '[') {
        return open_container(scan, c);
    }
    if (c == '"') {
        if (!take_string(scan)) {
            return GW_JSON_ERROR;
        }
        value_done(scan);
        return GW_JSON_STRING;
    }
    return c == '-' || (c >= '0' && c <= '9') ? take_number(scan) : take_word(scan);
}

static enum gw_json_token take_key(struct gw_json_scan *scan) {
    if (!at_char(scan, '"')) {
        return fail(scan, GW_JSON_SYNTAX, "a member's name in quotes is expected here");
    }
    if (!take_string(scan)) {
        return GW_JSON_ERROR;
    }
    skip_blanks(scan);
    if (!at_char(scan, ':')) {
        return fail(scan, GW_JSON_SYNTAX, "a colon is expected after a member's name");
    }
    scan->at++;
    scan->next = EXPECT_VALUE;
    return GW_JSON_KEY;
}

enum gw_json_token gw_json_next(struct gw_json_scan *scan) {
    if (scan->fault != GW_JSON_FINE) {
        return GW_JSON_ERROR;
    }
    skip_blanks(scan);
    if (scan->at == scan->size) {
        return scan->next == EXPECT_NOTHING
                   ? GW_JSON_END
                   : fail(scan, GW_JSON_SYNTAX, "the file ends in the middle");
    }
    if (scan->next == EXPECT_NOTHING) {
        return fail(scan, GW_JSON_SYNTAX, "something follows the end of the document");
    }
    char last = scan->depth > 0 && scan->open[scan->depth - 1] == '{' ? '}' : ']';
    bool may_end = scan->next == EXPECT_VALUE_OR_END || scan->next == EXPECT_KEY_OR_END ||
                   scan->next == EXPECT_COMMA_OR_END;
    if (may_end && at_char(scan, last)) {
        return close_container(scan);
    }
    if (scan->next == EXPECT_COMMA_OR_END) {
        if (!at_char(scan, ',')) {
            return fail(scan, GW_JSON_SYNTAX, "a comma or the end of the list is expected here");
        }
        scan->at++;
        scan->next = last == '}' ? EXPECT_KEY : EXPECT_VALUE;
        skip_blanks(scan);
        if (scan->at == scan->size) {
            return fail(scan, GW_JSON_SYNTAX, "the file ends in the middle");
        }
    }
    return scan->next == EXPECT_KEY || scan->next == EXPECT_KEY_OR_END ? take_key(scan)
                                                                       : take_value(scan);
}

bool gw_json_skip(struct gw_json_scan *scan, enum gw_json_token first) {
    if (first != GW_JSON_OBJECT && first != GW_JSON_ARRAY) {
        return first != GW_JSON_ERROR;
    }
    unsigned outside = scan->depth - 1;
    while (scan->depth > outside) {
        if (gw_json_next(scan) == GW_JSON_ERROR) {
            return false;
        }
    }
    return true;
}

void gw_json_place(const struct gw_json_scan *scan, size_t *line, size_t *column) {
    *line = 1;
    size_t start = 0;
    for (size_t i = 0; i < scan->at && i < scan->size; i++) {
        if (scan->text[i] == '\n') {
            (*line)++;
            start = i + 1;
        }
    }
    *column = scan->at - start + 1;
}

static size_t encode_utf8(unsigned long character, char out[4]) {
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    size_t bytes = character < 0x800 ? 2u : character < 0x10000 ? 3u : 4u;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80u | (character & 0x3fu));
        character >>= 6;
    }
    out[0] = (char)(leads[bytes] | character);
    return bytes;
}

// One escape that the scanner has already checked; returns the characters read.
static size_t decode_escape(const char *text, size_t left, char out[4], size_t *size) {
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    const char *name = strchr(names, text[1]);
    if (name != NULL) {
        out[0] = values[name - names];
        *size = 1;
        return 2;
    }
    unsigned long unit = (unsigned long)unit_at(text + 2, left - 2);
    if (unit < 0xd800 || unit > 0xdfff) {
        *size = encode_utf8(unit, out);
        return 6;
    }
    unsigned long low = (unsigned long)unit_at(text + 8, left - 8);
    *size = encode_utf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out);
    return 12;
}

bool gw_json_decode(const struct gw_json_scan *scan, char *out, size_t out_size, size_t *size) {
    size_t at = 0;
    size_t done = 0;
    while (at < scan->token_size) {
        char bytes[4] = {scan->token[at]};
        size_t count = 1;
        at += bytes[0] == '\\'
                  ? decode_escape(scan->token + at, scan->token_size - at, bytes, &count)
                  : 1u;
        if (count >= out_size - done) {
            return false;
        }
        memcpy(out + done, bytes, count);
        done += count;
    }
    out[done] = '\0';
    *size = done;
    return true;
}

bool gw_json_number_overflows(const struct gw_json_scan *scan) {
    long magnitude = 0; // of the first digit that is not zero
    long exponent = 0;
    bool found = false;
    size_t i = scan->token[0] == '-';
    for (; i < scan->token_size && scan->token[i] >= '0' && scan->token[i] <= '9'; i++) {
        found = found || scan->token[i] != '0';
        magnitude += found;
    }
    for (; i < scan->token_size && scan->token[i] != 'e' && scan->token[i] != 'E'; i++) {
        // A digit behind the point: zeros before the first other digit make the number smaller.
        if (!found && scan->token[i] == '0') {
            magnitude--;
        }
        found = found || (scan->token[i] >= '1' && scan->token[i] <= '9');
    }
    if (i < scan->token_size) {
        bool negative = scan->token[++i] == '-';
        i += negative || scan->token[i] == '+';
        for (; i < scan->token_size && exponent < 100000; i++) {
            exponent = exponent * 10 + (scan->token[i] - '0');
        }
        exponent = negative ? -exponent : exponent;
    }
    return found && magnitude + exponent > GW_JSON_EXPONENT_MAX;
}
