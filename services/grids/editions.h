// The editions of a data folder: staged, published, superseded; the current one of each layer.
//
// Files lie in DATA/editions/<layer>-<number>.gwe; what is published is in the store, written with
// the log (services/log), so a crash leaves the old edition or the new one, never half of one.
#ifndef GW_SERVICES_GRIDS_EDITIONS_H
#define GW_SERVICES_GRIDS_EDITIONS_H

#include "gridwarden/store/v1/store.pb-c.h"
#include "gridwarden/v1/grid.pb-c.h"
#include "services/grids/edition.h"
#include "services/store/store.h"

// Opens the published edition of a layer. GW_ENOTFOUND: none is published (the text says how).
GW_MUST_CHECK gw_err gw_editions_open_current(const char *data_folder, struct gw_store *store,
                                              const char *layer, struct gw_edition **edition,
                                              struct gw_error *error);

// The row of an edition, for the caller to free with gridwarden__v1__edition__free_unpacked.
// GW_ENOTFOUND: the store has none such.
GW_MUST_CHECK gw_err gw_editions_find(struct gw_store *store, const char *layer, uint64_t number,
                                      Gridwarden__V1__Edition **row, struct gw_error *error);

// Opens the file of a row, whatever its state. GW_ECORRUPT: it is missing, damaged or another one.
GW_MUST_CHECK gw_err gw_editions_open(const char *data_folder, const Gridwarden__V1__Edition *row,
                                      struct gw_edition **edition, struct gw_error *error);

// GW_EINVAL unless a layer can have this name.
GW_MUST_CHECK gw_err gw_editions_check_layer(const char *layer, struct gw_error *error);

// The number that the next edition of a layer gets: one more than the highest in the store.
GW_MUST_CHECK gw_err gw_editions_next_number(struct gw_store *store, const char *layer,
                                             uint64_t *number, struct gw_error *error);

// DATA/editions/<layer>-<number>.gwe into out. GW_EINVAL: too long.
GW_MUST_CHECK gw_err gw_editions_path(const char *data_folder, const char *layer, uint64_t number,
                                      char *out, size_t out_size, struct gw_error *error);

// Every edition in the store, newest first within its layer, unpacked for the visit alone.
GW_MUST_CHECK gw_err gw_editions_list(struct gw_store *store,
                                      bool (*visit)(void *context,
                                                    const Gridwarden__V1__Edition *edition),
                                      void *context, struct gw_error *error);

// Folds an edition's event into the views: one row each, and on PUBLISHED the one before becomes
// SUPERSEDED. Used by the writer and by replay alike.
GW_MUST_CHECK gw_err gw_editions_apply(struct gw_store *store, struct gw_store_batch *batch,
                                       const Gridwarden__Store__V1__EditionEvent *event,
                                       struct gw_error *error);

#endif
