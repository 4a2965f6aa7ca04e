// gridwarden import: boundary files become a checked edition of a data folder, or of a node that is
// serving.
#include "services/cli/commands.h"
#include "services/cli/edition_upload.h"

#include "services/base/clock.h"
#include "services/base/datadir.h"
#include "services/grids/editions.h"
#include "services/grids/importer.h"
#include "services/log/log.h"
#include "services/shard/shard.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A progress line for people: one line that is written over, on a terminal only.
struct progress {
    bool terminal;
    int64_t shown_ns;
};

static void show_progress(void *context, const char *phase, uint64_t done, uint64_t total) {
    struct progress *progress = context;
    int64_t now_ns = gw_clock_monotonic_ns();
    if (!progress->terminal || (done < total && now_ns - progress->shown_ns < 100000000)) {
        return;
    }
    progress->shown_ns = now_ns;
    const char *bar = "########################";
    int filled = total > 0 ? (int)(24 * done / total) : 0;
    (void)fprintf(stderr, "\r%-9s [%-24.*s] %" PRIu64 " of %" PRIu64 "\033[K", phase, filled, bar,
                  done, total);
}

static void show_finding(void *context, const struct gw_import_finding *finding) {
    (void)context;
    (void)fprintf(stderr, "%s%s: ", isatty(STDERR_FILENO) ? "\r\033[K" : "", finding->file);
    if (finding->feature > 0) {
        (void)fprintf(stderr, "feature %" PRId64, finding->feature);
        (void)fprintf(stderr, finding->code[0] != '\0' ? " (%s): " : "%s: ", finding->code);
    }
    if (finding->ring > 0) {
        (void)fprintf(stderr, "ring %d: ", finding->ring);
    }
    (void)fprintf(stderr, "%s: %s", finding->kind, finding->text);
    if (isfinite(finding->lon) && isfinite(finding->lat)) {
        (void)fprintf(stderr, " (at %.7f %.7f)", finding->lon, finding->lat);
    }
    (void)fprintf(stderr, "%s\n", finding->refused ? "" : " [noted, not refused]");
}

// An open data folder, with what is needed to add an edition.
struct target {
    struct gw_datadir dir;
    struct gw_store *store;
    struct gw_log *log;
};

static void close_target(struct target *target) {
    if (target->log != NULL) {
        target->log->ops->close(target->log);
    }
    gw_store_close(target->store);
    gw_datadir_close(&target->dir);
}

static gw_err open_target(struct target *target, const char *data, struct gw_error *error) {
    *target = (struct target){.dir.lock_fd = -1};
    char path[1100];
    gw_err err = gw_datadir_open(&target->dir, data, GW_DATADIR_CREATE, "gridwarden import", error);
    if (err == GW_OK) {
        err = gw_datadir_file(&target->dir, "editions", path, sizeof(path), error);
    }
    if (err == GW_OK && mkdir(path, 0750) != 0 && errno != EEXIST) {
        err = gw_error_set(error, GW_EIO, "can't make the folder %s: %s", path, strerror(errno));
    }
    if (err == GW_OK) {
        err = gw_datadir_file(&target->dir, "db", path, sizeof(path), error);
    }
    if (err == GW_OK) {
        struct gw_store_options options = {.create = true};
        err = gw_store_open(path, &options, &target->store, error);
    }
    return err == GW_OK ? gw_log_local_open(target->store, &target->log, error) : err;
}

