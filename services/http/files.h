// The files of the web folder, in memory: read once at start, served without touching the disk.
//
// Only regular files below the folder, by their names, are there: no symbolic links, no listings,
// no name that begins with a dot. Files that gzip makes smaller are kept in both forms: `name.gz`
// beside `name`, if it is not the older of the two, is its packed form; no `name.gz` is served by
// itself. What has none is packed at start.
//
// Threads: const once loaded.
#ifndef GW_SERVICES_HTTP_FILES_H
#define GW_SERVICES_HTTP_FILES_H

#include "services/base/error.h"
#include <stddef.h>
#include <stdint.h>

struct http_files;

struct http_file {
    const char *path;                  // "assets/app-1a2b3c.js"
    const char *type;                  // by the name's ending
    const unsigned char *bytes, *gzip; // gzip NULL: no gain
    size_t size, gzip_size;
    int64_t changed_ns; // when it was written, by the file system
    char etag[20];      // of the plain form, with its quotes
};

// GW_ENOTFOUND: no such folder. GW_ENOSPC: more than `bytes_max` or `files_max`. GW_EIO, GW_ENOMEM.
GW_MUST_CHECK gw_err http_files_load(const char *folder, size_t bytes_max, uint32_t files_max,
                                     struct http_files **files, struct gw_error *error);
void http_files_destroy(struct http_files *files); // accepts NULL

// NULL: no such file. `files` may be NULL.
const struct http_file *http_files_find(const struct http_files *files, const char *path);

#endif
