#include "services/grids/areas_csv.h"
#include "services/grids/edition_areas.h"
#include "services/grids/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum column { COLUMN_CODE, COLUMN_NAME, COLUMN_LEVEL, COLUMN_PARENT, COLUMN_COUNT };
static const char *const column_names[] = {"code", "name", "level", "parent"};

enum field_end { FIELD_ENDS, ROW_ENDS, FIELD_BROKEN };

struct reader {
    const char *text;
    size_t size, at;
    struct gw_findings *findings;
    uint64_t row;              // 1 is the header
    int columns[COLUMN_COUNT]; // where in a row; -1: not there
    char fields[COLUMN_COUNT][GW_AREAS_FIELD_MAX + 1];
    char field[GW_AREAS_FIELD_MAX + 1];
};

// A row before texts have their last place.
struct draft_row {
    size_t code, name, parent; // offsets
    uint32_t level;
};

struct drafts {
    struct draft_row *rows;
    uint32_t count, capacity;
    struct gw_buffer texts;
};

static void refuse(struct reader *reader, const char *kind, const char *code, const char *text) {
    const struct gw_import_finding finding = {.kind = kind,
                                              .feature = (int64_t)reader->row,
                                              .code = code,
                                              .lon = NAN,
                                              .lat = NAN,
                                              .refused = true};
    gw_findings_add(reader->findings, &finding, "%s", text);
}

// Reads the next field into reader->field. A quoted one may hold commas, line ends and "" for ".
static enum field_end next_field(struct reader *reader) {
    size_t done = 0;
    bool quoted = reader->at < reader->size && reader->text[reader->at] == '"';
    bool open = quoted;
    reader->at += quoted;
    while (reader->at < reader->size) {
        char c = reader->text[reader->at];
        if (open && c == '"') {
            bool twice = reader->at + 1 < reader->size && reader->text[reader->at + 1] == '"';
            reader->at += 1u + twice;
            open = twice;
            if (!twice) {
                continue;
            }
        } else if (!open && (c == ',' || c == '\n' || c == '\r')) {
            break;
        } else if (quoted && !open) {
            return FIELD_BROKEN; // something behind the closing quote
        } else {
            reader->at++;
        }
        if (done == GW_AREAS_FIELD_MAX || c == '\0') {
            return FIELD_BROKEN;
        }
        reader->field[done++] = c;
    }
    reader->field[done] = '\0';
    if (open) {
        return FIELD_BROKEN;
    }
    if (reader->at < reader->size && reader->text[reader->at] == ',') {
        reader->at++;
        return FIELD_ENDS;
    }
    reader->at += reader->at < reader->size && reader->text[reader->at] == '\r';
    reader->at += reader->at < reader->size && reader->text[reader->at] == '\n';
    return ROW_ENDS;
}

static bool read_header(struct reader *reader) {
    reader->row = 1;
    for (int i = 0; i < COLUMN_COUNT; i++) {
        reader->columns[i] = -1;
    }
    enum field_end end = FIELD_ENDS;
    for (int column = 0; end == FIELD_ENDS; column++) {
        end = next_field(reader);
        if (end == FIELD_BROKEN || column == GW_AREAS_COLUMNS_MAX) {
            refuse(reader, "bad-row", "", "the header cannot be read as CSV");
            return false;
        }
        for (int i = 0; i < COLUMN_COUNT; i++) {
            if (strcasecmp(reader->field, column_names[i]) == 0 && reader->columns[i] < 0) {
                reader->columns[i] = column;
            }
        }
    }
    if (reader->columns[COLUMN_CODE] < 0 || reader->columns[COLUMN_NAME] < 0) {
        refuse(reader, "bad-row", "",
               "the header names no column \"code\" or no column \"name\": its first line must be "
               "like code,name,level,parent");
        return false;
    }
    return true;
}

// One row into reader->fields. False: it cannot be read, and neither can what follows.
static bool read_row(struct reader *reader) {
    for (int i = 0; i < COLUMN_COUNT; i++) {
        reader->fields[i][0] = '\0';
    }
    reader->row++;
    enum field_end end = FIELD_ENDS;
    for (int column = 0; end == FIELD_ENDS; column++) {
        end = next_field(reader);
        if (end == FIELD_BROKEN || column == GW_AREAS_COLUMNS_MAX) {
            refuse(reader, "bad-row", "",
                   "the row cannot be read as CSV: a quote is out of place, or a field is longer "
                   "than 4,096 bytes, or there are more than 64 columns");
            return false;
        }
        for (int i = 0; i < COLUMN_COUNT; i++) {
            if (reader->columns[i] == column) {
                memcpy(reader->fields[i], reader->field, strlen(reader->field) + 1);
            }
        }
    }
    return true;
}

#define LEVEL_UNKNOWN 0u
#define LEVEL_PROVINCE 5u

static uint32_t level_of(const char *word, const char *code) {
    static const struct {
        const char *word;
        uint32_t level;
    } words[] = {{"village", 1},  {"community", 1},
                 {"town", 2},     {"township", 2},
                 {"street", 2},   {"county", 3},
                 {"district", 3}, {"prefecture", 4},
                 {"city", 4},     {"1", 1},
                 {"2", 2},        {"3", 3},
                 {"4", 4},        {"province", LEVEL_PROVINCE}};
    if (word[0] == '\0') {
        return gw_area_code_level(code, strlen(code));
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(word, words[i].word) == 0) {
            return words[i].level;
        }
    }
    return LEVEL_UNKNOWN;
}

