#include "services/base/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static gw_err make_folder(const char *path, struct gw_error *error) {
    if (mkdir(path, 0750) != 0 && errno != EEXIST) {
        return gw_error_set(error, GW_EIO, "can't make the folder %s: %s", path, strerror(errno));
    }
    return GW_OK;
}

// The folder's own name must be on the disk before anything in it counts. Where one may not read
// the folder above, somebody else has made this one.
static gw_err sync_name(const char *path, struct gw_error *error) {
    char above[1100];
    (void)snprintf(above, sizeof(above), "%s/..", path);
    int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) {
        return GW_OK;
    }
    gw_err err = fd >= 0 && fsync(fd) == 0
                     ? GW_OK
                     : gw_error_set(error, GW_EIO, "can't sync %s: %s", above, strerror(errno));
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

// Says who holds the lock: what the holder wrote into the file.
static gw_err refuse_held(int fd, const char *path, struct gw_error *error) {
    char holder[200] = "";
    ssize_t size = pread(fd, holder, sizeof(holder) - 1, 0);
    if (size > 0) {
        holder[strcspn(holder, "\n")] = '\0';
    }
    return gw_error_set(error, GW_EUNAVAILABLE,
                        "the data folder %s is in use by %s; ask that node (--server ADDR) or stop "
                        "it first",
                        path, holder[0] != '\0' ? holder : "another process");
}

static gw_err take_lock(struct gw_datadir *dir, const char *lock_path, enum gw_datadir_use use,
                        const char *holder, struct gw_error *error) {
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        return gw_error_set(error, GW_EIO, "can't open %s: %s", lock_path, strerror(errno));
    }
    if (flock(fd, (use == GW_DATADIR_READ ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        gw_err err = errno == EWOULDBLOCK ? refuse_held(fd, dir->path, error)
                                          : gw_error_set(error, GW_EIO, "can't lock %s: %s",
                                                         lock_path, strerror(errno));
        (void)close(fd);
        return err;
    }
    dir->lock_fd = fd;
    dir->use = use;
    if (use == GW_DATADIR_READ) {
        return GW_OK; // several may read; none of them is "the" holder
    }
    char text[200];
    int length = snprintf(text, sizeof(text), "%s (pid %ld)\n", holder, (long)getpid());
    if (length < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, text, strlen(text), 0) < 0) {
        gw_err err = gw_error_set(error, GW_EIO, "can't write %s: %s", lock_path, strerror(errno));
        gw_datadir_close(dir);
        return err;
    }
    return GW_OK;
}

gw_err gw_datadir_open(struct gw_datadir *dir, const char *path, enum gw_datadir_use use,
                       const char *holder, struct gw_error *error) {
    *dir = (struct gw_datadir){.lock_fd = -1};
    int length = snprintf(dir->path, sizeof(dir->path), "%s", path);
    if (length <= 0 || (size_t)length >= sizeof(dir->path) - 64) {
        return gw_error_set(error, GW_EINVAL, "the data folder's path is empty or too long");
    }
    struct stat info;
    bool there = stat(path, &info) == 0;
    if (there && !S_ISDIR(info.st_mode)) {
        return gw_error_set(error, GW_EINVAL, "%s is not a folder", path);
    }
    if (!there && use != GW_DATADIR_CREATE) {
        return gw_error_set(error, GW_ENOTFOUND,
                            "there is no data folder %s; make one with `gridwarden import FILE… "
                            "--data %s --crs EPSG:4326 --publish`",
                            path, path);
    }
    gw_err err = there ? GW_OK : make_folder(path, error);
    if (err == GW_OK && use == GW_DATADIR_CREATE) { // also after one who was killed before it
        err = sync_name(path, error);
    }
    if (err != GW_OK) {
        return err;
    }
    char lock_path[1100];
    (void)snprintf(lock_path, sizeof(lock_path), "%s/LOCK", path);
    return take_lock(dir, lock_path, use, holder, error);
}

void gw_datadir_close(struct gw_datadir *dir) {
    if (dir->lock_fd >= 0) {
        if (dir->use != GW_DATADIR_READ && ftruncate(dir->lock_fd, 0) != 0) {
            // The holder's name stays behind; the lock itself does not.
        }
        (void)close(dir->lock_fd); // releases the lock
        dir->lock_fd = -1;
    }
}

gw_err gw_datadir_file(const struct gw_datadir *dir, const char *name, char *out, size_t out_size,
                       struct gw_error *error) {
    int length = snprintf(out, out_size, "%s/%s", dir->path, name);
    if (length < 0 || (size_t)length >= out_size) {
        return gw_error_set(error, GW_EINVAL, "the path %s/%s is too long", dir->path, name);
    }
    return GW_OK;
}
