// CSV as spreadsheets write it (RFC 4180): quotes, CR LF or LF, a byte-order mark, columns by
// header.
//
// Memory: a file is read whole (up to CLI_CSV_BYTES_MAX) and cut into fields in place.
#ifndef GW_SERVICES_CLI_CSV_H
#define GW_SERVICES_CLI_CSV_H

#include "services/base/error.h"
#include <stdbool.h>
#include <stddef.h>

#define CLI_CSV_BYTES_MAX (1ull << 31)
#define CLI_CSV_COLUMNS_MAX 256u

struct cli_csv {
    const char *name; // for messages
    char *bytes;
    char *at; // what is still to be read
    const char *header[CLI_CSV_COLUMNS_MAX];
    const char *fields[CLI_CSV_COLUMNS_MAX];
    size_t header_count, field_count;
    size_t row; // of the file, the header being row 1; a quoted line break does not count
};

// Reads the file ("-": standard input) and its header. GW_EINVAL, GW_ENOTFOUND, GW_EIO.
GW_MUST_CHECK gw_err cli_csv_open(struct cli_csv *csv, const char *path, struct gw_error *error);
// The same from malloc'ed bytes with a NUL behind them, which become the csv's; also on error.
GW_MUST_CHECK gw_err cli_csv_take(struct cli_csv *csv, const char *name, char *bytes, size_t size,
                                  struct gw_error *error);
void cli_csv_close(struct cli_csv *csv);

// The column with this header (letter case does not matter); -1: none.
int cli_csv_column(const struct cli_csv *csv, const char *name);

// The next row that is not blank into fields; false at the end.
bool cli_csv_next(struct cli_csv *csv);

// A field of the row; "" when the row is too short.
const char *cli_csv_field(const struct cli_csv *csv, int column);

// Reads longitude and latitude of the row, checked. GW_EINVAL names the file and the row.
GW_MUST_CHECK gw_err cli_csv_place(const struct cli_csv *csv, int lon_column, int lat_column,
                                   double *lon, double *lat, struct gw_error *error);

#endif
