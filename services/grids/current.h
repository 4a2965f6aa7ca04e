// The published edition of a layer, which may be replaced while it is read.
//
// A reader takes the edition, works on it from start to end, and gives it back: it sees one edition
// throughout, however often another is published meanwhile. An edition is unmapped when the last
// reader has given it back.
//
// Threads: everything from any thread; a mutex is held for a few instructions.
#ifndef GW_SERVICES_GRIDS_CURRENT_H
#define GW_SERVICES_GRIDS_CURRENT_H

#include "services/grids/edition.h"

struct gw_current;

// `edition` is owned from here on (also when NULL is returned: out of memory).
struct gw_current *gw_current_create(struct gw_edition *edition);
// No reader is left. Accepts NULL.
void gw_current_destroy(struct gw_current *current);

// The edition of now; never NULL. Each take is followed by one gw_current_release.
const struct gw_edition *gw_current_take(struct gw_current *current);
void gw_current_release(struct gw_current *current, const struct gw_edition *edition);

// From now on takers get `edition`, which is owned from here on. GW_ENOMEM: it is closed, and
// nothing has changed.
GW_MUST_CHECK gw_err gw_current_replace(struct gw_current *current, struct gw_edition *edition);

#endif
