#include "services/grids/intake.h"

#include "services/grids/editions.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define AHEAD_MS_MAX INT64_C(86400000) // that a sender's clock may be ahead

struct gw_intake {
    struct gw_intake_claim claim;
    char folder[PATH_BYTES]; // of the editions
    char path[PATH_BYTES];
    char place[PATH_BYTES]; // where it belongs
    int fd;
    uint64_t written;
    bool placed;
};

static gw_err io_error(struct gw_error *error, const char *what, const char *path) {
    gw_err code = errno == ENOSPC || errno == EDQUOT ? GW_ENOSPC : GW_EIO;
    return gw_error_set(error, code, "cannot %s %s: %s", what, path, strerror(errno));
}

static gw_err check_claim(const struct gw_intake_claim *claim, struct gw_error *error) {
    gw_err err = gw_editions_check_layer(claim->layer, error);
    if (err != GW_OK) {
        return err;
    }
    if (claim->number == 0) {
        return gw_error_set(error, GW_EINVAL, "number is 0: editions count from 1");
    }
    if (claim->size == 0) {
        return gw_error_set(error, GW_EINVAL, "size is 0: give the length of the file in bytes");
    }
    if (claim->size > GW_INTAKE_BYTES_MAX) {
        return gw_error_set(error, GW_ENOSPC,
                            "the file has %" PRIu64 " bytes, the limit is %" PRIu64
                            ": import fewer grids, or simpler ones",
                            claim->size, GW_INTAKE_BYTES_MAX);
    }
    if (strlen(claim->content_hash) != 32 ||
        strspn(claim->content_hash, "0123456789abcdef") != 32) {
        return gw_error_set(error, GW_EINVAL,
                            "content_hash must be the 32 hexadecimal digits that are in the file");
    }
    return GW_OK;
}

static gw_err check_room(const struct gw_intake *intake, uint64_t reserved,
                         struct gw_error *error) {
    struct statvfs disk;
    if (statvfs(intake->folder, &disk) != 0) {
        return io_error(error, "look at the disk of", intake->folder);
    }
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    uint64_t needed = intake->claim.size + reserved + GW_INTAKE_SPARE_BYTES;
    if (free_bytes >= needed) {
        return GW_OK;
    }
    return gw_error_set(error, GW_ENOSPC,
                        "the node's disk has %" PRIu64 " MiB left and this needs %" PRIu64
                        ": make room there",
                        free_bytes >> 20, needed >> 20);
}

static gw_err name_files(struct gw_intake *intake, const char *data_folder,
                         struct gw_error *error) {
    static atomic_uint_fast64_t counter;
    int folder = snprintf(intake->folder, sizeof(intake->folder), "%s/editions", data_folder);
    int path =
        snprintf(intake->path, sizeof(intake->path), "%s/editions/upload-%" PRIuFAST64 ".part",
                 data_folder, atomic_fetch_add(&counter, 1) + 1);
    if (folder < 0 || path < 0 || (size_t)path >= sizeof(intake->path)) {
        return gw_error_set(error, GW_EINVAL, "the path of the data folder is too long");
    }
    return gw_editions_path(data_folder, intake->claim.layer, intake->claim.number, intake->place,
                            sizeof(intake->place), error);
}

gw_err gw_intake_open(const char *data_folder, const struct gw_intake_claim *claim,
                      uint64_t reserved, struct gw_intake **out, struct gw_error *error) {
    gw_err err = check_claim(claim, error);
    if (err != GW_OK) {
        return err;
    }
    struct gw_intake *intake = calloc(1, sizeof(*intake));
    if (intake == NULL) {
        return gw_error_set(error, GW_ENOMEM, "not enough memory for an upload");
    }
    intake->claim = *claim;
    intake->fd = -1;
    err = name_files(intake, data_folder, error);
    if (err == GW_OK) {
        err = check_room(intake, reserved, error);
    }
    if (err == GW_OK) {
        intake->fd = open(intake->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        err = intake->fd >= 0 ? GW_OK : io_error(error, "make", intake->path);
    }
    if (err != GW_OK) {
        free(intake);
        return err;
    }
    *out = intake;
    return GW_OK;
}

gw_err gw_intake_write(struct gw_intake *intake, const void *bytes, size_t size,
                       struct gw_error *error) {
    const unsigned char *from = bytes;
    if (size > intake->claim.size - intake->written) {
        return gw_error_set(error, GW_EINVAL,
                            "more bytes have come than the %" PRIu64 " that size says",
                            intake->claim.size);
    }
    while (size > 0) {
        ssize_t done = write(intake->fd, from, size);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return io_error(error, "write", intake->path);
        }
        from += done;
        size -= (size_t)done;
        intake->written += (uint64_t)done;
    }
    return GW_OK;
}

