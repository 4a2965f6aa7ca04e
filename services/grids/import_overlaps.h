// Grids that overlap: no reason to refuse, since the priority decides there, but worth knowing.
// Private to the importer.
#ifndef GW_SERVICES_GRIDS_IMPORT_OVERLAPS_H
#define GW_SERVICES_GRIDS_IMPORT_OVERLAPS_H

#include "services/grids/import_read.h"

// Reports every pair of grids whose interiors meet as a finding that is no refusal. Never
// GW_EINVAL.
GW_MUST_CHECK gw_err gw_import_report_overlaps(struct gw_import *import);

#endif
