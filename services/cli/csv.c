#include "services/cli/csv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Reads a stream to its end into *bytes, which are the caller's, with a NUL behind them.
static gw_err read_stream(FILE *file, const char *name, char **out, size_t *out_size,
                          struct gw_error *error) {
    size_t capacity = 1u << 16, size = 0, got = 1;
    char *bytes = malloc(capacity);
    while (bytes != NULL && got > 0) {
        got = fread(bytes + size, 1, capacity - size - 1, file);
        size += got;
        if (size + 1 < capacity) {
            continue;
        }
        char *grown = capacity < CLI_CSV_BYTES_MAX ? realloc(bytes, capacity * 2) : NULL;
        if (grown == NULL) {
            free(bytes);
            return gw_error_set(error, GW_ENOSPC,
                                "%s is larger than 2 GiB, or than the memory; split it", name);
        }
        bytes = grown;
        capacity *= 2;
    }
    if (bytes == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory to read %s", name);
    }
    if (ferror(file)) {
        free(bytes);
        return gw_error_set(error, GW_EIO, "can't read %s: %s", name, strerror(errno));
    }
    bytes[size] = '\0';
    *out = bytes;
    *out_size = size;
    return GW_OK;
}

// Cuts one field out of the text in place. Returns the character that ended it: ',', '\n' or '\0'.
static char take_field(char **at, char **field) {
    char *in = *at, *out = *at;
    bool quoted = *in == '"';
    if (quoted) {
        in++;
    }
    *field = out;
    while (*in != '\0') {
        if (quoted && *in == '"') {
            if (in[1] != '"') {
                quoted = false; // what follows up to the comma is kept as it is
                in++;
                continue;
            }
            in++;
        } else if (!quoted && (*in == ',' || *in == '\n')) {
            break;
        }
        *out++ = *in++;
    }
    char end = *in;
    *at = end == '\0' ? in : in + 1;
    if (end != ',' && out > *field && out[-1] == '\r') {
        out--;
    }
    *out = '\0';
    return end;
}

bool cli_csv_next(struct cli_csv *csv) {
    while (*csv->at != '\0') {
        csv->field_count = 0;
        csv->row++;
        char end = ',';
        while (end == ',') {
            char *field = NULL;
            end = take_field(&csv->at, &field);
            if (csv->field_count < CLI_CSV_COLUMNS_MAX) {
                csv->fields[csv->field_count++] = field;
            }
        }
        if (csv->field_count > 1 || csv->fields[0][0] != '\0') {
            return true;
        }
    }
    return false;
}

gw_err cli_csv_take(struct cli_csv *csv, const char *name, char *bytes, size_t size,
                    struct gw_error *error) {
    *csv = (struct cli_csv){.name = name, .bytes = bytes, .at = bytes};
    gw_err err = GW_OK;
    if (strlen(bytes) != size) {
        err = gw_error_set(error, GW_EINVAL, "%s holds NUL bytes; it must be UTF-8 text", name);
    }
    if (err == GW_OK && strncmp(csv->at, "\xef\xbb\xbf", 3) == 0) {
        csv->at += 3;
    }
    if (err == GW_OK && !cli_csv_next(csv)) {
        err = gw_error_set(error, GW_EINVAL, "%s is empty; it needs a header line", name);
    }
    if (err != GW_OK) {
        cli_csv_close(csv);
        return err;
    }
    csv->header_count = csv->field_count;
    memcpy(csv->header, csv->fields, sizeof(csv->header));
    return GW_OK;
}

gw_err cli_csv_open(struct cli_csv *csv, const char *path, struct gw_error *error) {
    *csv = (struct cli_csv){.name = path};
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *file = from_stdin ? stdin : fopen(path, "rbe");
    if (file == NULL) {
        return gw_error_set(error, GW_ENOTFOUND, "can't open %s: %s", path, strerror(errno));
    }
    const char *name = from_stdin ? "standard input" : path;
    char *bytes = NULL;
    size_t size = 0;
    gw_err err = read_stream(file, name, &bytes, &size, error);
    if (!from_stdin) {
        (void)fclose(file);
    }
    return err == GW_OK ? cli_csv_take(csv, name, bytes, size, error) : err;
}

void cli_csv_close(struct cli_csv *csv) {
    free(csv->bytes);
    csv->bytes = csv->at = NULL;
}

int cli_csv_column(const struct cli_csv *csv, const char *name) {
    for (size_t i = 0; i < csv->header_count; i++) {
        if (strcasecmp(csv->header[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const char *cli_csv_field(const struct cli_csv *csv, int column) {
    return column >= 0 && (size_t)column < csv->field_count ? csv->fields[column] : "";
}

static gw_err parse_degrees(const struct cli_csv *csv, int column, const char *name, double limit,
                            double *out, struct gw_error *error) {
    const char *text = cli_csv_field(csv, column);
    char *end = NULL;
    double value = strtod(text, &end);
    while (*end == ' ') {
        end++;
    }
    if (end == text || *end != '\0' || !isfinite(value)) {
        return gw_error_set(error, GW_EINVAL, "%s, row %zu: %s is '%.40s'; it must be degrees",
                            csv->name, csv->row, name, text);
    }
    if (value < -limit || value > limit) {
        return gw_error_set(error, GW_EINVAL,
                            "%s, row %zu: %s is %.40s; it must be within -%g .. %g", csv->name,
                            csv->row, name, text, limit, limit);
    }
    *out = value;
    return GW_OK;
}

gw_err cli_csv_place(const struct cli_csv *csv, int lon_column, int lat_column, double *lon,
                     double *lat, struct gw_error *error) {
    gw_err err = parse_degrees(csv, lon_column, "lon", 180, lon, error);
    return err != GW_OK ? err : parse_degrees(csv, lat_column, "lat", 90, lat, error);
}
