#include "services/base/diag.h"

#include "services/base/buffer.h"
#include "services/base/clock.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIELDS_SIZE_MAX 1024

static const char *const level_names[] = {"debug", "info", "warning", "error"};

static bool as_json = false;
static enum gw_level shown_from = GW_INFO;

void gw_diag_setup(bool json, enum gw_level level_min) {
    as_json = json;
    shown_from = level_min;
}

static void append_time(struct gw_buffer *line) {
    int64_t now_ms = gw_clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    char text[32] = "";
    if (gmtime_r(&seconds, &utc) != NULL) {
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    }
    gw_buffer_format(line, "%s.%03dZ", text, (int)(now_ms % 1000));
}

static void append_json_string(struct gw_buffer *line, const char *text, size_t size) {
    gw_buffer_text(line, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            gw_buffer_format(line, "\\%c", c);
        } else if (c < 0x20u) {
            gw_buffer_format(line, "\\u%04x", c);
        } else {
            gw_buffer_append(line, &text[i], 1);
        }
    }
    gw_buffer_text(line, "\"");
}

// Takes the next `key=value` or `key='quoted value'` from *at; false at the end.
static bool next_field(const char **at, const char **key, size_t *key_size, const char **value,
                       size_t *value_size) {
    *at += strspn(*at, " ");
    *key = *at;
    *key_size = strcspn(*at, "= ");
    if (*key_size == 0 || (*at)[*key_size] != '=') {
        return false;
    }
    const char *start = *at + *key_size + 1;
    if (*start == '\'') {
        start++;
        *value_size = strcspn(start, "'");
        *at = start + *value_size + (start[*value_size] == '\'' ? 1 : 0);
    } else {
        *value_size = strcspn(start, " ");
        *at = start + *value_size;
    }
    *value = start;
    return true;
}

static void append_json_fields(struct gw_buffer *line, const char *fields) {
    const char *key, *value;
    size_t key_size, value_size;
    while (next_field(&fields, &key, &key_size, &value, &value_size)) {
        gw_buffer_text(line, ",");
        append_json_string(line, key, key_size);
        gw_buffer_text(line, ":");
        append_json_string(line, value, value_size);
    }
}

static void append_json_line(struct gw_buffer *line, enum gw_level level, const char *trace_id,
                             const char *event, const char *fields) {
    gw_buffer_text(line, "{\"time\":\"");
    append_time(line);
    gw_buffer_format(line, "\",\"level\":\"%s\",\"event\":", level_names[level]);
    append_json_string(line, event, strlen(event));
    if (trace_id != NULL) {
        gw_buffer_text(line, ",\"trace_id\":");
        append_json_string(line, trace_id, strlen(trace_id));
    }
    append_json_fields(line, fields);
    gw_buffer_text(line, "}\n");
}

void gw_diag(enum gw_level level, const char *trace_id, const char *event, const char *format,
             ...) {
    if (level < shown_from) {
        return;
    }
    char fields[FIELDS_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(fields, sizeof(fields), format, arguments) < 0) {
        fields[0] = '\0';
    }
    va_end(arguments);
    for (char *c = fields; *c != '\0'; c++) { // one line stays one line
        if (*c == '\n' || *c == '\r') {
            *c = ' ';
        }
    }
    struct gw_buffer line = {0};
    if (as_json) {
        append_json_line(&line, level, trace_id, event, fields);
    } else {
        append_time(&line);
        gw_buffer_format(&line, " %-7s %s%s%s%s%s\n", level_names[level], event,
                         fields[0] != '\0' ? " " : "", fields, trace_id != NULL ? " trace_id=" : "",
                         trace_id != NULL ? trace_id : "");
    }
    if (!line.failed && line.data != NULL) {
        ssize_t written = write(STDERR_FILENO, line.data, line.size); // one write: lines stay whole
        (void)written;
    }
    gw_buffer_free(&line);
}
