#include "loadtest/run.h"
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

// The value behind a field's name in a file of /proc; "" when there is none.
static void proc_field(const char *path, const char *field, char *out, size_t size) {
    char line[256];
    FILE *file = fopen(path, "r");
    out[0] = '\0';
    while (file != NULL && out[0] == '\0' && fgets(line, sizeof(line), file) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, field, strlen(field)) == 0 && colon != NULL) {
            colon += 1 + strspn(colon + 1, " \t");
            colon[strcspn(colon, "\n")] = '\0';
            (void)snprintf(out, size, "%s", colon);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

void load_machine(char *out, size_t size) {
    char processor[128], memory[64];
    struct utsname system;
    proc_field("/proc/cpuinfo", "model name", processor, sizeof(processor));
    proc_field("/proc/meminfo", "MemTotal", memory, sizeof(memory));
    if (uname(&system) != 0) {
        memset(&system, 0, sizeof(system));
    }
    (void)snprintf(out, size, "%s, %ld cores, %.1f GiB, %s %.60s",
                   processor[0] != '\0' ? processor : "unknown processor",
                   sysconf(_SC_NPROCESSORS_ONLN), strtod(memory, NULL) / (1 << 20), system.sysname,
                   system.release);
}
