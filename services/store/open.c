#include "services/base/diag.h"
#include "services/store/store_internal.h"
#include "services/store/wal_tail.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MAX 1024u
#define COLUMNS_MAX 64u // column families of a store that we are willing to look at
#define DEFAULT_COLUMN "default"
static const char format_key[] = "format";

// The column families to open: RocksDB wants all that exist, in any order.
struct column_list {
    const char *names[COLUMNS_MAX + GW_KEYSPACE_COUNT + 1];
    rocksdb_options_t *options[COLUMNS_MAX + GW_KEYSPACE_COUNT + 1];
    rocksdb_column_family_handle_t *handles[COLUMNS_MAX + GW_KEYSPACE_COUNT + 1];
    int count;
    char **listed; // RocksDB's list, which owns the names in it
    size_t listed_count;
};

static bool ends_with(const char *text, const char *end) {
    size_t text_size = strlen(text), end_size = strlen(end);
    return text_size >= end_size && strcmp(text + text_size - end_size, end) == 0;
}

// Whether the folder holds data files. Without CURRENT RocksDB would make a new store and delete
// them; a creation that was cut short leaves none.
static bool holds_data(const char *folder) {
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return false;
    }
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(dir)) != NULL) {
        struct stat status;
        found = (ends_with(entry->d_name, ".sst") || ends_with(entry->d_name, ".log")) &&
                fstatat(dirfd(dir), entry->d_name, &status, 0) == 0 && status.st_size > 0;
    }
    closedir(dir);
    return found;
}

static gw_err make_folder(const char *folder, struct gw_error *error) {
    if (mkdir(folder, 0750) != 0) {
        if (errno == EEXIST) {
            return GW_OK;
        }
        return gw_error_set(error, errno == ENOENT ? GW_ENOTFOUND : GW_EIO,
                            "can't make the store's folder %s: %s", folder, strerror(errno));
    }
    // The folder's own name must outlast a power cut as well.
    char parent[FOLDER_MAX];
    memcpy(parent, folder, strlen(folder) + 1);
    int fd = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        gw_err err = gw_error_set(error, GW_EIO, "can't sync the folder that holds %s: %s", folder,
                                  strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return err;
    }
    close(fd);
    return GW_OK;
}

// Finds out what is there before RocksDB touches anything. *exists: a store to be opened.
static gw_err look(const char *folder, const struct gw_store_options *options, bool *exists,
                   struct gw_error *error) {
    char current[FOLDER_MAX + 16];
    if (strlen(folder) == 0 || strlen(folder) >= FOLDER_MAX) {
        return gw_error_set(error, GW_EINVAL, "the store's folder needs 1 to %u bytes of path",
                            FOLDER_MAX - 1);
    }
    snprintf(current, sizeof current, "%s/CURRENT", folder);
    *exists = access(current, F_OK) == 0;
    if (*exists) {
        return GW_OK;
    }
    if (errno != ENOENT) {
        return gw_error_set(error, errno == EACCES ? GW_EPERM : GW_EIO, "can't read %s: %s",
                            current, strerror(errno));
    }
    if (holds_data(folder)) {
        return gw_error_set(error, GW_ECORRUPT,
                            "the store in %s is damaged: its file CURRENT is missing, though data "
                            "files are there; keep a copy of the folder and restore a backup",
                            folder);
    }
    if (!options->create || options->read_only) {
        return gw_error_set(error, GW_ENOTFOUND, "there is no store in %s", folder);
    }
    return make_folder(folder, error);
}

static gw_err open_fail(const char *folder, char *text, struct gw_error *error) {
    if (strstr(text, "lock hold by current process") != NULL) {
        rocksdb_free(text);
        return gw_error_set(error, GW_EUNAVAILABLE,
                            "the store in %s is already open in this process", folder);
    }
    if (strstr(text, "While lock file") != NULL &&
        strstr(text, "temporarily unavailable") != NULL) {
        rocksdb_free(text);
        return gw_error_set(error, GW_EUNAVAILABLE,
                            "the store in %s is in use by another process; stop that one first, or "
                            "send the command to it",
                            folder);
    }
    if (strstr(text, "No such file or directory") != NULL) {
        // CURRENT was there, so it is a part of the store that is not.
        gw_err err = gw_error_set(error, GW_ECORRUPT,
                                  "the store in %s is damaged: a file is missing; keep a copy of "
                                  "the folder and restore a backup (%s)",
                                  folder, text);
        rocksdb_free(text);
        return err;
    }
    char doing[FOLDER_MAX + 32];
    snprintf(doing, sizeof doing, "opening the store in %s", folder);
    return store_fail(error, doing, text);
}

