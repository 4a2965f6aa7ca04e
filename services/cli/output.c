#include "services/cli/output.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

// --- text ---

// The code point at *at, which moves behind it; bytes that are not UTF-8 stand for themselves.
static uint32_t next_code_point(const unsigned char **at) {
    const unsigned char *p = *at;
    size_t more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
    uint32_t code = more == 0 ? p[0] : p[0] & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *at = p + 1;
            return p[0];
        }
        code = code << 6 | (p[i] & 0x3fu);
    }
    *at = p + more + 1;
    return code;
}

static bool is_wide(uint32_t code) {
    return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
           (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
           (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
           (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1faff) ||
           (code >= 0x20000 && code <= 0x3fffd);
}

size_t cli_text_width(const char *text) {
    size_t width = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        width += is_wide(next_code_point(&at)) ? 2 : 1;
    }
    return width;
}

static void write_json_text(FILE *stream, const char *text) {
    (void)fputc('"', stream);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            (void)fprintf(stream, "\\%c", *c);
        } else if (*c == '\n') {
            (void)fputs("\\n", stream);
        } else if (*c < 0x20 || *c == 0x7f) {
            (void)fprintf(stream, "\\u%04x", *c);
        } else {
            (void)fputc(*c, stream);
        }
    }
    (void)fputc('"', stream);
}

// RFC 4180; a text that a spreadsheet would take for a formula gets an apostrophe before it.
static void write_csv_text(FILE *stream, const char *text) {
    bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
    if (!formula && strpbrk(text, ",\"\r\n") == NULL) {
        (void)fputs(text, stream);
        return;
    }
    (void)fputc('"', stream);
    if (formula) {
        (void)fputc('\'', stream);
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"') {
            (void)fputc('"', stream);
        }
        (void)fputc(*c, stream);
    }
    (void)fputc('"', stream);
}

