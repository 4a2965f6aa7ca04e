// What commands print: a table for people, JSON or CSV for programs (--json, --csv).
//
// A table's columns are fixed at its start; rows are added cell by cell, in column order. CSV and
// JSON
// are written as the rows come; the table for people waits for the widths, up to CLI_TABLE_ROWS
// rows.
#ifndef GW_SERVICES_CLI_OUTPUT_H
#define GW_SERVICES_CLI_OUTPUT_H

#include "services/base/buffer.h"
#include "services/cli/options.h"
#include <stdbool.h>
#include <stdio.h>

#define CLI_COLUMNS_MAX 24u
#define CLI_TABLE_ROWS 2000u // then a table for people is printed with the widths known so far

enum cli_format { CLI_TABLE, CLI_JSON, CLI_CSV };

struct cli_column {
    const char *name;
    bool number; // printed as it is, right-aligned; texts are quoted and made harmless
};

struct cli_output {
    FILE *stream;
    enum cli_format format;
    const struct cli_column *columns;
    size_t column_count, at;   // the cell that comes next
    size_t rows, rows_waiting; // rows of the table that wait for the widths
    size_t widths[CLI_COLUMNS_MAX];
    struct gw_buffer waiting; // their cells, each ended by NUL
    bool header_printed;
    bool upright; // a table for people has a line for each cell: for a record that stands alone
};

// Options that every printing command has.
#define CLI_OUTPUT_OPTIONS                                                                         \
    {"json", NULL, "print JSON (a list of objects)"}, {                                            \
        "csv", NULL, "print CSV with a header"                                                     \
    }

// CLI_USAGE when both --json and --csv are given.
int cli_output_begin(struct cli_output *output, const struct cli_args *args,
                     const struct cli_column *columns, size_t column_count);
void cli_output_text(struct cli_output *output, const char *text);
void cli_output_number(struct cli_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Milliseconds since 1970 as ISO 8601 in UTC; 0 as an empty cell.
void cli_output_time(struct cli_output *output, int64_t time_ms);
// Prints what waits, at once: for rows that come as things happen.
void cli_output_flush(struct cli_output *output);
// Prints what waits and what closes the document. CLI_REFUSED when the stream failed.
int cli_output_end(struct cli_output *output);

// Columns that a UTF-8 text takes on a terminal (wide characters take two).
size_t cli_text_width(const char *text);

#endif
