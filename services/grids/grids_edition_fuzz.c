// Opening an edition from any bytes, as they are and with a checksum made to fit, and asking it.
#include "services/grids/testing_edition.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned char *bytes = malloc(size + 1); // aligned, as a mapping is
    if (bytes == NULL) {
        return 0;
    }
    memcpy(bytes, data, size);
    for (int sealed = 0; sealed < 2; sealed++) {
        struct gw_edition *edition = NULL;
        struct gw_error error;
        if (gw_edition_open_bytes(bytes, size, &edition, &error) == GW_OK) {
            volatile uint64_t answers = testing_exercise(edition);
            (void)answers;
            gw_edition_close(edition);
        }
        testing_reseal(bytes, size);
    }
    free(bytes);
    return 0;
}
