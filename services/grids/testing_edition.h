// Small editions for tests and fuzz targets.
#ifndef GW_SERVICES_GRIDS_TESTING_EDITION_H
#define GW_SERVICES_GRIDS_TESTING_EDITION_H

#include "services/grids/edition.h"

// Makes the checksum fit again after bytes of an edition were changed, so that what lies behind it
// is reached. Does nothing to fewer bytes than a header.
void testing_reseal(unsigned char *bytes, size_t size);

// Asks an opened edition everything there is, so that a sanitizer sees any step outside. Returns a
// number that depends on all answers.
uint64_t testing_exercise(const struct gw_edition *edition);

#endif
