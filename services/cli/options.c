#include "services/cli/options.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_usage(const struct cli_args *args, const char *format, ...) {
    va_list arguments;
    (void)fputs("gridwarden: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "\nSee `gridwarden %s --help`.\n", args->command->name);
    return CLI_USAGE;
}

int cli_refused(const struct gw_error *error) {
    (void)fprintf(stderr, "gridwarden: %s\n", error->text);
    return CLI_REFUSED;
}

void cli_print_help(const struct cli_command *command) {
    (void)printf("%s\n\nUsage: gridwarden %s%s%s%s\n", command->summary, command->name,
                 command->words[0] != '\0' ? " " : "", command->words,
                 command->option_count > 0 ? " [OPTIONS]" : "");
    if (command->option_count > 0) {
        (void)printf("\nOptions:\n");
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const struct cli_option *option = &command->options[i];
        char left[64];
        (void)snprintf(left, sizeof(left), "%s%s%s%s", option->name[1] == '\0' ? "-" : "--",
                       option->name, option->value != NULL ? " " : "",
                       option->value != NULL ? option->value : "");
        (void)printf("  %-26s %s\n", left, option->help);
    }
    (void)printf("  %-26s %s\n", "--help", "this text");
    if (command->details[0] != '\0') {
        (void)printf("\n%s\n", command->details);
    }
    (void)printf("\nExit codes: 0 done, 1 refused or found wanting, 2 wrong command line.\n");
}

static const struct cli_option *find_option(const struct cli_command *command, const char *name,
                                            size_t size) {
    for (size_t i = 0; i < command->option_count; i++) {
        if (strlen(command->options[i].name) == size &&
            memcmp(command->options[i].name, name, size) == 0) {
            return &command->options[i];
        }
    }
    return NULL;
}

// Takes the option in argv[*at] and its value; moves *at to its last word.
static int take_option(struct cli_args *args, int argc, char **argv, int *at) {
    const char *word = argv[*at];
    const char *name = word + (word[1] == '-' ? 2 : 1);
    size_t size = strcspn(name, "=");
    const struct cli_option *option = find_option(args->command, name, size);
    if (option == NULL) {
        return cli_usage(args, "there is no option %.*s", (int)(size + (size_t)(name - word)),
                         word);
    }
    const char *value = name[size] == '=' ? name + size + 1 : NULL;
    if (option->value == NULL && value != NULL) {
        return cli_usage(args, "--%s takes no value", option->name);
    }
    if (option->value != NULL && value == NULL) {
        if (*at + 1 >= argc) {
            return cli_usage(args, "--%s needs a value: %s", option->name, option->value);
        }
        value = argv[++*at];
    }
    args->given[args->given_count].option = option;
    args->given[args->given_count++].value = value;
    return CLI_DONE;
}

int cli_parse(const struct cli_command *command, int argc, char **argv, struct cli_args *args,
              bool *helped) {
    args->command = command;
    args->given_count = args->word_count = 0;
    *helped = false;
    bool words_only = false;
    if (argc > (int)CLI_ARGUMENTS_MAX) {
        return cli_usage(args, "more than %u words", CLI_ARGUMENTS_MAX);
    }
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (!words_only && strcmp(word, "--help") == 0) {
            *helped = true;
            cli_print_help(command);
            return CLI_DONE;
        }
        if (!words_only && strcmp(word, "--") == 0) {
            words_only = true;
        } else if (!words_only && word[0] == '-' && word[1] != '\0') {
            int code = take_option(args, argc, argv, &i);
            if (code != CLI_DONE) {
                return code;
            }
        } else {
            args->words[args->word_count++] = word;
        }
    }
    if (args->word_count < command->words_min || args->word_count > command->words_max) {
        return command->words_max == 0
                   ? cli_usage(args, "%s is too much", args->words[0])
                   : cli_usage(args, "gridwarden %s needs %s", command->name, command->words);
    }
    return CLI_DONE;
}

const char *cli_value(const struct cli_args *args, const char *name) {
    const char *value = NULL;
    for (size_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].option->name, name) == 0) {
            value = args->given[i].value;
        }
    }
    return value;
}

bool cli_flag(const struct cli_args *args, const char *name) {
    for (size_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].option->name, name) == 0) {
            return true;
        }
    }
    return false;
}

int cli_integer(const struct cli_args *args, const char *name, int64_t min, int64_t max,
                int64_t *out) {
    const char *text = cli_value(args, name);
    if (text == NULL) {
        return CLI_DONE;
    }
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max) {
        return cli_usage(args, "--%s is %s; it must be a whole number, %" PRId64 " .. %" PRId64,
                         name, text, min, max);
    }
    *out = number;
    return CLI_DONE;
}

int cli_real(const struct cli_args *args, const char *name, double *out) {
    const char *text = cli_value(args, name);
    if (text == NULL) {
        return CLI_DONE;
    }
    char *end = NULL;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(number)) {
        return cli_usage(args, "--%s is %s; it must be a number", name, text);
    }
    *out = number;
    return CLI_DONE;
}

int cli_place(const struct cli_args *args, bool *given, double *lon, double *lat) {
    *given = cli_value(args, "lon") != NULL;
    if (*given != (cli_value(args, "lat") != NULL)) {
        return cli_usage(args, "--lon and --lat go together");
    }
    int code = cli_real(args, "lon", lon);
    return code != CLI_DONE ? code : cli_real(args, "lat", lat);
}
