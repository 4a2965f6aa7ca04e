// The list of areas above the grids, from a CSV file (RFC 4180, UTF-8, a byte-order mark is fine).
//
// Columns by name in the header, in any order: `code` and `name`; `level` (prefecture or city,
// county or district, town, township or street, village or community, or 4, 3, 2, 1; empty: by the
// code's 4, 6, 9 or 12 digits); `parent` (empty: the code's prefix). Further columns are ignored,
// and so are provinces, which lie above what a city manages.
#ifndef GW_SERVICES_GRIDS_AREAS_CSV_H
#define GW_SERVICES_GRIDS_AREAS_CSV_H

#include "services/base/buffer.h"
#include "services/grids/edition_writer.h"
#include "services/grids/import_findings.h"

#define GW_AREAS_MAX 1000000u    // rows
#define GW_AREAS_COLUMNS_MAX 64u // columns
#define GW_AREAS_FIELD_MAX 4096u // bytes of a field

struct gw_area_list {
    struct gw_edition_area_row *rows;
    uint32_t count;
    char *texts; // what the rows point into
};

// Reads `text` into *list; the caller releases it with gw_area_list_free, on errors too. Everything
// that is wrong is reported with its row (1 is the header); GW_EINVAL when anything was refused.
GW_MUST_CHECK gw_err gw_areas_read(const char *text, size_t size, struct gw_findings *findings,
                                   struct gw_area_list *list);
void gw_area_list_free(struct gw_area_list *list);

#endif
