// The command line: commands and options as const tables, parsing, help.
//
// Exit codes of every command: 0 done, 1 refused or found wanting, 2 the command line is wrong.
#ifndef GW_SERVICES_CLI_OPTIONS_H
#define GW_SERVICES_CLI_OPTIONS_H

#include "services/base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_DONE 0
#define CLI_REFUSED 1
#define CLI_USAGE 2

#define CLI_ARGUMENTS_MAX 4096u // options and words of one call

struct cli_option {
    const char *name;  // "data" for --data, "k" for -k
    const char *value; // "DIR"; NULL: a flag
    const char *help;
};

struct cli_args;

struct cli_command {
    const char *name;    // "locate", or "worker duty" for a command under another
    const char *words;   // what stands beside options, such as "FILE…"; "" for nothing
    const char *summary; // one line
    const char *details; // paragraphs and examples, for --help
    size_t words_min, words_max;
    const struct cli_option *options;
    size_t option_count;
    int (*run)(const struct cli_args *args);
};

struct cli_args {
    const struct cli_command *command;
    size_t given_count, word_count;
    struct {
        const struct cli_option *option;
        const char *value;
    } given[CLI_ARGUMENTS_MAX];
    const char *words[CLI_ARGUMENTS_MAX];
};

// Parses what follows the command's name. CLI_DONE, or CLI_USAGE with words on standard error.
// --help
// prints the help and sets *helped.
int cli_parse(const struct cli_command *command, int argc, char **argv, struct cli_args *args,
              bool *helped);

// The last value given, or NULL.
const char *cli_value(const struct cli_args *args, const char *name);
bool cli_flag(const struct cli_args *args, const char *name);

// Numbers: CLI_DONE, or CLI_USAGE with words on standard error. Not given: *out stays.
int cli_integer(const struct cli_args *args, const char *name, int64_t min, int64_t max,
                int64_t *out);
int cli_real(const struct cli_args *args, const char *name, double *out);

// A longitude and a latitude, both given or both not; *given says which.
int cli_place(const struct cli_args *args, bool *given, double *lon, double *lat);

// Words on standard error, prefixed with the program's name; returns the code that fits.
int cli_usage(const struct cli_args *args, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int cli_refused(const struct gw_error *error);

void cli_print_help(const struct cli_command *command);

#endif