// For a terminal: control characters (which could move its cursor) become '?'.
static void write_table_text(FILE *stream, const char *text) {
    for (const char *c = text; *c != '\0'; c++) {
        (void)fputc((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c, stream);
    }
}

// --- the table for people ---

static void print_cell(struct cli_output *output, size_t column, const char *text) {
    size_t width = cli_text_width(text);
    size_t pad = output->widths[column] > width ? output->widths[column] - width : 0;
    bool last = column + 1 == output->column_count;
    if (output->columns[column].number) {
        (void)fprintf(output->stream, "%*s", (int)pad, "");
        pad = 0;
    }
    write_table_text(output->stream, text);
    (void)fprintf(output->stream, "%*s%s", last ? 0 : (int)pad, "", last ? "\n" : "  ");
}

// One record as lines of name and value; empty cells are left out.
static void print_upright(struct cli_output *output) {
    size_t width_max = 0;
    for (size_t i = 0; i < output->column_count; i++) {
        size_t width = cli_text_width(output->columns[i].name);
        width_max = width > width_max ? width : width_max;
    }
    const char *cell = output->waiting.data;
    for (size_t i = 0; i < output->rows_waiting * output->column_count; i++) {
        const char *name = output->columns[i % output->column_count].name;
        if (cell[0] != '\0') {
            (void)fprintf(output->stream, "%-*s  ", (int)width_max, name);
            write_table_text(output->stream, cell);
            (void)fputc('\n', output->stream);
        }
        cell += strlen(cell) + 1;
    }
    output->rows_waiting = 0;
    gw_buffer_clear(&output->waiting);
}

static void print_waiting(struct cli_output *output) {
    if (output->upright) {
        print_upright(output);
        return;
    }
    if (!output->header_printed && output->rows > 0) {
        for (size_t i = 0; i < output->column_count; i++) {
            size_t width = cli_text_width(output->columns[i].name);
            output->widths[i] = output->widths[i] > width ? output->widths[i] : width;
        }
        for (size_t i = 0; i < output->column_count; i++) {
            print_cell(output, i, output->columns[i].name);
        }
        output->header_printed = true;
    }
    const char *cell = output->waiting.data;
    for (size_t row = 0; row < output->rows_waiting; row++) {
        for (size_t i = 0; i < output->column_count; i++) {
            print_cell(output, i, cell);
            cell += strlen(cell) + 1;
        }
    }
    output->rows_waiting = 0;
    gw_buffer_clear(&output->waiting);
}

static void add_table_cell(struct cli_output *output, const char *text) {
    size_t width = cli_text_width(text);
    if (!output->header_printed && width > output->widths[output->at]) {
        output->widths[output->at] = width;
    }
    gw_buffer_append(&output->waiting, text, strlen(text) + 1);
}

// --- cells ---

static void write_cell(struct cli_output *output, const char *text, bool number) {
    if (output->format == CLI_TABLE) {
        add_table_cell(output, text);
    } else if (output->format == CLI_CSV) {
        (void)fputs(output->at > 0 ? "," : "", output->stream);
        if (number) {
            (void)fputs(text, output->stream);
        } else {
            write_csv_text(output->stream, text);
        }
    } else {
        (void)fputs(output->at > 0 ? ", " : output->rows > 0 ? ",\n  {" : "\n  {", output->stream);
        write_json_text(output->stream, output->columns[output->at].name);
        (void)fputs(": ", output->stream);
        if (number) {
            (void)fputs(text[0] != '\0' ? text : "null", output->stream);
        } else {
            write_json_text(output->stream, text);
        }
    }
    if (++output->at < output->column_count) {
        return;
    }
    output->at = 0;
    output->rows++;
    if (output->format == CLI_TABLE) {
        if (++output->rows_waiting >= CLI_TABLE_ROWS) {
            print_waiting(output);
        }
    } else {
        (void)fputs(output->format == CLI_CSV ? "\n" : "}", output->stream);
    }
}

void cli_output_text(struct cli_output *output, const char *text) {
    write_cell(output, text, false);
}

void cli_output_number(struct cli_output *output, const char *format, ...) {
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    write_cell(output, text, true);
}

void cli_output_time(struct cli_output *output, int64_t time_ms) {
    char text[40] = "";
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    if (time_ms != 0 && gmtime_r(&seconds, &utc) != NULL) {
        size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
        (void)snprintf(text + size, sizeof(text) - size, ".%03dZ", (int)(time_ms % 1000));
    }
    write_cell(output, text, false);
}

int cli_output_begin(struct cli_output *output, const struct cli_args *args,
                     const struct cli_column *columns, size_t column_count) {
    *output = (struct cli_output){.stream = stdout, .columns = columns};
    output->column_count = column_count;
    bool json = cli_flag(args, "json"), csv = cli_flag(args, "csv");
    if (json && csv) {
        return cli_usage(args, "--json and --csv exclude each other");
    }
    output->format = json ? CLI_JSON : csv ? CLI_CSV : CLI_TABLE;
    if (json) {
        (void)fputs("[", output->stream);
    }
    for (size_t i = 0; csv && i < column_count; i++) {
        (void)fprintf(output->stream, "%s%s", i > 0 ? "," : "", columns[i].name);
    }
    if (csv) {
        (void)fputs("\n", output->stream);
    }
    return CLI_DONE;
}

void cli_output_flush(struct cli_output *output) {
    if (output->format == CLI_TABLE) {
        print_waiting(output);
    }
    (void)fflush(output->stream);
}

int cli_output_end(struct cli_output *output) {
    if (output->format == CLI_TABLE) {
        print_waiting(output);
    } else if (output->format == CLI_JSON) {
        (void)fputs(output->rows > 0 ? "\n]\n" : "]\n", output->stream);
    }
    bool lost = output->waiting.failed;
    gw_buffer_free(&output->waiting);
    if (fflush(output->stream) != 0 || ferror(output->stream) || lost) {
        (void)fputs("gridwarden: the output could not be written\n", stderr);
        return CLI_REFUSED;
    }
    return CLI_DONE;
}
