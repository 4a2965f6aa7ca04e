// Which coordinate reference systems an import takes as they are.
#ifndef GW_SERVICES_GRIDS_IMPORT_CRS_H
#define GW_SERVICES_GRIDS_IMPORT_CRS_H

#include <stdbool.h>

#define GW_IMPORT_CRS_NAMES "EPSG:4326, EPSG:4490 or OGC:CRS84"

// Whether the name, in any of its usual spellings, is WGS84 or CGCS2000 in longitude and latitude.
// The two agree within centimetres to decimetres and are not told apart. In GeoJSON the longitude
// always comes first (RFC 7946), whatever the axis order of the EPSG entry.
bool gw_import_crs_is_lonlat(const char *name);

#endif
