// gridwarden: one program. The first words name a command; the rest is its own.
#include "services/cli/commands.h"
#include "services/cli/version.h"
#include <stdio.h>
#include <string.h>

static const struct cli_command *const commands[] = {
    &cli_serve,           &cli_import,           &cli_verify,          &cli_locate,
    &cli_nearest,         &cli_report,           &cli_watch_incidents, &cli_watch_assignments,
    &cli_grid_list,       &cli_grid_get,         &cli_grid_editions,   &cli_edition_list,
    &cli_edition_publish, &cli_worker_list,      &cli_worker_get,      &cli_worker_import,
    &cli_worker_duty,     &cli_incident_list,    &cli_incident_get,    &cli_incident_place,
    &cli_incident_accept, &cli_incident_decline, &cli_incident_start,  &cli_incident_resolve,
    &cli_incident_close,  &cli_demo_generate,    &cli_demo_play,       &cli_version,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int run_version(const struct cli_args *args) {
    (void)args;
    (void)printf("gridwarden %s\n", GW_VERSION);
    return CLI_DONE;
}

const struct cli_command cli_version = {
    .name = "version",
    .words = "",
    .summary = "Prints the version.",
    .details = "",
    .run = run_version,
};

// How many of the leading words are the command's name; 0: they are not.
static int matches(const char *name, int argc, char **argv) {
    int count = 0;
    while (*name != '\0') {
        size_t size = strcspn(name, " ");
        if (count >= argc || strlen(argv[count]) != size || memcmp(argv[count], name, size) != 0) {
            return 0;
        }
        count++;
        name += size + (name[size] == ' ' ? 1 : 0);
    }
    return count;
}

// Lists the commands whose name starts with `group` ("" for all).
static void print_commands(FILE *stream, const char *group) {
    (void)fprintf(stream,
                  "gridwarden %s: which grid answers for a point, and who is nearest and able.\n\n"
                  "Usage: gridwarden COMMAND …\n\nCommands:\n",
                  GW_VERSION);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strncmp(commands[i]->name, group, strlen(group)) == 0) {
            (void)fprintf(stream, "  %-18s %s\n", commands[i]->name, commands[i]->summary);
        }
    }
    (void)fprintf(stream,
                  "\n`gridwarden COMMAND --help` shows a command's options and examples.\n");
}

int main(int argc, char **argv) {
    argc--;
    argv++;
    if (argc == 0) {
        print_commands(stderr, "");
        return CLI_USAGE;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "help") == 0) {
        print_commands(stdout, argc > 1 ? argv[1] : "");
        return CLI_DONE;
    }
    if (strcmp(argv[0], "--version") == 0) {
        return run_version(NULL);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        int words = matches(commands[i]->name, argc, argv);
        if (words > 0) {
            static struct cli_args args; // too large for a stack
            bool helped = false;
            int code = cli_parse(commands[i], argc - words, argv + words, &args, &helped);
            return code != CLI_DONE || helped ? code : commands[i]->run(&args);
        }
    }
    char group[64];
    (void)snprintf(group, sizeof(group), "%s ", argv[0]);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strncmp(commands[i]->name, group, strlen(group)) == 0) { // `gridwarden worker`
            bool asked = argc > 1 && strcmp(argv[1], "--help") == 0;
            print_commands(asked ? stdout : stderr, group);
            return asked ? CLI_DONE : CLI_USAGE;
        }
    }
    (void)fprintf(stderr, "gridwarden: there is no command %s; see `gridwarden --help`\n", argv[0]);
    return CLI_USAGE;
}
