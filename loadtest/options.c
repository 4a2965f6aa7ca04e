#include "loadtest/options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void load_print_help(FILE *out) {
    fprintf(
        out,
        "gridwarden-load: offers a load to a node and says how it answers.\n"
        "\n"
        "Usage:\n"
        "  gridwarden-load run SCENARIO [options]   SCENARIO: a file, or a name from `list`\n"
        "  gridwarden-load list [FOLDER]            the scenarios that are there\n"
        "  gridwarden-load merge A.json B.json -o C.json   runs that ran side by side, as one\n"
        "  gridwarden-load html A.json [-o A.html]  the page of a result\n"
        "  gridwarden-load show A.json              its table\n"
        "  gridwarden-load help\n"
        "\n"
        "Options of run:\n"
        "  --server HOST:PORT   the node's gRPC (127.0.0.1:7600)\n"
        "  --http HOST:PORT     the node's HTTP (127.0.0.1:7680)\n"
        "  --seconds N          measured, instead of the scenario's\n"
        "  --warmup N           seconds before that, which do not count\n"
        "  --rate-factor F      multiplies every rate of the scenario\n"
        "  --sweep F,F,...      one run for each factor, one after another\n"
        "  --closed             calls and tiles in a closed loop: each connection waits for its\n"
        "                       answer before it asks again. It can't see the pauses of a server\n"
        "                       as users do; results are labelled so\n"
        "  --seed N             another schedule and other places than the scenario's\n"
        "  --verify             afterwards, asks for every acknowledged incident; counts what is\n"
        "                       lost and what is there twice. Reports are tried again meanwhile\n"
        "  --retry-seconds N    how long a report is tried again, by the same request id (30 with\n"
        "                       --verify, else 0)\n"
        "  --json FILE          everything that was measured\n"
        "  --html FILE          a page with plots\n"
        "  --commit TEXT        of the node's source, for the report\n"
        "  --quiet              no table while it runs\n"
        "\n"
        "Exit codes: 0 done; 1 nothing could be measured; 2 the command line is wrong; 3 a rate\n"
        "could not be offered, so it is not reported; 4 verification found an incident lost or\n"
        "doubled; 130 ended early by a signal, what was measured is shown.\n"
        "\n"
        "Example: how does locating scale?\n"
        "  gridwarden-load run locate-mix --sweep 0.5,1,2,4 --html locate.html\n");
}

static gw_err read_real(const char *option, const char *text, double min, double max, double *out,
                        struct gw_error *error) {
    char *end = NULL;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(number) || number < min || number > max) {
        return gw_error_set(error, GW_EINVAL, "%s is %.40s; it must be a number, %g .. %g", option,
                            text, min, max);
    }
    *out = number;
    return GW_OK;
}

static gw_err read_seed(const char *text, struct load_arguments *arguments,
                        struct gw_error *error) {
    char *end = NULL;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || seed > INT64_MAX) {
        return gw_error_set(error, GW_EINVAL, "--seed is %.40s; it must be a whole number from 0",
                            text);
    }
    arguments->seed = seed;
    arguments->seed_given = true;
    return GW_OK;
}

static gw_err read_sweep(const char *text, struct load_options *options, struct gw_error *error) {
    options->factor_count = 0;
    for (;;) {
        char one[32];
        size_t length = strcspn(text, ",");
        if (options->factor_count == LOAD_STEPS_MAX) {
            return gw_error_set(error, GW_EINVAL, "--sweep takes at most %u factors",
                                LOAD_STEPS_MAX);
        }
        (void)snprintf(one, sizeof(one), "%.*s", (int)(length < 31 ? length : 31), text);
        gw_err err = read_real("--sweep", one, 0.0001, 10000,
                               &options->factors[options->factor_count], error);
        if (err != GW_OK) {
            return err;
        }
        options->factor_count++;
        if (text[length] == '\0') {
            return GW_OK;
        }
        text += length + 1;
    }
}

static bool read_flag(const char *word, struct load_arguments *arguments) {
    if (strcmp(word, "--closed") == 0) {
        arguments->run.closed = true;
    } else if (strcmp(word, "--verify") == 0) {
        arguments->run.verify = true;
    } else if (strcmp(word, "--quiet") == 0) {
        arguments->quiet = true;
    } else {
        return false;
    }
    return true;
}

// GW_ENOTFOUND: no such option.
static gw_err read_value(const char *word, const char *value, struct load_arguments *arguments,
                         struct gw_error *error) {
    const struct {
        const char *name;
        const char **out;
    } texts[] = {
        {"--server", &arguments->run.server}, {"--http", &arguments->run.http},
        {"--json", &arguments->json},         {"--html", &arguments->html},
        {"--commit", &arguments->run.commit},
    };
    const struct {
        const char *name;
        double min, max;
        double *out;
    } reals[] = {
        {"--seconds", 1, LOAD_SECONDS_MAX, &arguments->seconds},
        {"--warmup", 0, 3600, &arguments->warmup_seconds},
        {"--retry-seconds", 0, 3600, &arguments->run.retry_seconds},
        {"--rate-factor", 0.0001, 10000, &arguments->run.factors[0]},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(word, texts[i].name) == 0) {
            *texts[i].out = value;
            return GW_OK;
        }
    }
    for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
        if (strcmp(word, reals[i].name) == 0) {
            arguments->run.factor_count +=
                reals[i].out == arguments->run.factors && arguments->run.factor_count == 0;
            return read_real(word, value, reals[i].min, reals[i].max, reals[i].out, error);
        }
    }
    if (strcmp(word, "--seed") == 0) {
        return read_seed(value, arguments, error);
    }
    return strcmp(word, "--sweep") == 0 ? read_sweep(value, &arguments->run, error) : GW_ENOTFOUND;
}

gw_err load_arguments_read(int argc, char **argv, struct load_arguments *arguments,
                           struct gw_error *error) {
    memset(arguments, 0, sizeof(*arguments));
    arguments->run.server = "127.0.0.1:7600";
    arguments->run.http = "127.0.0.1:7680";
    arguments->seconds = arguments->warmup_seconds = arguments->run.retry_seconds = -1;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            if (arguments->scenario != NULL) {
                return gw_error_set(error, GW_EINVAL, "one scenario at a time: %.60s or %.60s?",
                                    arguments->scenario, argv[i]);
            }
            arguments->scenario = argv[i];
            continue;
        }
        if (read_flag(argv[i], arguments)) {
            continue;
        }
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        gw_err err = read_value(argv[i], value, arguments, error);
        if (err == GW_ENOTFOUND) {
            return gw_error_set(error, GW_EINVAL, "there is no option %.60s", argv[i]);
        }
        if (i + 1 == argc) {
            return gw_error_set(error, GW_EINVAL, "%s needs a value", argv[i]);
        }
        if (err != GW_OK) {
            return err;
        }
        i++;
    }
    if (arguments->scenario == NULL) {
        return gw_error_set(error, GW_EINVAL,
                            "name a scenario: a file, or one of `gridwarden-load list`");
    }
    if (arguments->run.retry_seconds < 0) {
        arguments->run.retry_seconds = arguments->run.verify ? 30 : 0;
    }
    return GW_OK;
}