// Records the edition in the log: staged, and published where that was asked for.
static gw_err record(struct target *target, const struct gw_import_options *import,
                     const struct gw_import_report *report, bool publish, struct gw_error *error) {
    Gridwarden__V1__EditionRef ref = GRIDWARDEN__V1__EDITION_REF__INIT;
    ref.layer = (char *)import->layer;
    ref.number = import->number;
    Gridwarden__V1__Edition edition = GRIDWARDEN__V1__EDITION__INIT;
    edition.ref = &ref;
    edition.created_ms = gw_clock_wall_ms();
    edition.grid_count = report->grids;
    edition.vertex_count = report->vertices;
    edition.content_hash = (char *)report->content_hash;
    edition.label = (char *)import->label;
    edition.state = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_STAGED;
    Gridwarden__Store__V1__EditionEvent event = GRIDWARDEN__STORE__V1__EDITION_EVENT__INIT;
    event.edition = &edition;
    gw_err err =
        gw_shard_append_edition(target->store, target->log, &event, edition.created_ms, error);
    if (err == GW_OK && publish) {
        edition.state = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED;
        edition.published_ms = gw_clock_wall_ms();
        err = gw_shard_append_edition(target->store, target->log, &event, edition.published_ms,
                                      error);
    }
    return err;
}

static gw_err import_into(struct target *target, struct gw_import_options *import, bool publish,
                          struct gw_import_report *report, struct gw_error *error) {
    char path[1200];
    gw_err err = gw_editions_next_number(target->store, import->layer, &import->number, error);
    if (err == GW_OK) {
        err = gw_editions_path(target->dir.path, import->layer, import->number, path, sizeof(path),
                               error);
    }
    if (err == GW_OK) {
        err = gw_import_edition(import, path, show_finding, NULL, report, error);
    }
    if (err == GW_OK && report->grids > 0) {
        err = record(target, import, report, publish, error);
    }
    return err;
}

static void print_report(const struct cli_args *args, const struct gw_import_options *import,
                         const struct gw_import_report *report, bool publish, double seconds) {
    if (report->grids == 0) {
        (void)printf(cli_flag(args, "json") ? "{\"grids\": 0}\n"
                                            : "0 grids imported; nothing was changed\n");
        return;
    }
    const char *form =
        cli_flag(args, "json")
            ? "{\"edition\": %" PRIu64 ", \"state\": \"%s\", \"grids\": %" PRIu64
              ", \"vertices\": %" PRIu64 ", \"areas\": %" PRIu64 ", \"findings\": %" PRIu64
              ", \"file_bytes\": %" PRIu64 ", \"index_bytes\": %" PRIu64 ", \"seconds\": %.3f}\n"
            : "edition %" PRIu64 " %s: %" PRIu64 " grids, %" PRIu64 " vertices, %" PRIu64
              " areas, %" PRIu64 " findings; %" PRIu64 " bytes (index %" PRIu64 "), %.2f s\n";
    (void)printf(form, import->number, publish ? "published" : "staged", report->grids,
                 report->vertices, report->areas, report->findings, report->file_bytes,
                 report->index_bytes, seconds);
}

static gw_err import_into_folder(const char *data, struct gw_import_options *import, bool publish,
                                 struct gw_import_report *report, struct gw_error *error) {
    struct target target;
    gw_err err = open_target(&target, data, error);
    if (err == GW_OK) {
        err = import_into(&target, import, publish, report, error);
    }
    close_target(&target);
    return err;
}

// Whether a write that failed like this may have had its effect all the same.
static bool is_unknown(gw_err err) {
    return err == GW_EDEADLINE || err == GW_EUNAVAILABLE || err == GW_ECANCELLED;
}

// Checks and indexes here, in the file `path`, and sends the result.
static gw_err import_through(struct cli_door *door, const char *path,
                             struct gw_import_options *import, bool publish,
                             struct gw_import_report *report, struct gw_error *error) {
    gw_err err = cli_edition_next_number(door, import->layer, &import->number, error);
    if (err == GW_OK) {
        err = gw_import_edition(import, path, show_finding, NULL, report, error);
    }
    if (err != GW_OK || report->grids == 0) {
        return err;
    }
    struct cli_edition_file file = {
        .path = path,
        .layer = import->layer,
        .content_hash = report->content_hash,
        .number = import->number,
        .size = report->file_bytes,
        .progress = import->progress,
        .context = import->context,
    };
    err = cli_edition_upload(door, &file, error);
    if (err != GW_OK) {
        return !is_unknown(err) ? err
                                : gw_error_set(error, err,
                                               "edition %" PRIu64 " may be staged or not; see "
                                               "`gridwarden edition list`: %s",
                                               import->number, error->text);
    }
    err = publish ? cli_edition_publish_number(door, import->layer, import->number, error) : GW_OK;
    if (err == GW_OK) {
        return GW_OK;
    }
    return gw_error_set(error, err,
                        is_unknown(err) ? "edition %" PRIu64 " is staged, and may be published or "
                                          "not; see `gridwarden edition list`: %s"
                                        : "edition %" PRIu64 " is staged, but not published: %s",
                        import->number, error->text);
}

