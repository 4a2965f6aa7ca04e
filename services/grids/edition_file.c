#include "services/grids/edition_file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

struct output {
    int fd;
    uint64_t written;
    XXH3_state_t *hash;
};

static gw_err io_error(struct gw_error *error, const char *what, const char *path) {
    return gw_error_set(error, GW_EIO, "cannot %s %s: %s", what, path, strerror(errno));
}

static bool write_all(struct output *output, const void *data, uint64_t size) {
    const unsigned char *from = data;
    while (size > 0) {
        size_t part = size < (1u << 30) ? (size_t)size : (size_t)1 << 30;
        ssize_t done = write(output->fd, from, part);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        (void)XXH3_128bits_update(output->hash, from, (size_t)done);
        from += done;
        size -= (uint64_t)done;
        output->written += (uint64_t)done;
    }
    return true;
}

static bool pad_to(struct output *output, uint64_t offset) {
    static const unsigned char zeros[GW_EDITION_ALIGNMENT];
    return write_all(output, zeros, offset - output->written);
}

static void place(struct gw_edition_header *header,
                  const struct gw_edition_piece pieces[GW_SECTION_COUNT]) {
    uint64_t at = sizeof(*header);
    for (int i = 0; i < GW_SECTION_COUNT; i++) {
        at = (at + GW_EDITION_ALIGNMENT - 1) / GW_EDITION_ALIGNMENT * GW_EDITION_ALIGNMENT;
        header->sections[i] = (struct gw_edition_span){at, pieces[i].size};
        at += pieces[i].size;
    }
    header->file_size = at;
}

// The checksum starts behind its own field, and is written into it last.
static bool write_file(struct output *output, struct gw_edition_header *header,
                       const struct gw_edition_piece pieces[GW_SECTION_COUNT]) {
    const unsigned char *bytes = (const unsigned char *)header;
    if (!write_all(output, bytes, GW_EDITION_HASH_FROM) ||
        XXH3_128bits_reset(output->hash) != XXH_OK ||
        !write_all(output, bytes + GW_EDITION_HASH_FROM, sizeof(*header) - GW_EDITION_HASH_FROM)) {
        return false;
    }
    for (int i = 0; i < GW_SECTION_COUNT; i++) {
        if (!pad_to(output, header->sections[i].offset) ||
            !write_all(output, pieces[i].data, pieces[i].size)) {
            return false;
        }
    }
    XXH128_canonical_t checksum;
    XXH128_canonicalFromHash(&checksum, XXH3_128bits_digest(output->hash));
    memcpy(header->checksum, checksum.digest, sizeof(header->checksum));
    return pwrite(output->fd, header->checksum, sizeof(header->checksum),
                  (off_t)offsetof(struct gw_edition_header, checksum)) ==
               (ssize_t)sizeof(header->checksum) &&
           fsync(output->fd) == 0;
}

static bool sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool synced = fsync(fd) == 0;
    (void)close(fd);
    return synced;
}

// The folder that holds `path` into out[PATH_MAX]; "." when there is none in it.
static void folder_of(const char *path, char out[PATH_MAX]) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        (void)snprintf(out, PATH_MAX, ".");
    } else {
        int size = slash == path ? 1 : (int)(slash - path);
        (void)snprintf(out, PATH_MAX, "%.*s", size, path);
    }
}

static gw_err make_folder(const char *folder, struct gw_error *error) {
    if (mkdir(folder, 0777) != 0) {
        return errno == EEXIST ? GW_OK : io_error(error, "make the folder", folder);
    }
    char above[PATH_MAX];
    folder_of(folder, above);
    return sync_folder(above) ? GW_OK : io_error(error, "sync the folder", above);
}

static void hex(const unsigned char bytes[16], char out[33]) {
    for (int i = 0; i < 16; i++) {
        (void)snprintf(out + (size_t)i * 2u, 3, "%02x", bytes[i]);
    }
}

static gw_err write_beside(const char *beside, struct gw_edition_header *header,
                           const struct gw_edition_piece pieces[GW_SECTION_COUNT],
                           struct gw_error *error) {
    struct output output = {.fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    if (output.fd < 0) {
        return io_error(error, "write", beside);
    }
    output.hash = XXH3_createState();
    gw_err err = GW_OK;
    if (output.hash == NULL) {
        err = gw_error_set(error, GW_ENOMEM, "out of memory while writing %s", beside);
    } else if (XXH3_128bits_reset(output.hash) != XXH_OK || !write_file(&output, header, pieces)) {
        err = io_error(error, "write", beside);
    }
    (void)XXH3_freeState(output.hash);
    if (close(output.fd) != 0 && err == GW_OK) {
        err = io_error(error, "write", beside);
    }
    return err;
}

gw_err gw_edition_file_save(const char *path,
                            const struct gw_edition_piece pieces[GW_SECTION_COUNT],
                            uint64_t *file_bytes, char content_hash[33], struct gw_error *error) {
    char folder[PATH_MAX];
    char beside[PATH_MAX];
    if (strlen(path) + sizeof(".tmp") > PATH_MAX) {
        return gw_error_set(error, GW_EINVAL, "the path of the edition is too long");
    }
    (void)snprintf(beside, sizeof(beside), "%s.tmp", path);
    folder_of(path, folder);
    gw_err err = make_folder(folder, error);
    if (err != GW_OK) {
        return err;
    }
    struct gw_edition_header header = {
        .magic = GW_EDITION_MAGIC,
        .version = GW_EDITION_VERSION,
        .byte_order = GW_EDITION_BYTE_ORDER,
    };
    place(&header, pieces);
    err = write_beside(beside, &header, pieces, error);
    if (err == GW_OK && rename(beside, path) != 0) {
        err = io_error(error, "rename", beside);
    }
    if (err != GW_OK) {
        (void)unlink(beside);
        return err;
    }
    if (!sync_folder(folder)) {
        return io_error(error, "sync the folder", folder);
    }
    *file_bytes = header.file_size;
    hex(header.checksum, content_hash);
    return GW_OK;
}
