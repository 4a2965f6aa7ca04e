// glyphs FONT FOLDER [FONTSTACK]: writes FOLDER/FONTSTACK/0-255.pbf .. 65280-65535.pbf.
#include "tools/glyphs/font.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FONTSTACK "Gridwarden Regular"
#define PATH_MAX_BYTES 4096

// Makes the folder and those above it.
static gw_err make_folder(const char *path, struct gw_error *error) {
    char part[PATH_MAX_BYTES];
    size_t size = strlen(path);
    if (size >= sizeof(part)) {
        return gw_error_set(error, GW_EINVAL, "the folder's name is too long");
    }
    for (size_t end = 1; end <= size; end++) {
        if (end < size && path[end] != '/') {
            continue;
        }
        memcpy(part, path, end);
        part[end] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) {
            return gw_error_set(error, GW_EIO, "%s: %s", part, strerror(errno));
        }
    }
    return GW_OK;
}

static gw_err write_file(const char *path, const struct gw_buffer *bytes, struct gw_error *error) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return gw_error_set(error, GW_EIO, "%s: %s", path, strerror(errno));
    }
    bool written = fwrite(bytes->data, 1, bytes->size, file) == bytes->size;
    written = fclose(file) == 0 && written;
    return written ? GW_OK : gw_error_set(error, GW_EIO, "%s: %s", path, strerror(errno));
}

static gw_err write_ranges(struct gw_font *font, const char *folder, const char *fontstack,
                           struct gw_error *error) {
    char path[PATH_MAX_BYTES + 32];
    struct gw_buffer file = {0};
    gw_err err = GW_OK;
    for (uint32_t range = 0; range < GW_FONT_RANGES && err == GW_OK; range++) {
        gw_buffer_clear(&file);
        err = gw_font_range(font, fontstack, range, &file, error);
        if (err == GW_OK) {
            uint32_t first = range * GW_FONT_RANGE;
            (void)snprintf(path, sizeof(path), "%s/%u-%u.pbf", folder, first,
                           first + GW_FONT_RANGE - 1);
            err = write_file(path, &file, error);
        }
    }
    gw_buffer_free(&file);
    return err;
}

int main(int argc, char *argv[]) {
    if (argc < 3 || argc > 4) {
        (void)fprintf(stderr, "usage: glyphs FONT FOLDER [FONTSTACK]\n");
        return 2;
    }
    const char *fontstack = argc == 4 ? argv[3] : FONTSTACK;
    if (*fontstack == '\0' || *fontstack == '.' || strchr(fontstack, '/') != NULL) {
        (void)fprintf(stderr, "glyphs: a fontstack is the name of a folder, without / or a leading"
                              " point\n");
        return 2;
    }
    char folder[PATH_MAX_BYTES];
    int length = snprintf(folder, sizeof(folder), "%s/%s", argv[2], fontstack);
    struct gw_error error = {0};
    struct gw_font *font = NULL;
    gw_err err = length > 0 && (size_t)length < sizeof(folder)
                     ? gw_font_open(argv[1], &font, &error)
                     : gw_error_set(&error, GW_EINVAL, "the folder's name is too long");
    if (err == GW_OK) {
        err = make_folder(folder, &error);
    }
    if (err == GW_OK) {
        err = write_ranges(font, folder, fontstack, &error);
    }
    gw_font_close(font);
    if (err != GW_OK) {
        (void)fprintf(stderr, "glyphs: %s\n", error.text);
        return 1;
    }
    return 0;
}