// What an edition says of itself, against the claim and against reason.
static gw_err check_identity(const struct gw_intake *intake, const struct gw_edition *edition,
                             int64_t now_ms, struct gw_error *error) {
    const struct gw_intake_claim *claim = &intake->claim;
    char hash[33];
    gw_edition_content_hash(edition, hash);
    if (strcmp(hash, claim->content_hash) != 0) {
        return gw_error_set(error, GW_EINVAL,
                            "content_hash is %s, and the file's own is %s: send the file that the "
                            "header tells of",
                            claim->content_hash, hash);
    }
    if (strcmp(gw_edition_layer(edition), claim->layer) != 0) {
        return gw_error_set(error, GW_EINVAL, "the file is of layer %s, not %s: import it again",
                            gw_edition_layer(edition), claim->layer);
    }
    if (gw_edition_number(edition) != claim->number) {
        return gw_error_set(error, GW_EINVAL,
                            "the file is edition %" PRIu64 ", not %" PRIu64 ": import it again",
                            gw_edition_number(edition), claim->number);
    }
    int64_t created_ms = gw_edition_created_ms(edition);
    if (created_ms <= 0 || created_ms > now_ms + AHEAD_MS_MAX) {
        return gw_error_set(error, GW_EINVAL,
                            "the file says that it was made at %" PRId64
                            " ms since 1970: set the clock of the machine that imports",
                            created_ms);
    }
    return GW_OK;
}

// The sender's fault, not this node's: what is wrong with the file, without its path here.
static gw_err refuse_file(const struct gw_intake *intake, const struct gw_error *why,
                          struct gw_error *error) {
    size_t size = strlen(intake->path);
    const char *rest = strncmp(why->text, intake->path, size) == 0 ? why->text + size : "";
    if (strncmp(rest, ": ", 2) == 0) {
        return gw_error_set(error, GW_EINVAL, "%s", rest + 2);
    }
    return gw_error_set(error, GW_EINVAL, "the file%s",
                        rest[0] == ' ' ? rest : " is not an edition: import it again");
}

gw_err gw_intake_check(struct gw_intake *intake, int64_t now_ms, struct gw_edition **edition,
                       struct gw_error *error) {
    if (intake->written != intake->claim.size) {
        return gw_error_set(error, GW_EINVAL,
                            "%" PRIu64 " bytes have come of the %" PRIu64
                            " that size says: send the whole file",
                            intake->written, intake->claim.size);
    }
    if (fsync(intake->fd) != 0) {
        return io_error(error, "sync", intake->path);
    }
    struct gw_error why = {GW_OK, ""};
    struct gw_edition *opened = NULL;
    gw_err err = gw_edition_open(intake->path, &opened, &why);
    if (err == GW_ECORRUPT || err == GW_EUNSUPPORTED) {
        return refuse_file(intake, &why, error);
    }
    if (err != GW_OK) {
        return gw_error_set(error, err, "%s", why.text);
    }
    err = check_identity(intake, opened, now_ms, error);
    if (err != GW_OK) {
        gw_edition_close(opened);
        return err;
    }
    *edition = opened;
    return GW_OK;
}

static gw_err sync_folder(const char *folder, struct gw_error *error) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return io_error(error, "open", folder);
    }
    gw_err err = fsync(fd) == 0 ? GW_OK : io_error(error, "sync", folder);
    (void)close(fd);
    return err;
}

gw_err gw_intake_place(struct gw_intake *intake, struct gw_error *error) {
    if (rename(intake->path, intake->place) != 0) {
        return io_error(error, "rename", intake->path);
    }
    intake->placed = true;
    return sync_folder(intake->folder, error);
}

void gw_intake_withdraw(struct gw_intake *intake) {
    (void)unlink(intake->place);
}

void gw_intake_close(struct gw_intake *intake) {
    if (intake == NULL) {
        return;
    }
    if (!intake->placed) {
        (void)unlink(intake->path);
    }
    (void)close(intake->fd);
    free(intake);
}

static bool is_left_over(const char *name) {
    size_t size = strlen(name);
    return (strncmp(name, "upload-", 7) == 0 && size > 5 &&
            strcmp(name + size - 5, ".part") == 0) ||
           (size > 8 && strcmp(name + size - 8, ".gwe.tmp") == 0);
}

gw_err gw_intake_clean(const char *data_folder, struct gw_error *error) {
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof(path), "%s/editions", data_folder);
    if (length < 0 || (size_t)length >= sizeof(path)) {
        return gw_error_set(error, GW_EINVAL, "the path of the data folder is too long");
    }
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return errno == ENOENT ? GW_OK : io_error(error, "read", path);
    }
    gw_err err = GW_OK;
    for (const struct dirent *entry = readdir(folder); entry != NULL && err == GW_OK;
         entry = readdir(folder)) {
        if (is_left_over(entry->d_name) && unlinkat(dirfd(folder), entry->d_name, 0) != 0) {
            err = io_error(error, "remove", entry->d_name);
        }
    }
    (void)closedir(folder);
    return err;
}
