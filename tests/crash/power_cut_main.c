// power_cut ROOT JOURNAL [SEED]: cuts the power of a folder that the shim watched.
#include "tests/crash/power_cut.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: power_cut ROOT JOURNAL [SEED]\n");
        return 2;
    }
    struct power_cut_result result;
    char words[256];
    uint64_t seed = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
    if (!power_cut(argv[1], argv[2], seed, &result, words)) {
        fprintf(stderr, "power_cut: %s\n", words);
        return 1;
    }
    printf("names undone %" PRIu32 ", files cut %" PRIu32 ", bytes cut %" PRIu64
           ", pages lost %" PRIu32 "\n",
           result.names_undone, result.files_cut, result.bytes_cut, result.pages_lost);
    return 0;
}
