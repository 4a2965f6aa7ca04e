// An edition's way to a node that is serving: which number it gets, its file, publishing it.
#ifndef GW_SERVICES_CLI_EDITION_UPLOAD_H
#define GW_SERVICES_CLI_EDITION_UPLOAD_H

#include "services/cli/door.h"

// The number that the layer's next edition gets.
GW_MUST_CHECK gw_err cli_edition_next_number(struct cli_door *door, const char *layer,
                                             uint64_t *number, struct gw_error *error);

struct cli_edition_file {
    const char *path, *layer, *content_hash;
    uint64_t number, size;
    // Called with phase "uploading" and bytes; may be NULL.
    void (*progress)(void *context, const char *phase, uint64_t done, uint64_t total);
    void *context;
};
// Sends the file; GW_OK: it is staged there.
GW_MUST_CHECK gw_err cli_edition_upload(struct cli_door *door, const struct cli_edition_file *file,
                                        struct gw_error *error);
GW_MUST_CHECK gw_err cli_edition_publish_number(struct cli_door *door, const char *layer,
                                                uint64_t number, struct gw_error *error);

#endif
