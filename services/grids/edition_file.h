// Putting the bytes of an edition on disk, whole or not at all. Private to the writer.
#ifndef GW_SERVICES_GRIDS_EDITION_FILE_H
#define GW_SERVICES_GRIDS_EDITION_FILE_H

#include "services/base/error.h"
#include "services/grids/edition_format.h"

struct gw_edition_piece {
    const void *data;
    uint64_t size;
};

// Writes header and sections to path.tmp, syncs, renames to `path` and syncs the folder. The file's
// length and its checksum as hexadecimal digits go to the outs. GW_EIO: nothing is left behind.
GW_MUST_CHECK gw_err gw_edition_file_save(const char *path,
                                          const struct gw_edition_piece pieces[GW_SECTION_COUNT],
                                          uint64_t *file_bytes, char content_hash[33],
                                          struct gw_error *error);

#endif
