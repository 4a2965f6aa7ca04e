// The data folder: who may use it, and where things lie in it.
//
//   DATA/LOCK        held (flock) by the one process that uses the folder; names its pid and
// address
//   DATA/db/         the store (RocksDB)
//   DATA/editions/   edition files
#ifndef GW_SERVICES_BASE_DATADIR_H
#define GW_SERVICES_BASE_DATADIR_H

#include "services/base/error.h"
#include <stddef.h>

enum gw_datadir_use {
    GW_DATADIR_READ,   // beside other readers; the folder must be there
    GW_DATADIR_WRITE,  // alone; the folder must be there
    GW_DATADIR_CREATE, // alone; the folder is made where there is none
};

struct gw_datadir {
    char path[1024];
    int lock_fd;
    enum gw_datadir_use use;
};

// Takes the folder's lock. `holder` is what others read in the refusal, such as "gridwarden serve
// on
// 127.0.0.1:7600". GW_EUNAVAILABLE: another process holds it; the text says which and what to do.
// GW_ENOTFOUND: no such folder.
GW_MUST_CHECK gw_err gw_datadir_open(struct gw_datadir *dir, const char *path,
                                     enum gw_datadir_use use, const char *holder,
                                     struct gw_error *error);
void gw_datadir_close(struct gw_datadir *dir);

// path + "/" + name into out. GW_EINVAL: too long.
GW_MUST_CHECK gw_err gw_datadir_file(const struct gw_datadir *dir, const char *name, char *out,
                                     size_t out_size, struct gw_error *error);

#endif
