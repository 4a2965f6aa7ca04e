// A file on its way into the folder of editions, from somebody that is not trusted: written beside
// its place, checked from the first byte to the last, and only then moved there.
//
// Names:   DATA/editions/upload-<n>.part; what a killed process leaves of them is removed at the
//          next start (gw_intake_clean).
// Threads: an intake belongs to one thread at a time; different ones go on beside each other.
#ifndef GW_SERVICES_GRIDS_INTAKE_H
#define GW_SERVICES_GRIDS_INTAKE_H

#include "services/grids/edition.h"
#include <stdint.h>

#define GW_INTAKE_BYTES_MAX (UINT64_C(4) << 30)     // of one file
#define GW_INTAKE_SPARE_BYTES (UINT64_C(256) << 20) // of the disk, which stay free for the log

struct gw_intake;

// What the sender says of the file. The strings live as long as the intake.
struct gw_intake_claim {
    const char *layer;
    uint64_t number, size;
    const char *content_hash; // 32 hexadecimal digits
};

// Makes the file. `reserved` bytes of the disk are for others that are on their way too. GW_EINVAL
// names the field of the claim; GW_ENOSPC: larger than is allowed, or the disk is too full.
GW_MUST_CHECK gw_err gw_intake_open(const char *data_folder, const struct gw_intake_claim *claim,
                                    uint64_t reserved, struct gw_intake **intake,
                                    struct gw_error *error);
// Adds the next bytes. GW_EINVAL: more than the claim says. GW_EIO, GW_ENOSPC: the disk's words.
GW_MUST_CHECK gw_err gw_intake_write(struct gw_intake *intake, const void *bytes, size_t size,
                                     struct gw_error *error);
// Once all has come: syncs the file, opens it, and checks that it is a sound edition and the one
// that was claimed. The caller closes the edition. GW_EINVAL says what is wrong with it.
GW_MUST_CHECK gw_err gw_intake_check(struct gw_intake *intake, int64_t now_ms,
                                     struct gw_edition **edition, struct gw_error *error);
// Moves the checked file to the place of its edition (gw_editions_path) and syncs the folder.
GW_MUST_CHECK gw_err gw_intake_place(struct gw_intake *intake, struct gw_error *error);
// Removes the file from its place again: it was refused after all.
void gw_intake_withdraw(struct gw_intake *intake);
// Removes the file, unless it was placed. Accepts NULL.
void gw_intake_close(struct gw_intake *intake);

// Removes what was never placed. For the one process that has the folder's lock, at its start.
GW_MUST_CHECK gw_err gw_intake_clean(const char *data_folder, struct gw_error *error);

#endif
