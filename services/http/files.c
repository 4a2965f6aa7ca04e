#include "services/http/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 8u // of folders
#define PATH_MAX_BYTES 512u
#define PACKED_ENDING ".gz"
#define GZIP_LEVEL 6
#define GZIP_BYTES_MIN 256u // smaller files are not worth it

struct http_files {
    struct http_file *rows; // by path once loaded
    uint32_t count, capacity;
};

// A walk through the folders that are open, without recursion.
struct walk {
    struct http_files *files;
    DIR *open[DEPTH_MAX];
    size_t path_sizes[DEPTH_MAX]; // of each folder's path, with its slash
    uint32_t depth;
    char path[PATH_MAX_BYTES];
    size_t bytes, bytes_max;
    uint32_t files_max;
    struct libdeflate_compressor *compressor;
    struct gw_error *error;
};

static const char *type_of(const char *path) {
    static const char *const rows[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json; charset=utf-8"},
        {".geojson", "application/geo+json"},
        {".map", "application/json; charset=utf-8"},
        {".webmanifest", "application/manifest+json"},
        {".pbf", "application/x-protobuf"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".svg", "image/svg+xml"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".wasm", "application/wasm"},
        {".txt", "text/plain; charset=utf-8"},
    };
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending != NULL && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(ending, rows[i][0]) == 0) {
            return rows[i][1];
        }
    }
    return "application/octet-stream";
}

static bool packed_already(const char *type) {
    return (strncmp(type, "image/", 6) == 0 && strcmp(type, "image/svg+xml") != 0 &&
            strcmp(type, "image/x-icon") != 0) ||
           strcmp(type, "font/woff2") == 0;
}

// FNV-1a, 64 bits: changes when the bytes do, which is all that a tag is for.
static void write_tag(struct http_file *file) {
    static const char digits[] = "0123456789abcdef";
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < file->size; i++) {
        hash = (hash ^ file->bytes[i]) * 1099511628211u;
    }
    file->etag[0] = file->etag[17] = '"';
    for (int i = 0; i < 16; i++) {
        file->etag[1 + i] = digits[(hash >> (60 - 4 * i)) & 15];
    }
    file->etag[18] = '\0';
}

static void pack(struct walk *walk, struct http_file *file) {
    const char *ending = strrchr(file->path, '.');
    if (file->size < GZIP_BYTES_MIN || packed_already(file->type) ||
        (ending != NULL && strcmp(ending, PACKED_ENDING) == 0)) {
        return;
    }
    size_t room = file->size - file->size / 16; // less gain is none
    unsigned char *gzip = malloc(room);
    size_t size = gzip == NULL ? 0
                               : libdeflate_gzip_compress(walk->compressor, file->bytes, file->size,
                                                          gzip, room);
    if (size == 0) {
        free(gzip);
        return;
    }
    unsigned char *fit = realloc(gzip, size);
    file->gzip = fit != NULL ? fit : gzip;
    file->gzip_size = size;
}

static gw_err add_row(struct walk *walk, struct http_file row) {
    struct http_files *files = walk->files;
    if (files->count == files->capacity) {
        uint32_t capacity = files->capacity == 0 ? 64 : files->capacity * 2;
        struct http_file *grown = realloc(files->rows, capacity * sizeof(*grown));
        if (grown == NULL) {
            free((void *)row.path);
            free((void *)row.bytes);
            return gw_error_set(walk->error, GW_ENOMEM, "not enough memory for the web folder");
        }
        files->rows = grown;
        files->capacity = capacity;
    }
    struct http_file *file = &files->rows[files->count++];
    *file = row;
    write_tag(file);
    walk->bytes += file->size;
    return GW_OK;
}

static bool read_whole(int fd, unsigned char *bytes, size_t size) {
    while (size > 0) {
        ssize_t got = read(fd, bytes, size);
        if (got <= 0) {
            return false;
        }
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

static gw_err load_file(struct walk *walk, int fd, const struct stat *about) {
    size_t size = (size_t)about->st_size;
    if (size > walk->bytes_max - walk->bytes || walk->files->count == walk->files_max) {
        return gw_error_set(
            walk->error, GW_ENOSPC,
            "the web folder has more than %u files or %zu MiB: is it the right one?",
            walk->files_max, walk->bytes_max >> 20);
    }
    struct http_file row = {
        .path = strdup(walk->path),
        .type = type_of(walk->path),
        .size = size,
        .changed_ns = (int64_t)about->st_mtim.tv_sec * 1000000000 + about->st_mtim.tv_nsec,
    };
    unsigned char *bytes = malloc(size > 0 ? size : 1);
    row.bytes = bytes;
    bool there = row.path != NULL && bytes != NULL;
    if (!there || !read_whole(fd, bytes, size)) {
        free((void *)row.path);
        free(bytes);
        return gw_error_set(walk->error, there ? GW_EIO : GW_ENOMEM, "can't read %.200s: %s",
                            walk->path, there ? "it changed or is damaged" : "no memory");
    }
    return add_row(walk, row);
}

static gw_err enter_folder(struct walk *walk, int fd, size_t path_size) {
    DIR *folder = walk->depth < DEPTH_MAX && path_size + 2 < PATH_MAX_BYTES ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        close(fd);
        return gw_error_set(walk->error, GW_EINVAL, "the web folder is too deep at %.200s",
                            walk->path);
    }
    if (path_size > 0) {
        walk->path[path_size++] = '/';
    }
    walk->path_sizes[walk->depth] = path_size;
    walk->open[walk->depth++] = folder;
    return GW_OK;
}

// Opens by the open folder and the last part of the name, never through a link.
static gw_err take_entry(struct walk *walk, const char *name) {
    size_t size = walk->path_sizes[walk->depth - 1], name_size = strlen(name);
    if (name[0] == '.') {
        return GW_OK;
    }
    if (size + name_size >= PATH_MAX_BYTES) {
        return gw_error_set(walk->error, GW_EINVAL, "a name in the web folder is too long");
    }
    memcpy(walk->path + size, name, name_size + 1);
    int fd = openat(dirfd(walk->open[walk->depth - 1]), name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) != 0) {
        int why = errno;
        if (fd >= 0) {
            close(fd);
        }
        if (why == ELOOP) {
            return GW_OK; // a link
        }
        return gw_error_set(walk->error, GW_EIO, "can't open %.200s of the web folder: %s",
                            walk->path, strerror(why));
    }
    if (S_ISDIR(about.st_mode)) {
        return enter_folder(walk, fd, size + name_size);
    }
    gw_err err = S_ISREG(about.st_mode) ? load_file(walk, fd, &about) : GW_OK;
    close(fd);
    return err;
}

