// gridwarden demo …: make the synthetic city, play a day in it.
#include "services/cli/commands.h"

#include "services/base/diag.h"
#include "services/demo/city.h"
#include <stdio.h>

static int run_generate(const struct cli_args *args) {
    const char *out = cli_value(args, "out");
    int64_t seed = 1;
    int code = cli_integer(args, "seed", 0, INT64_MAX, &seed);
    if (code != CLI_DONE || out == NULL) {
        return code != CLI_DONE ? code : cli_usage(args, "--out DIR is needed");
    }
    struct gw_error error;
    if (gw_demo_write(out, (uint64_t)seed, &error) != GW_OK) {
        return cli_refused(&error);
    }
    (void)printf("wrote the SYNTHETIC demo city (seed %lld) to %s: %u grids, %u workers\n",
                 (long long)seed, out, GW_CITY_GRIDS, GW_CITY_WORKERS);
    return CLI_DONE;
}

static const struct cli_option generate_options[] = {
    {"out", "DIR", "where the files go"},
    {"seed", "NUMBER", "another seed, another city (default 1)"},
};

const struct cli_command cli_demo_generate = {
    .name = "demo generate",
    .words = "",
    .summary = "Makes a synthetic city of Tieling's size: GeoJSON, areas, workers.",
    .details =
        "Codes and names of counties, towns, villages and communities are real; every border,\n"
        "grid, worker and incident is invented.\n\n"
        "Example:\n  gridwarden demo generate --out ./city\n"
        "  gridwarden import ./city/*.geojson --areas ./city/areas.csv --kind-field kind \\\n"
        "      --parent-field parent --data ./data --crs EPSG:4326 --publish",
    .options = generate_options,
    .option_count = sizeof(generate_options) / sizeof(generate_options[0]),
    .run = run_generate,
};