static int find_keyspace(const char *name) {
    for (int space = 0; space < GW_KEYSPACE_COUNT; space++) {
        if (strcmp(name, store_keyspace_name((enum gw_keyspace)space)) == 0) {
            return space;
        }
    }
    return -1;
}

static bool listed(const struct column_list *list, const char *name) {
    for (int i = 0; i < list->count; i++) {
        if (strcmp(list->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_column(struct column_list *list, struct gw_store *store, const char *name,
                       size_t write_buffer_bytes) {
    int space = find_keyspace(name);
    list->names[list->count] = name;
    list->options[list->count++] = store_keyspace_options(
        space < 0 ? GW_KS_META : (enum gw_keyspace)space, store->cache, write_buffer_bytes);
}

// The column families that exist and, unless reading only, those that are to be made.
static gw_err list_columns(const char *folder, const struct gw_store_options *options, bool exists,
                           const rocksdb_options_t *database, struct gw_store *store,
                           struct column_list *list, struct gw_error *error) {
    add_column(list, store, DEFAULT_COLUMN, options->write_buffer_bytes);
    if (exists) {
        char *failure = NULL;
        list->listed =
            rocksdb_list_column_families(database, folder, &list->listed_count, &failure);
        if (failure != NULL) {
            return open_fail(folder, failure, error);
        }
        for (size_t i = 0; i < list->listed_count; i++) {
            const char *name = list->listed[i];
            if (strcmp(name, DEFAULT_COLUMN) == 0) {
                continue;
            }
            if (find_keyspace(name) < 0 || (size_t)list->count > COLUMNS_MAX) {
                return gw_error_set(error, GW_EUNSUPPORTED,
                                    "the store in %s was made by a newer version of this program "
                                    "(it has \"%.40s\"); use that version or a later one",
                                    folder, name);
            }
            add_column(list, store, name, options->write_buffer_bytes);
        }
    }
    for (int space = 0; space < GW_KEYSPACE_COUNT && !options->read_only; space++) {
        const char *name = store_keyspace_name((enum gw_keyspace)space);
        if (!listed(list, name)) {
            add_column(list, store, name, options->write_buffer_bytes);
        }
    }
    return GW_OK;
}

static void free_columns(struct column_list *list) {
    for (int i = 0; i < list->count; i++) {
        rocksdb_options_destroy(list->options[i]);
    }
    if (list->listed != NULL) {
        rocksdb_list_column_families_destroy(list->listed, list->listed_count);
    }
}

static char *open_once(const char *folder, const struct gw_store_options *options,
                       const rocksdb_options_t *database, struct gw_store *store,
                       struct column_list *list) {
    char *failure = NULL;
    const rocksdb_options_t *const *columns = (const rocksdb_options_t *const *)list->options;
    store->db =
        options->read_only
            ? rocksdb_open_for_read_only_column_families(database, folder, list->count, list->names,
                                                         columns, list->handles, 0, &failure)
            : rocksdb_open_column_families(database, folder, list->count, list->names, columns,
                                           list->handles, &failure);
    return failure;
}

static gw_err open_database(const char *folder, const struct gw_store_options *options, bool exists,
                            struct gw_store *store, struct gw_error *error) {
    rocksdb_options_t *database = store_database_options(!exists, options->write_buffer_bytes);
    struct column_list list = {.count = 0};
    gw_err err = list_columns(folder, options, exists, database, store, &list, error);
    if (err != GW_OK) {
        goto done;
    }
    char *failure = open_once(folder, options, database, store, &list);
    if (failure != NULL && strncmp(failure, "Corruption", 10) == 0 && store_wal_tail_torn(folder)) {
        // A power cut wrote the later pages of the last write but not all earlier ones. Nobody was
        // told of that write, so it is dropped like one that ends too soon.
        gw_diag(GW_WARNING, NULL, "store unfinished last write dropped", "folder='%s'", folder);
        rocksdb_free(failure);
        rocksdb_options_set_wal_recovery_mode(database, rocksdb_point_in_time_recovery);
        failure = open_once(folder, options, database, store, &list);
    }
    if (failure != NULL) {
        store->db = NULL;
        err = open_fail(folder, failure, error);
        goto done;
    }
    for (int i = 0; i < list.count; i++) {
        int space = find_keyspace(list.names[i]);
        if (space < 0) {
            store->unused = list.handles[i];
        } else {
            store->columns[space] = list.handles[i];
        }
    }
done:
    free_columns(&list);
    rocksdb_options_destroy(database);
    return err;
}

static gw_err write_format(struct gw_store *store, struct gw_error *error) {
    char text[16];
    int size = snprintf(text, sizeof text, "%u", STORE_FORMAT_VERSION);
    struct gw_store_batch *batch = gw_store_batch_create();
    gw_store_batch_put(batch, store, GW_KS_META,
                       (struct gw_slice){format_key, sizeof format_key - 1},
                       (struct gw_slice){text, (size_t)size});
    gw_err err = gw_store_write(store, batch, true, error);
    gw_store_batch_destroy(batch);
    return err;
}

static gw_err read_format(const char *folder, struct gw_slice bytes, struct gw_error *error) {
    char text[16] = "";
    char *end = text;
    unsigned long version = 0;
    if (bytes.size > 0 && bytes.size < sizeof text) {
        memcpy(text, bytes.data, bytes.size);
        version = strtoul(text, &end, 10);
    }
    if (version == 0 || *end != '\0') {
        return gw_error_set(error, GW_ECORRUPT,
                            "the store in %s is damaged: its format version can't be read", folder);
    }
    if (version > STORE_FORMAT_VERSION) {
        return gw_error_set(error, GW_EUNSUPPORTED,
                            "the store in %s has format %lu, made by a newer version of this "
                            "program; this one reads up to format %u: use the newer version",
                            folder, version, STORE_FORMAT_VERSION);
    }
    return GW_OK;
}

// The version comes first into a new store, alone. Without it there is nothing else either (the
// creation was cut short), or this is not our store.
static gw_err check_format(const char *folder, struct gw_store *store, struct gw_error *error) {
    struct gw_store_value value;
    gw_err err = gw_store_get(store, GW_KS_META,
                              (struct gw_slice){format_key, sizeof format_key - 1}, &value, error);
    if (err != GW_OK) {
        return err;
    }
    if (value.bytes.data != NULL) {
        err = read_format(folder, value.bytes, error);
    } else if (rocksdb_get_latest_sequence_number(store->db) != 0) {
        err = gw_error_set(error, GW_ECORRUPT,
                           "the store in %s holds data but no format version: it is damaged or not "
                           "a store of this program",
                           folder);
    } else if (store->read_only) {
        err = gw_error_set(error, GW_ENOTFOUND, "the store in %s is empty", folder);
    } else {
        err = write_format(store, error);
    }
    gw_store_value_release(&value);
    return err;
}

gw_err gw_store_open(const char *folder, const struct gw_store_options *options,
                     struct gw_store **store, struct gw_error *error) {
    bool exists = false;
    gw_err err = look(folder, options, &exists, error);
    if (err != GW_OK) {
        return err;
    }
    struct gw_store *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory opening the store in %s", folder);
    }
    made->read_only = options->read_only;
    made->cache = store_cache_create();
    made->read = rocksdb_readoptions_create();
    made->read_once = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(made->read_once, 0);
    made->write = rocksdb_writeoptions_create();
    made->write_sync = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(made->write_sync, 1);

    err = open_database(folder, options, exists, made, error);
    if (err == GW_OK) {
        err = check_format(folder, made, error);
    }
    if (err != GW_OK) {
        gw_store_close(made);
        return err;
    }
    *store = made;
    return GW_OK;
}

void gw_store_close(struct gw_store *store) {
    if (store == NULL) {
        return;
    }
    for (int space = 0; space < GW_KEYSPACE_COUNT; space++) {
        if (store->columns[space] != NULL) {
            rocksdb_column_family_handle_destroy(store->columns[space]);
        }
    }
    if (store->unused != NULL) {
        rocksdb_column_family_handle_destroy(store->unused);
    }
    if (store->db != NULL) {
        rocksdb_close(store->db);
    }
    rocksdb_readoptions_destroy(store->read);
    rocksdb_readoptions_destroy(store->read_once);
    rocksdb_writeoptions_destroy(store->write);
    rocksdb_writeoptions_destroy(store->write_sync);
    rocksdb_cache_destroy(store->cache);
    free(store);
}
