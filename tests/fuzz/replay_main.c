// Runs every file of a corpus folder through LLVMFuzzerTestOneInput, as one test case each, without
// a fuzzer: so each configuration (debug, asan, tsan) replays what fuzzing once found.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return -1;
    }
    (void)fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1u);
    size_t got = data != NULL && size > 0 ? fread(data, 1, (size_t)size, file) : 0;
    (void)fclose(file);
    int result = data != NULL && got == (size_t)(size > 0 ? size : 0)
                     ? LLVMFuzzerTestOneInput(data, got)
                     : -1;
    free(data);
    return result;
}

static int not_hidden(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv) {
    struct dirent **entries = NULL;
    int count = argc > 1 ? scandir(argv[1], &entries, not_hidden, alphasort) : -1;
    if (count <= 0) {
        fprintf(stderr, "no corpus in %s\n", argc > 1 ? argv[1] : "(no folder given)");
        return 1;
    }
    int failed = 0;
    printf("[==========] Running %d test(s).\n", count);
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
        printf("[ RUN      ] %s\n", entries[i]->d_name);
        (void)fflush(stdout); // a crash shows the file that caused it
        if (replay_file(path) == 0) {
            printf("[       OK ] %s\n", entries[i]->d_name);
        } else {
            printf("[  FAILED  ] %s\n", entries[i]->d_name);
            failed++;
        }
        free(entries[i]);
    }
    free(entries);
    return failed == 0 ? 0 : 1;
}
