#include "loadtest/files.h"
#include "loadtest/options.h"
#include "loadtest/output.h"
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_bool stop;

static void on_signal(int number) {
    (void)number;
    atomic_store(&stop, true);
}

static int complain(int code, const struct gw_error *error) {
    fprintf(stderr, "gridwarden-load: %s\n", error->text);
    return code;
}

// --- where scenarios lie: loadtest/scenarios of the folder that we are in, or beside the program

static void folder_of_program(char *out, size_t size) {
    char path[1024];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    (void)snprintf(out, size, "%.900s/../loadtest/scenarios", dirname(path));
}

static void find_scenario(const char *name, char *out, size_t size) {
    char folder[1024];
    (void)snprintf(out, size, "%s", name);
    if (strchr(name, '/') != NULL || access(out, R_OK) == 0) {
        return;
    }
    const char *suffix = strstr(name, ".json") != NULL ? "" : ".json";
    (void)snprintf(out, size, "loadtest/scenarios/%s%s", name, suffix);
    if (access(out, R_OK) == 0) {
        return;
    }
    folder_of_program(folder, sizeof(folder));
    (void)snprintf(out, size, "%s/%s%s", folder, name, suffix);
    if (access(out, R_OK) != 0) {
        (void)snprintf(out, size, "%s", name); // as he wrote it, for the message
    }
}

static int list(const char *folder) {
    char own[1024], pattern[1100];
    glob_t found;
    if (folder == NULL) {
        folder_of_program(own, sizeof(own));
        folder = access("loadtest/scenarios", R_OK) == 0 ? "loadtest/scenarios" : own;
    }
    (void)snprintf(pattern, sizeof(pattern), "%s/*.json", folder);
    if (glob(pattern, 0, NULL, &found) != 0) {
        fprintf(stderr, "gridwarden-load: no scenarios in %s; name their folder\n", folder);
        return LOAD_EXIT_REFUSED;
    }
    int code = 0;
    struct load_scenario *scenario = malloc(sizeof(*scenario));
    for (size_t i = 0; scenario != NULL && i < found.gl_pathc; i++) {
        struct gw_error error;
        if (load_scenario_read(found.gl_pathv[i], scenario, &error) != GW_OK) {
            code = complain(LOAD_EXIT_REFUSED, &error);
            continue;
        }
        printf("%-16s %s\n", scenario->name, scenario->description);
    }
    free(scenario);
    globfree(&found);
    return code;
}

// --- run ---

static gw_err write_file(const char *path, const struct load_result *result,
                         gw_err (*write)(const struct load_result *result, FILE *out),
                         struct gw_error *error) {
    if (path == NULL) {
        return GW_OK;
    }
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        return gw_error_set(error, GW_EIO, "%s: %s", path, strerror(errno));
    }
    gw_err err = write(result, out);
    if (fclose(out) != 0 && err == GW_OK) {
        err = GW_EIO;
    }
    return err == GW_OK ? GW_OK : gw_error_set(error, err, "%s: %s", path, gw_err_text(err));
}

static int report(const struct load_arguments *arguments, const struct load_result *result) {
    struct gw_error error = {.code = GW_OK};
    if (result->step_count == 0) {
        fprintf(stderr, "gridwarden-load: ended during the warm-up; nothing was measured\n");
        return LOAD_EXIT_CUT_SHORT;
    }
    gw_err err = load_write_table(result, stdout);
    if (err != GW_OK) {
        (void)gw_error_set(&error, err, "the table: %s", gw_err_text(err));
    }
    if (err == GW_OK) {
        err = write_file(arguments->json, result, load_write_json, &error);
    }
    if (err == GW_OK) {
        err = write_file(arguments->html, result, load_write_html, &error);
    }
    if (err != GW_OK) {
        return complain(LOAD_EXIT_REFUSED, &error);
    }
    int outcome = load_outcome(result);
    if (atomic_load(&stop)) {
        fprintf(stderr, "gridwarden-load: CUT SHORT: ended early by a signal\n");
        outcome = outcome == 0 ? LOAD_EXIT_CUT_SHORT : outcome;
    }
    return outcome;
}

static int run_scenario(struct load_arguments *arguments, struct load_scenario *scenario,
                        struct load_result *result) {
    struct gw_error error;
    char path[1200];
    find_scenario(arguments->scenario, path, sizeof(path));
    if (load_scenario_read(path, scenario, &error) != GW_OK) {
        return complain(LOAD_EXIT_REFUSED, &error);
    }
    scenario->seconds = arguments->seconds >= 0 ? arguments->seconds : scenario->seconds;
    scenario->warmup_seconds =
        arguments->warmup_seconds >= 0 ? arguments->warmup_seconds : scenario->warmup_seconds;
    scenario->seed = arguments->seed_given ? arguments->seed : scenario->seed;
    arguments->run.live = arguments->quiet ? NULL : stderr;
    arguments->run.stop = &stop;
    gw_err err = load_run(&arguments->run, scenario, result, &error);
    if (err != GW_OK && result->step_count == 0) {
        return complain(LOAD_EXIT_REFUSED, &error);
    }
    int code = report(arguments, result);
    return err == GW_OK ? code : complain(LOAD_EXIT_REFUSED, &error);
}

static int run(int argc, char **argv) {
    struct load_arguments arguments;
    struct gw_error error;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            load_print_help(stdout);
            return 0;
        }
    }
    if (load_arguments_read(argc, argv, &arguments, &error) != GW_OK) {
        return complain(LOAD_EXIT_USAGE, &error);
    }
    (void)sigaction(SIGINT, &action, NULL); // a second one ends the program at once
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    struct load_scenario *scenario = calloc(1, sizeof(*scenario));
    struct load_result *result = calloc(1, sizeof(*result));
    int code = LOAD_EXIT_REFUSED;
    if (scenario == NULL || result == NULL) {
        fprintf(stderr, "gridwarden-load: no memory\n");
    } else {
        code = run_scenario(&arguments, scenario, result);
        load_result_free(result);
    }
    free(scenario);
    free(result);
    return code;
}

int main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "run") == 0) {
        return run(argc - 2, argv + 2);
    }
    if (argc >= 2 && argc <= 3 && strcmp(argv[1], "list") == 0) {
        return list(argc == 3 ? argv[2] : NULL);
    }
    if (argc >= 2 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)) {
        load_print_help(stdout);
        return 0;
    }
    if (argc >= 2 && (strcmp(argv[1], "merge") == 0 || strcmp(argv[1], "html") == 0 ||
                      strcmp(argv[1], "show") == 0)) {
        return load_files_command(argc - 1, argv + 1);
    }
    fprintf(stderr, "gridwarden-load: run, list, merge, html, show or help? "
                    "See gridwarden-load help\n");
    return LOAD_EXIT_USAGE;
}