static int by_path(const void *left, const void *right) {
    return strcmp(((const struct http_file *)left)->path, ((const struct http_file *)right)->path);
}

// The row of `path` with ".gz" behind it, or NULL.
static struct http_file *find_twin(struct http_files *files, const char *path) {
    char name[PATH_MAX_BYTES + sizeof(PACKED_ENDING)];
    (void)snprintf(name, sizeof(name), "%s" PACKED_ENDING, path);
    return (struct http_file *)http_files_find(files, name);
}

// Gives every file its packed form: the twin's bytes, else made here. Twins stay findable while it
// goes on, and are taken out afterwards.
static void pack_all(struct walk *walk) {
    struct http_files *files = walk->files;
    for (uint32_t i = 0; i < files->count; i++) {
        struct http_file *file = &files->rows[i], *twin = find_twin(files, file->path);
        bool older = twin != NULL && twin->changed_ns < file->changed_ns;
        if (twin == NULL || older) {
            pack(walk, file);
        } else {
            file->gzip = twin->bytes;
            file->gzip_size = twin->size;
        }
        if (twin != NULL) {
            if (older) {
                free((void *)twin->bytes);
            }
            twin->bytes = NULL;
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < files->count; i++) {
        if (files->rows[i].bytes != NULL) {
            files->rows[kept++] = files->rows[i];
        } else {
            free((void *)files->rows[i].path);
            free((void *)files->rows[i].gzip);
        }
    }
    files->count = kept;
}

static gw_err walk_folders(struct walk *walk) {
    gw_err err = GW_OK;
    while (walk->depth > 0) {
        struct dirent *entry = err == GW_OK ? readdir(walk->open[walk->depth - 1]) : NULL;
        if (entry == NULL) {
            (void)closedir(walk->open[--walk->depth]);
        } else {
            err = take_entry(walk, entry->d_name);
        }
    }
    return err;
}

gw_err http_files_load(const char *folder, size_t bytes_max, uint32_t files_max,
                       struct http_files **files, struct gw_error *error) {
    struct walk walk = {.bytes_max = bytes_max, .files_max = files_max, .error = error};
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return gw_error_set(error, GW_ENOTFOUND, "can't open the web folder %.200s: %s", folder,
                            strerror(errno));
    }
    walk.files = calloc(1, sizeof(*walk.files));
    walk.compressor = libdeflate_alloc_compressor(GZIP_LEVEL);
    gw_err err = GW_ENOMEM;
    if (walk.files != NULL && walk.compressor != NULL) {
        err = enter_folder(&walk, fd, 0);
    } else {
        close(fd);
        (void)gw_error_set(error, err, "not enough memory for the web folder");
    }
    if (err == GW_OK) {
        err = walk_folders(&walk);
    }
    if (err == GW_OK && walk.files->count > 0) {
        qsort(walk.files->rows, walk.files->count, sizeof(*walk.files->rows), by_path);
        pack_all(&walk);
    }
    if (walk.compressor != NULL) {
        libdeflate_free_compressor(walk.compressor);
    }
    if (err != GW_OK) {
        http_files_destroy(walk.files);
        return err;
    }
    *files = walk.files;
    return GW_OK;
}

void http_files_destroy(struct http_files *files) {
    if (files == NULL) {
        return;
    }
    for (uint32_t i = 0; i < files->count; i++) {
        free((void *)files->rows[i].path);
        free((void *)files->rows[i].bytes);
        free((void *)files->rows[i].gzip);
    }
    free(files->rows);
    free(files);
}

const struct http_file *http_files_find(const struct http_files *files, const char *path) {
    struct http_file key = {.path = path};
    return files == NULL || files->count == 0
               ? NULL
               : bsearch(&key, files->rows, files->count, sizeof(*files->rows), by_path);
}
