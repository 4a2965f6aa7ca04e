#include "services/grids/importer.h"
#include "services/base/clock.h"
#include "services/grids/edition_writer.h"
#include "services/grids/import_crs.h"
#include "services/grids/import_overlaps.h"
#include "services/grids/import_read.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gw_err no_memory(struct gw_error *error) {
    return gw_error_set(error, GW_ENOMEM, "out of memory during the import");
}

static gw_err read_all(int fd, char *bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t part = read(fd, bytes + done, size - done);
        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part <= 0) {
            return GW_EIO; // also when the file became shorter
        }
        done += (size_t)part;
    }
    return GW_OK;
}

// The whole file into *bytes, which the caller frees. GW_EINVAL: reported as a finding.
static gw_err load(struct gw_import *import, const char *path, char **bytes, size_t *size) {
    struct gw_findings *findings = &import->findings;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0) {
        gw_findings_refuse_file(findings, "file", "the file cannot be opened: %s", strerror(errno));
        return GW_EINVAL;
    }
    gw_err err = GW_EINVAL;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        gw_findings_refuse_file(findings, "file", "this is a folder or device and not a file");
    } else if ((uint64_t)status.st_size > GW_IMPORT_FILE_MAX) {
        gw_findings_refuse_file(findings, "limit", "the file is larger than 4 GiB: split it");
    } else {
        *size = (size_t)status.st_size;
        *bytes = malloc(*size + 1);
        err = *bytes == NULL ? GW_ENOMEM : read_all(fd, *bytes, *size);
        if (err == GW_EIO) {
            gw_findings_refuse_file(findings, "file", "the file cannot be read to its end");
            err = GW_EINVAL;
        }
    }
    (void)close(fd);
    return err;
}

static void progress(const struct gw_import *import, uint64_t done, uint64_t total) {
    if (import->options->progress != NULL) {
        import->options->progress(import->options->context, "reading", done, total);
    }
}

// Goes on after a refused file, so that one run reports what is wrong with all of them.
static gw_err read_files(struct gw_import *import) {
    const struct gw_import_options *options = import->options;
    gw_err result = GW_OK;
    for (size_t i = 0; i <= options->file_count; i++) {
        bool areas = i == 0; // they come first, since parents are looked up in them
        const char *path = areas ? options->areas_file : options->files[i - 1];
        if (path == NULL) {
            continue;
        }
        char *bytes = NULL;
        size_t size = 0;
        import->findings.file = path;
        progress(import, i, options->file_count);
        gw_err err = load(import, path, &bytes, &size);
        if (err == GW_OK) {
            err = areas ? gw_import_areas(import, bytes, size)
                        : gw_import_geojson(import, (uint32_t)(i - 1), bytes, size);
        }
        free(bytes);
        if (err != GW_OK && err != GW_EINVAL) {
            return err;
        }
        result = err != GW_OK ? err : result;
    }
    progress(import, options->file_count, options->file_count);
    import->findings.file = "";
    return result;
}

static gw_err check_options(const struct gw_import_options *options, struct gw_error *error) {
    if (options->file_count == 0 || options->file_count > GW_IMPORT_FILES_MAX) {
        return gw_error_set(error, GW_EINVAL, "an import takes 1 to %u files", GW_IMPORT_FILES_MAX);
    }
    if (options->crs != NULL && !gw_import_crs_is_lonlat(options->crs)) {
        return gw_error_set(error, GW_EINVAL,
                            "--crs %.60s: this version reads %s; other systems and formats come "
                            "with a later version, so convert the files first",
                            options->crs, GW_IMPORT_CRS_NAMES);
    }
    return GW_OK;
}

static gw_err write_edition(struct gw_import *import, const char *out_path,
                            struct gw_edition_written *written, struct gw_error *error) {
    const struct gw_import_options *options = import->options;
    struct gw_edition_grid_row *grids = NULL;
    struct gw_edition_ring *rings = NULL;
    struct gw_error why = {GW_OK, ""};
    gw_err err = GW_OK;
    if (gw_import_rows_export(&import->rows, &grids, &rings)) {
        const struct gw_edition_input input = {
            .layer = options->layer != NULL ? options->layer : GW_LAYER_RESPONSIBLE,
            .label = options->label != NULL ? options->label : "",
            .number = options->number,
            .created_ms = gw_clock_wall_ms(),
            .grids = grids,
            .grid_count = (uint32_t)import->rows.count,
            .areas = import->areas.rows,
            .area_count = import->areas.count,
            .progress = options->progress,
            .context = options->context,
        };
        err = gw_edition_write(&input, out_path, written, &why);
    } else {
        err = no_memory(&why);
    }
    free(grids);
    free(rings);
    if (err == GW_EINVAL) { // what only shows when all rows are together, such as areas in a circle
        gw_findings_refuse_file(&import->findings, "rows", "%s", why.text);
    }
    return err == GW_OK ? GW_OK : gw_error_set(error, err, "%s", why.text);
}

// From rows that are all good to the file, or the words of the first refusal.
static gw_err finish(struct gw_import *import, gw_err read, const char *out_path,
                     struct gw_edition_written *written, struct gw_error *error) {
    import->findings.file = import->options->file_count == 1 ? import->options->files[0] : "";
    if (read == GW_OK && import->rows.count == 0) {
        gw_findings_refuse_file(&import->findings, "empty-file",
                                "0 grids were found, so nothing is imported, and what is published "
                                "stays as it is");
        read = GW_EINVAL;
    }
    if (read == GW_ENOMEM) {
        return no_memory(error);
    }
    if (import->findings.refusals > 0) {
        uint64_t more = import->findings.refusals - 1;
        if (more == 0) {
            return gw_error_set(error, GW_EINVAL, "%s", import->findings.first.text);
        }
        return gw_error_set(error, GW_EINVAL, "%.270s (and %llu more)", import->findings.first.text,
                            (unsigned long long)more);
    }
    if (read != GW_OK) {
        return gw_error_set(error, read, "the import failed: %s", gw_err_text(read));
    }
    return gw_import_report_overlaps(import) == GW_OK
               ? write_edition(import, out_path, written, error)
               : no_memory(error);
}

static void fill_report(const struct gw_import *import, const struct gw_edition_written *written,
                        struct gw_import_report *report) {
    *report = (struct gw_import_report){
        .features = import->features,
        .grids = import->rows.count,
        .vertices = import->rows.vertex_count,
        .areas = written->areas,
        .findings = import->findings.count,
        .refusals = import->findings.refusals,
        .index_bytes = written->index_bytes,
        .file_bytes = written->file_bytes,
    };
    memcpy(report->content_hash, written->content_hash, sizeof(report->content_hash));
}

gw_err gw_import_edition(const struct gw_import_options *options, const char *out_path,
                         void (*finding)(void *context, const struct gw_import_finding *finding),
                         void *finding_context, struct gw_import_report *report,
                         struct gw_error *error) {
    *report = (struct gw_import_report){.features = 0};
    gw_err err = check_options(options, error);
    if (err != GW_OK) {
        return err;
    }
    struct gw_import *import = malloc(sizeof(*import));
    if (import == NULL) {
        return no_memory(error);
    }
    struct gw_edition_written written = {.content_hash = ""};
    err = gw_import_begin(import, options);
    import->findings.visit = finding;
    import->findings.context = finding_context;
    if (err == GW_OK) {
        err = read_files(import);
    }
    err = finish(import, err, out_path, &written, error);
    fill_report(import, &written, report);
    gw_import_end(import);
    free(import);
    return err;
}
