#include "services/grids/import_findings.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 512

// The last part of a path: enough to know the file by, and leaves room for the words.
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void keep_first(struct gw_findings *findings, const struct gw_import_finding *finding) {
    char place[64] = "";
    char ring[32] = "";
    char code[80] = "";
    char feature[32] = "";
    if (!isnan(finding->lon) && !isnan(finding->lat)) {
        (void)snprintf(place, sizeof(place), " at %.10g %.10g", finding->lon, finding->lat);
    }
    if (finding->ring > 0) {
        (void)snprintf(ring, sizeof(ring), ", ring %d", finding->ring);
    }
    if (finding->code[0] != '\0') {
        (void)snprintf(code, sizeof(code), " (%s)", finding->code);
    }
    if (finding->feature > 0) {
        (void)snprintf(feature, sizeof(feature), ": feature %lld", (long long)finding->feature);
    }
    (void)gw_error_set(&findings->first, GW_EINVAL, "%.80s%s%s%s%s%s%s", base_name(finding->file),
                       feature, code, ring, place, finding->file[0] != '\0' ? ": " : "",
                       finding->text);
}

static void add(struct gw_findings *findings, const struct gw_import_finding *finding,
                const char *format, va_list arguments) {
    findings->count++;
    findings->refusals += finding->refused;
    bool first = finding->refused && findings->first.code == GW_OK;
    bool handed = findings->visit != NULL && findings->count <= GW_FINDINGS_MAX;
    if (!first && !handed) {
        return;
    }
    char text[TEXT_MAX];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    struct gw_import_finding whole = *finding;
    whole.file = findings->file != NULL ? findings->file : "";
    whole.code = finding->code != NULL && finding->feature > 0 ? finding->code : "";
    whole.text = text;
    if (first) {
        keep_first(findings, &whole);
    }
    if (handed) {
        findings->visit(findings->context, &whole);
    }
}

void gw_findings_add(struct gw_findings *findings, const struct gw_import_finding *finding,
                     const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(findings, finding, format, arguments);
    va_end(arguments);
}

void gw_findings_refuse_file(struct gw_findings *findings, const char *kind, const char *format,
                             ...) {
    const struct gw_import_finding finding = {
        .kind = kind, .code = "", .lon = NAN, .lat = NAN, .refused = true};
    va_list arguments;
    va_start(arguments, format);
    add(findings, &finding, format, arguments);
    va_end(arguments);
}
