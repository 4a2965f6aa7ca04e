// Where an import's findings go: counted, handed on up to a limit, the first refusal kept in words.
// Private to the importer.
#ifndef GW_SERVICES_GRIDS_IMPORT_FINDINGS_H
#define GW_SERVICES_GRIDS_IMPORT_FINDINGS_H

#include "services/base/error.h"
#include "services/grids/importer.h"
#include <stdbool.h>
#include <stdint.h>

#define GW_FINDINGS_MAX 1000u // handed on; further ones are counted only

struct gw_findings {
    void (*visit)(void *context, const struct gw_import_finding *finding);
    void *context;
    const char *file; // that is being read, "" for none
    uint64_t count, refusals;
    struct gw_error first; // the first refusal; code GW_OK while there is none
};

// Adds a finding: `finding` says everything but file and text. NULL code is "".
void gw_findings_add(struct gw_findings *findings, const struct gw_import_finding *finding,
                     const char *format, ...) __attribute__((format(printf, 3, 4)));

// A refusal of the file as a whole.
void gw_findings_refuse_file(struct gw_findings *findings, const char *kind, const char *format,
                             ...) __attribute__((format(printf, 3, 4)));

#endif