static gw_err import_to_server(struct cli_door *door, struct gw_import_options *import,
                               bool publish, struct gw_import_report *report,
                               struct gw_error *error) {
    const char *base = getenv("TMPDIR");
    char folder[1100], path[1200];
    (void)snprintf(folder, sizeof(folder), "%.1000s/gridwarden-XXXXXX",
                   base != NULL && base[0] != '\0' ? base : "/tmp");
    if (mkdtemp(folder) == NULL) {
        return gw_error_set(error, GW_EIO, "can't make the folder %s: %s", folder, strerror(errno));
    }
    (void)snprintf(path, sizeof(path), "%s/edition.gwe", folder);
    gw_err err = import_through(door, path, import, publish, report, error);
    (void)unlink(path);
    (void)rmdir(folder);
    return err;
}

static int run(const struct cli_args *args) {
    const char *data = cli_value(args, "data");
    bool to_server = cli_value(args, "server") != NULL;
    if ((data == NULL) == !to_server) {
        return cli_usage(args, "give --data DIR, the data folder to import into, or --server ADDR, "
                               "the node to send the edition to");
    }
    const char *code_field = cli_value(args, "code-field"), *name = cli_value(args, "name-field");
    const char *layer = cli_value(args, "layer"), *label = cli_value(args, "label");
    struct progress progress = {.terminal = isatty(STDERR_FILENO) != 0};
    struct gw_import_options import = {
        .files = args->words,
        .file_count = args->word_count,
        .crs = cli_value(args, "crs"),
        .code_field = code_field != NULL ? code_field : "code",
        .name_field = name != NULL ? name : "name",
        .kind_field = cli_value(args, "kind-field"),
        .parent_field = cli_value(args, "parent-field"),
        .priority_field = cli_value(args, "priority-field"),
        .areas_file = cli_value(args, "areas"),
        .layer = layer != NULL ? layer : GW_LAYER_RESPONSIBLE,
        .label = label != NULL ? label : "",
        .progress = show_progress,
        .context = &progress,
    };
    bool publish = cli_flag(args, "publish");
    int64_t start_ns = gw_clock_monotonic_ns();
    struct cli_door door = {0};
    struct gw_import_report report = {0};
    struct gw_error error;
    int code = to_server ? cli_door_open(&door, args) : CLI_DONE;
    if (code != CLI_DONE) {
        return code;
    }
    gw_err err = to_server ? import_to_server(&door, &import, publish, &report, &error)
                           : import_into_folder(data, &import, publish, &report, &error);
    cli_door_close(&door);
    if (progress.terminal) {
        (void)fputs("\r\033[K", stderr);
    }
    if (err != GW_OK) {
        if (report.refusals > 0) {
            (void)fprintf(stderr, "gridwarden: refused: %" PRIu64 " fault%s; nothing was stored\n",
                          report.refusals, report.refusals == 1 ? "" : "s");
            return CLI_REFUSED;
        }
        return cli_refused(&error);
    }
    double seconds = (double)(gw_clock_monotonic_ns() - start_ns) / 1e9;
    print_report(args, &import, &report, publish, seconds);
    return CLI_DONE;
}

