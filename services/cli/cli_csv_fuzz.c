// Any bytes as a CSV file: fields end within the text, rows come to an end, places are in range.
#include "services/cli/csv.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *bytes = malloc(size + 1);
    assert(bytes != NULL);
    if (size > 0) {
        memcpy(bytes, data, size);
    }
    bytes[size] = '\0';
    static struct cli_csv csv;
    struct gw_error error;
    if (cli_csv_take(&csv, "fuzz", bytes, size, &error) != GW_OK) {
        assert(error.text[0] != '\0');
        return 0;
    }
    int lon_column = cli_csv_column(&csv, "lon"), lat_column = cli_csv_column(&csv, "lat");
    size_t rows = 0;
    while (cli_csv_next(&csv)) {
        assert(++rows <= size);
        for (int i = 0; i < (int)CLI_CSV_COLUMNS_MAX; i++) {
            assert(strlen(cli_csv_field(&csv, i)) <= size);
        }
        double lon, lat;
        if (cli_csv_place(&csv, lon_column, lat_column, &lon, &lat, &error) == GW_OK) {
            assert(lon >= -180 && lon <= 180 && lat >= -90 && lat <= 90);
        }
    }
    cli_csv_close(&csv);
    return 0;
}
