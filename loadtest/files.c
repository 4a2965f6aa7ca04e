#include "loadtest/files.h"
#include "loadtest/output.h"
#include "services/base/buffer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 64, EXIT_FILE = 1, EXIT_USAGE = 2 };

typedef gw_err (*writer)(const struct load_result *result, FILE *out);

// The words of a command line.
struct words {
    const char *inputs[FILES_MAX];
    int input_count;
    const char *output; // NULL: none was named
};

static bool read_words(int argc, char **argv, struct words *words) {
    *words = (struct words){.output = NULL};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--out") == 0) {
            if (i + 1 == argc || words->output != NULL) {
                return false;
            }
            words->output = argv[++i];
        } else if (argv[i][0] == '-' || words->input_count == FILES_MAX) {
            return false;
        } else {
            words->inputs[words->input_count++] = argv[i];
        }
    }
    return true;
}

static gw_err read_all(const char *path, struct gw_buffer *bytes, struct gw_error *error) {
    static char chunk[1 << 16];
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        return gw_error_set(error, GW_ENOTFOUND, "%s", strerror(errno));
    }
    size_t size;
    while ((size = fread(chunk, 1, sizeof(chunk), in)) > 0 && bytes->size <= LOAD_JSON_BYTES_MAX) {
        gw_buffer_append(bytes, chunk, size);
    }
    gw_err err = ferror(in) ? gw_error_set(error, GW_EIO, "%s", strerror(errno)) : GW_OK;
    fclose(in);
    return bytes->failed ? gw_error_set(error, GW_ENOMEM, "out of memory") : err;
}

// Reads a file; NULL after words on stderr.
static struct load_result *read_result(const char *path) {
    struct load_result *result = calloc(1, sizeof(*result));
    struct gw_buffer bytes = {0};
    struct gw_error error = {.code = GW_OK};
    gw_err err = result == NULL ? gw_error_set(&error, GW_ENOMEM, "out of memory")
                                : read_all(path, &bytes, &error);
    if (err == GW_OK) {
        err = load_read_json(bytes.data == NULL ? "" : bytes.data, bytes.size, result, &error);
    }
    gw_buffer_free(&bytes);
    if (err == GW_OK) {
        return result;
    }
    fprintf(stderr, "gridwarden-load: %s: %s\n", path, error.text);
    if (result != NULL) {
        load_result_free(result);
        free(result);
    }
    return NULL;
}

static void drop(struct load_result *result) {
    if (result != NULL) {
        load_result_free(result);
        free(result);
    }
}

static int write_result(const char *path, const struct load_result *result, writer write) {
    FILE *out = fopen(path, "wb");
    gw_err err = out == NULL ? GW_EIO : write(result, out);
    if (out != NULL && fclose(out) != 0 && err == GW_OK) {
        err = GW_EIO;
    }
    if (err != GW_OK) {
        fprintf(stderr, "gridwarden-load: %s: %s\n", path,
                errno != 0 ? strerror(errno) : gw_err_text(err));
    }
    return err == GW_OK ? 0 : EXIT_FILE;
}

static int merge(const struct words *words) {
    struct load_result *whole = read_result(words->inputs[0]);
    int code = whole == NULL ? EXIT_FILE : 0;
    for (int i = 1; code == 0 && i < words->input_count; i++) {
        struct gw_error error = {.code = GW_OK};
        struct load_result *more = read_result(words->inputs[i]);
        code = more == NULL ? EXIT_FILE : 0;
        if (more != NULL && load_result_merge(whole, more, &error) != GW_OK) {
            fprintf(stderr, "gridwarden-load: %s and %s: %s\n", words->inputs[0], words->inputs[i],
                    error.text);
            code = EXIT_FILE;
        }
        drop(more);
    }
    code = code == 0 ? write_result(words->output, whole, load_write_json) : code;
    drop(whole);
    return code;
}

// A.json -> A.html, anything else -> anything else.html.
static int html(const struct words *words) {
    const char *input = words->inputs[0];
    size_t length = strlen(input);
    length -= length > 5 && strcmp(input + length - 5, ".json") == 0 ? 5 : 0;
    struct gw_buffer path = {0};
    gw_buffer_append(&path, input, length);
    gw_buffer_text(&path, ".html");
    struct load_result *result = path.failed ? NULL : read_result(input);
    int code = EXIT_FILE;
    if (result != NULL) {
        const char *output = words->output != NULL ? words->output : path.data;
        code = write_result(output, result, load_write_html);
    }
    drop(result);
    gw_buffer_free(&path);
    return code;
}

static int show(const struct words *words) {
    struct load_result *result = read_result(words->inputs[0]);
    int code = result == NULL || load_write_table(result, stdout) != GW_OK ? EXIT_FILE : 0;
    drop(result);
    return code;
}

int load_files_command(int argc, char **argv) {
    struct words words;
    bool readable = argc > 0 && read_words(argc, argv, &words);
    errno = 0;
    if (readable && strcmp(argv[0], "merge") == 0 && words.input_count >= 2 &&
        words.output != NULL) {
        return merge(&words);
    }
    if (readable && strcmp(argv[0], "html") == 0 && words.input_count == 1) {
        return html(&words);
    }
    if (readable && strcmp(argv[0], "show") == 0 && words.input_count == 1 &&
        words.output == NULL) {
        return show(&words);
    }
    fputs("usage: gridwarden-load merge A.json B.json [...] -o C.json\n"
          "       gridwarden-load html A.json [-o A.html]\n"
          "       gridwarden-load show A.json\n",
          stderr);
    return EXIT_USAGE;
}