static const struct cli_option options[] = {
    {"data", "DIR", "the data folder, which no node serves; made where there is none"},
    {"server", "ADDR", "or a node's gRPC address: the edition is made here and sent there"},
    {"timeout", "SECONDS", "how long to wait for an answer of the node (default 10)"},
    {"crs", "CRS", "of the files: EPSG:4326, EPSG:4490 or OGC:CRS84"},
    {"code-field", "NAME", "attribute with the grid's code (default code)"},
    {"name-field", "NAME", "attribute with its name (default name)"},
    {"kind-field", "NAME", "attribute that says URBAN, RURAL or SPECIAL"},
    {"parent-field", "NAME", "attribute with the code of the area above"},
    {"priority-field", "NAME", "attribute with a number; the smaller answers on overlaps"},
    {"areas", "FILE", "CSV of the areas above: code, name, level, parent"},
    {"layer", "NAME", "default grid, the responsible layer"},
    {"label", "TEXT", "shown with the edition"},
    {"publish", NULL, "publish at once; else the edition is only staged"},
    {"json", NULL, "print the report as JSON"},
};

const struct cli_command cli_import = {
    .name = "import",
    .words = "FILE…",
    .summary = "Imports boundary files as one checked edition.",
    .details =
        "All files together make one edition. Each fault is listed with file, feature, ring\n"
        "and place; if anything is refused, nothing is stored. The folder must not be in use\n"
        "by a node; a node that serves takes the edition with --server, and goes on serving.\n\n"
        "Examples:\n"
        "  gridwarden import a.geojson b.geojson --data ./data --crs EPSG:4326 \\\n"
        "      --code-field code --name-field name --publish\n"
        "  gridwarden import a.geojson --server 127.0.0.1:7600 --crs EPSG:4326 --publish",
    .words_min = 1,
    .words_max = CLI_ARGUMENTS_MAX,
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .run = run,
};

// --- verify ---

static int run_verify(const struct cli_args *args) {
    const char *data = cli_value(args, "data");
    if (data == NULL) {
        return cli_usage(args, "--data DIR is needed");
    }
    struct gw_error error;
    struct target target = {.dir.lock_fd = -1};
    struct gw_shard_verify_totals totals = {0};
    char path[1100];
    gw_err err = gw_datadir_open(&target.dir, data, GW_DATADIR_WRITE, "gridwarden verify", &error);
    if (err == GW_OK) {
        err = gw_datadir_file(&target.dir, "db", path, sizeof(path), &error);
    }
    if (err == GW_OK) {
        struct gw_store_options store_options = {.create = false};
        err = gw_store_open(path, &store_options, &target.store, &error);
    }
    if (err == GW_OK) {
        err = gw_log_local_open(target.store, &target.log, &error);
    }
    if (err == GW_OK) {
        err = gw_shard_verify(target.store, target.log, &totals, &error);
    }
    close_target(&target);
    if (err != GW_OK) {
        return cli_refused(&error);
    }
    (void)printf(cli_flag(args, "json") ? "{\"entries\": %" PRIu64 ", \"events\": %" PRIu64
                                          ", \"incidents\": %" PRIu64 ", \"workers\": %" PRIu64
                                          ", \"receipts\": %" PRIu64 "}\n"
                                        : "sound: %" PRIu64 " entries, %" PRIu64 " events, %" PRIu64
                                          " incidents, %" PRIu64 " workers, %" PRIu64 " receipts\n",
                 totals.entries, totals.events, totals.incidents, totals.workers, totals.receipts);
    return CLI_DONE;
}

static const struct cli_option verify_options[] = {
    {"data", "DIR", "the data folder"},
    {"json", NULL, "print the totals as JSON"},
};

const struct cli_command cli_verify = {
    .name = "verify",
    .words = "",
    .summary = "Replays a folder's history and compares it with its state.",
    .details =
        "Reads every entry of the log, checks that each carries the hash of the one before,\n"
        "and compares what they add up to with what is stored, byte for byte.\n\n"
        "Example:\n  gridwarden verify --data ./data",
    .options = verify_options,
    .option_count = sizeof(verify_options) / sizeof(verify_options[0]),
    .run = run_verify,
};
