// gridwarden demo …: make the synthetic city, play a day in it.
#include "services/cli/commands.h"

#include "services/demo/city.h"
#include "services/demo/player.h"
#include "services/node/node.h"
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
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

// --- play ---

static atomic_bool stop;

static void on_signal(int signal_number) {
    (void)signal_number;
    atomic_store(&stop, true);
}

static void print_totals(const struct cli_args *args, const struct gw_demo_totals *totals) {
    const char *form =
        cli_flag(args, "json")
            ? "{\"reported\": %" PRIu64 ", \"assigned\": %" PRIu64 ", \"accepted\": %" PRIu64
              ", \"declined\": %" PRIu64 ", \"late\": %" PRIu64 ", \"at_desks\": %" PRIu64
              ", \"resolved\": %" PRIu64 ", \"closed\": %" PRIu64 ", \"failed\": %" PRIu64
              ", \"positions\": %" PRIu64 ", \"report_p50_ms\": %.3f, \"report_p99_ms\": %.3f}\n"
            : "reported %" PRIu64 ", assigned at once %" PRIu64 ", accepted %" PRIu64
              ", declined %" PRIu64 ", late %" PRIu64 ", to desks %" PRIu64 ", resolved %" PRIu64
              ", closed %" PRIu64 ", failed %" PRIu64 ", positions %" PRIu64
              "\nreport to offer: p50 %.2f ms, p99 %.2f ms\n";
    (void)printf(form, totals->reported, totals->assigned, totals->accepted, totals->declined,
                 totals->late, totals->at_desks, totals->resolved, totals->closed, totals->failed,
                 totals->positions, totals->report_p50_ms, totals->report_p99_ms);
}

// Reads the numbers of the command line. CLI_USAGE says which is wrong.
static int read_play(const struct cli_args *args, struct gw_demo_options *options) {
    int64_t seed = 1, speed = 600, hours = 24, begin = 0, incidents = 3000;
    int code = cli_integer(args, "seed", 0, INT64_MAX, &seed);
    if (code == CLI_DONE) {
        code = cli_integer(args, "speed", 1, GW_DEMO_SPEED_MAX, &speed);
    }
    if (code == CLI_DONE) {
        code = cli_integer(args, "hours", 1, GW_DEMO_MINUTES_MAX / 60, &hours);
    }
    if (code == CLI_DONE) {
        code = cli_integer(args, "begin-hour", 0, 23, &begin);
    }
    if (code == CLI_DONE) {
        code = cli_integer(args, "incidents", 1, GW_DEMO_INCIDENTS_MAX, &incidents);
    }
    options->seed = (uint64_t)seed;
    options->speed = (uint32_t)speed;
    options->minutes = (uint32_t)(hours * 60);
    options->begin_minute = (uint32_t)(begin * 60);
    options->incidents_a_day = (uint32_t)incidents;
    return code;
}

static int run_play(const struct cli_args *args) {
    struct gw_demo_options options = {0};
    int code = read_play(args, &options);
    if (code != CLI_DONE) {
        return code;
    }
    const char *server = cli_value(args, "server");
    options.server = server != NULL ? server : GW_NODE_GRPC_LISTEN;
    options.live = cli_flag(args, "quiet") ? NULL : stderr;
    options.stop = &stop;
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    struct gw_demo_totals totals = {0};
    struct gw_error error;
    gw_err err = gw_demo_play(&options, &totals, &error);
    print_totals(args, &totals);
    return err == GW_OK ? CLI_DONE : cli_refused(&error);
}

static const struct cli_option play_options[] = {
    {"server", "ADDR", "the node's gRPC address (default " GW_NODE_GRPC_LISTEN ")"},
    {"seed", "NUMBER", "of the city that the node serves (default 1)"},
    {"speed", "TIMES", "city seconds in a second (default 600: a day in 144 s)"},
    {"hours", "COUNT", "of the city's time (default 24)"},
    {"begin-hour", "0..23", "the hour of the city's day to begin at (default 0)"},
    {"incidents", "COUNT", "a day (default 3000)"},
    {"quiet", NULL, "no live line"},
    {"json", NULL, "print the totals as JSON"},
};

const struct cli_command cli_demo_play = {
    .name = "demo play",
    .words = "",
    .summary = "Plays a day of synthetic incidents on a node that serves the demo city.",
    .details =
        "Workers go on duty and move, incidents are reported by hour and density, offers are\n"
        "answered, declined or left to lapse. Control-C ends it cleanly; the node goes on.\n\n"
        "Example:\n  gridwarden demo play --speed 600 --hours 24",
    .options = play_options,
    .option_count = sizeof(play_options) / sizeof(play_options[0]),
    .run = run_play,
};