static size_t keep_text(struct drafts *drafts, const char *text) {
    size_t at = drafts->texts.size;
    gw_buffer_append(&drafts->texts, text, strlen(text) + 1);
    return at;
}

static gw_err keep_row(struct reader *reader, struct drafts *drafts, uint32_t level) {
    if (drafts->count == drafts->capacity) {
        uint32_t capacity = drafts->capacity == 0 ? 256 : drafts->capacity * 2;
        struct draft_row *rows = realloc(drafts->rows, capacity * sizeof(*rows));
        if (rows == NULL) {
            return GW_ENOMEM;
        }
        drafts->rows = rows;
        drafts->capacity = capacity;
    }
    drafts->rows[drafts->count++] = (struct draft_row){
        .code = keep_text(drafts, reader->fields[COLUMN_CODE]),
        .name = keep_text(drafts, reader->fields[COLUMN_NAME]),
        .parent = keep_text(drafts, reader->fields[COLUMN_PARENT]),
        .level = level,
    };
    return drafts->texts.failed ? GW_ENOMEM : GW_OK;
}

static gw_err take_row(struct reader *reader, struct drafts *drafts) {
    const char *code = reader->fields[COLUMN_CODE];
    const char *name = reader->fields[COLUMN_NAME];
    bool blank = code[0] == '\0' && name[0] == '\0' && reader->fields[COLUMN_LEVEL][0] == '\0';
    uint32_t level = level_of(reader->fields[COLUMN_LEVEL], code);
    if (blank || level == LEVEL_PROVINCE) {
        return GW_OK;
    }
    if (code[0] == '\0') {
        refuse(reader, "missing-id", "", "the row has no code");
    } else if (strlen(code) >= GW_CODE_MAX || strlen(name) >= GW_NAME_MAX ||
               strlen(reader->fields[COLUMN_PARENT]) >= GW_CODE_MAX) {
        refuse(reader, "limit", "", "a code has at most 63 bytes and a name at most 255");
    } else if (level == LEVEL_UNKNOWN) {
        refuse(reader, "bad-level", code,
               "the level is not known: write prefecture, county, town, village, or 4, 3, 2, 1");
    } else if (drafts->count == GW_AREAS_MAX) {
        refuse(reader, "limit", "", "there are more than 1,000,000 areas");
        return GW_EINVAL;
    } else {
        return keep_row(reader, drafts, level);
    }
    return GW_OK;
}

static gw_err read_rows(struct reader *reader, struct drafts *drafts) {
    if (!read_header(reader)) {
        return GW_EINVAL;
    }
    gw_err err = GW_OK;
    while (err == GW_OK && reader->at < reader->size) {
        err = read_row(reader) ? take_row(reader, drafts) : GW_EINVAL;
    }
    return err;
}

static gw_err settle(struct drafts *drafts, struct gw_area_list *list) {
    list->rows = calloc(drafts->count + 1u, sizeof(*list->rows));
    if (list->rows == NULL) {
        return GW_ENOMEM;
    }
    list->texts = drafts->texts.data;
    list->count = drafts->count;
    for (uint32_t i = 0; i < drafts->count; i++) {
        list->rows[i] = (struct gw_edition_area_row){
            .code = list->texts + drafts->rows[i].code,
            .name = list->texts + drafts->rows[i].name,
            .parent_code = list->texts + drafts->rows[i].parent,
            .level = drafts->rows[i].level,
        };
    }
    drafts->texts = (struct gw_buffer){NULL, 0, 0, false};
    return GW_OK;
}

gw_err gw_areas_read(const char *text, size_t size, struct gw_findings *findings,
                     struct gw_area_list *list) {
    *list = (struct gw_area_list){NULL, 0, NULL};
    size_t valid = gw_utf8_valid_prefix(text, size);
    if (valid != size) {
        gw_findings_refuse_file(findings, "encoding",
                                "byte %zu is not UTF-8: save the file as UTF-8; if it is in GBK, "
                                "iconv -f GB18030 -t UTF-8 converts it",
                                valid + 1);
        return GW_EINVAL;
    }
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return GW_ENOMEM;
    }
    bool bom = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    reader->text = text;
    reader->size = size;
    reader->at = bom ? 3 : 0;
    reader->findings = findings;
    struct drafts drafts = {.count = 0};
    uint64_t before = findings->refusals;
    gw_err err = read_rows(reader, &drafts);
    if (err == GW_OK && findings->refusals > before) {
        err = GW_EINVAL;
    }
    if (err == GW_OK) {
        err = settle(&drafts, list);
    }
    free(drafts.rows);
    gw_buffer_free(&drafts.texts);
    free(reader);
    return err;
}

void gw_area_list_free(struct gw_area_list *list) {
    free(list->rows);
    free(list->texts);
    *list = (struct gw_area_list){NULL, 0, NULL};
}
