#include "services/grids/editions.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX (GW_LAYER_MAX + 8u)

struct key {
    unsigned char bytes[KEY_MAX];
    size_t size;
};

// A layer's name is part of keys and file names, so it holds only what both can bear.
static bool layer_ok(const char *layer) {
    size_t size = strnlen(layer, GW_LAYER_MAX);
    for (size_t i = 0; i < size; i++) {
        char c = layer[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!fits) {
            return false;
        }
    }
    return size > 0 && size < GW_LAYER_MAX;
}

gw_err gw_editions_check_layer(const char *layer, struct gw_error *error) {
    return layer_ok(layer) ? GW_OK
                           : gw_error_set(error, GW_EINVAL,
                                          "a layer's name has 1 to %u of the characters a-z, 0-9, "
                                          "- and _",
                                          GW_LAYER_MAX - 1);
}

// layer, 0, number big-endian: in byte order of layers, then by number.
static struct key make_key(const char *layer, uint64_t number) {
    struct key key = {.size = strlen(layer) + 1};
    memcpy(key.bytes, layer, key.size);
    for (int shift = 56; shift >= 0; shift -= 8) {
        key.bytes[key.size++] = (unsigned char)(number >> shift);
    }
    return key;
}

static struct gw_slice slice_of(const struct key *key) {
    return (struct gw_slice){key->bytes, key->size};
}

static bool key_is_of(struct gw_slice key, const char *layer) {
    size_t size = strlen(layer) + 1;
    return key.size == size + 8 && memcmp(key.data, layer, size) == 0;
}

static Gridwarden__V1__Edition *unpack(struct gw_slice value) {
    Gridwarden__V1__Edition *edition =
        gridwarden__v1__edition__unpack(NULL, value.size, value.data);
    if (edition != NULL && edition->ref == NULL) {
        gridwarden__v1__edition__free_unpacked(edition, NULL);
        return NULL;
    }
    return edition;
}

static gw_err unreadable(struct gw_error *error) {
    return gw_error_set(error, GW_ECORRUPT, "a row of the editions in the store cannot be read");
}

// A walk over the editions of one layer, newest first.
struct walk {
    const char *layer;
    bool published_only;
    Gridwarden__V1__Edition *found; // the first that fits
    bool corrupt;
};

static bool visit_newest(void *context, struct gw_slice key, struct gw_slice value) {
    struct walk *walk = context;
    if (!key_is_of(key, walk->layer)) {
        return false;
    }
    Gridwarden__V1__Edition *edition = unpack(value);
    if (edition == NULL) {
        walk->corrupt = true;
        return false;
    }
    if (!walk->published_only ||
        edition->state == GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED) {
        walk->found = edition;
        return false;
    }
    gridwarden__v1__edition__free_unpacked(edition, NULL);
    return true;
}

// The newest edition of a layer (published, if so asked), which the caller frees; NULL: none.
static gw_err find_newest(struct gw_store *store, const char *layer, bool published_only,
                          Gridwarden__V1__Edition **found, struct gw_error *error) {
    struct walk walk = {.layer = layer, .published_only = published_only};
    struct key last = make_key(layer, UINT64_MAX);
    gw_err err =
        gw_store_scan(store, GW_KS_EDITIONS, slice_of(&last), true, visit_newest, &walk, error);
    if (err == GW_OK && walk.corrupt) {
        err = unreadable(error);
    }
    if (err != GW_OK && walk.found != NULL) {
        gridwarden__v1__edition__free_unpacked(walk.found, NULL);
        walk.found = NULL;
    }
    *found = walk.found;
    return err;
}

gw_err gw_editions_next_number(struct gw_store *store, const char *layer, uint64_t *number,
                               struct gw_error *error) {
    Gridwarden__V1__Edition *newest = NULL;
    gw_err err = gw_editions_check_layer(layer, error);
    if (err == GW_OK) {
        err = find_newest(store, layer, false, &newest, error);
    }
    if (err == GW_OK) {
        *number = newest == NULL ? 1 : newest->ref->number + 1;
    }
    if (newest != NULL) {
        gridwarden__v1__edition__free_unpacked(newest, NULL);
    }
    return err;
}

gw_err gw_editions_path(const char *data_folder, const char *layer, uint64_t number, char *out,
                        size_t out_size, struct gw_error *error) {
    gw_err err = gw_editions_check_layer(layer, error);
    if (err != GW_OK) {
        return err;
    }
    int size =
        snprintf(out, out_size, "%s/editions/%s-%" PRIu64 ".gwe", data_folder, layer, number);
    return size > 0 && (size_t)size < out_size
               ? GW_OK
               : gw_error_set(error, GW_EINVAL, "the path of the data folder is too long");
}

// The file must be the one that was staged under this number.
static gw_err compare(const struct gw_edition *edition, const Gridwarden__V1__Edition *row,
                      struct gw_error *error) {
    char hash[33];
    gw_edition_content_hash(edition, hash);
    if (strcmp(gw_edition_layer(edition), row->ref->layer) != 0 ||
        gw_edition_number(edition) != row->ref->number ||
        (row->content_hash[0] != '\0' && strcmp(hash, row->content_hash) != 0)) {
        return gw_error_set(error, GW_ECORRUPT,
                            "the file of edition %" PRIu64 " of layer %s is not the one that was "
                            "staged: restore it or import the edition again",
                            row->ref->number, row->ref->layer);
    }
    return GW_OK;
}

gw_err gw_editions_find(struct gw_store *store, const char *layer, uint64_t number,
                        Gridwarden__V1__Edition **row, struct gw_error *error) {
    gw_err err = gw_editions_check_layer(layer, error);
    if (err != GW_OK) {
        return err;
    }
    struct key key = make_key(layer, number);
    struct gw_store_value value;
    err = gw_store_get(store, GW_KS_EDITIONS, slice_of(&key), &value, error);
    if (err != GW_OK) {
        return err;
    }
    bool found = value.bytes.data != NULL;
    *row = found ? unpack(value.bytes) : NULL;
    gw_store_value_release(&value);
    if (!found) {
        return gw_error_set(error, GW_ENOTFOUND,
                            "layer %s has no edition %" PRIu64 ": gridwarden edition list", layer,
                            number);
    }
    return *row != NULL ? GW_OK : unreadable(error);
}

gw_err gw_editions_open(const char *data_folder, const Gridwarden__V1__Edition *row,
                        struct gw_edition **edition, struct gw_error *error) {
    char path[4096];
    struct gw_edition *opened = NULL;
    gw_err err =
        gw_editions_path(data_folder, row->ref->layer, row->ref->number, path, sizeof(path), error);
    if (err == GW_OK) {
        err = gw_edition_open(path, &opened, error);
    }
    if (err == GW_ENOTFOUND) { // the store knows it, so its file must be there
        err = gw_error_set(error, GW_ECORRUPT,
                           "the edition's file %s is missing: restore it or import the edition "
                           "again",
                           path);
    }
    if (err == GW_OK) {
        err = compare(opened, row, error);
    }
    if (err != GW_OK) {
        gw_edition_close(opened);
        return err;
    }
    *edition = opened;
    return GW_OK;
}

gw_err gw_editions_open_current(const char *data_folder, struct gw_store *store, const char *layer,
                                struct gw_edition **edition, struct gw_error *error) {
    Gridwarden__V1__Edition *row = NULL;
    gw_err err = gw_editions_check_layer(layer, error);
    if (err == GW_OK) {
        err = find_newest(store, layer, true, &row, error);
    }
    if (err != GW_OK) {
        return err;
    }
    if (row == NULL) {
        return gw_error_set(error, GW_ENOTFOUND,
                            "no edition of layer %s is published: gridwarden import FILE --data "
                            "%.120s --crs EPSG:4326 --publish",
                            layer, data_folder);
    }
    err = gw_editions_open(data_folder, row, edition, error);
    gridwarden__v1__edition__free_unpacked(row, NULL);
    return err;
}

struct list {
    bool (*visit)(void *context, const Gridwarden__V1__Edition *edition);
    void *context;
    bool corrupt;
};

static bool visit_each(void *context, struct gw_slice key, struct gw_slice value) {
    struct list *list = context;
    (void)key;
    Gridwarden__V1__Edition *edition = unpack(value);
    list->corrupt = edition == NULL;
    if (edition == NULL) {
        return false;
    }
    bool more = list->visit(list->context, edition);
    gridwarden__v1__edition__free_unpacked(edition, NULL);
    return more;
}

gw_err gw_editions_list(struct gw_store *store,
                        bool (*visit)(void *context, const Gridwarden__V1__Edition *edition),
                        void *context, struct gw_error *error) {
    struct list list = {visit, context, false};
    gw_err err = gw_store_scan(store, GW_KS_EDITIONS, (struct gw_slice){NULL, 0}, true, visit_each,
                               &list, error);
    return err == GW_OK && list.corrupt ? unreadable(error) : err;
}

static gw_err put_row(struct gw_store *store, struct gw_store_batch *batch,
                      const Gridwarden__V1__Edition *edition, struct gw_error *error) {
    size_t size = gridwarden__v1__edition__get_packed_size(edition);
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory while recording an edition");
    }
    (void)gridwarden__v1__edition__pack(edition, bytes);
    struct key key = make_key(edition->ref->layer, edition->ref->number);
    gw_store_batch_put(batch, store, GW_KS_EDITIONS, slice_of(&key),
                       (struct gw_slice){bytes, size});
    free(bytes);
    return GW_OK;
}

// Every published edition of the layer but `number` becomes superseded.
struct supersede {
    const Gridwarden__V1__Edition *successor;
    struct gw_store *store;
    struct gw_store_batch *batch;
    struct gw_error *error;
    gw_err err;
};

static bool visit_supersede(void *context, struct gw_slice key, struct gw_slice value) {
    struct supersede *work = context;
    if (!key_is_of(key, work->successor->ref->layer)) {
        return false;
    }
    Gridwarden__V1__Edition *edition = unpack(value);
    if (edition == NULL) {
        work->err = unreadable(work->error);
        return false;
    }
    if (edition->state == GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED &&
        edition->ref->number != work->successor->ref->number) {
        edition->state = GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_SUPERSEDED;
        work->err = put_row(work->store, work->batch, edition, work->error);
    }
    gridwarden__v1__edition__free_unpacked(edition, NULL);
    return work->err == GW_OK;
}

gw_err gw_editions_apply(struct gw_store *store, struct gw_store_batch *batch,
                         const Gridwarden__Store__V1__EditionEvent *event, struct gw_error *error) {
    const Gridwarden__V1__Edition *edition = event->edition;
    if (edition == NULL || edition->ref == NULL || !layer_ok(edition->ref->layer)) {
        return gw_error_set(error, GW_EINVAL, "an edition's event names no edition");
    }
    if (edition->state == GRIDWARDEN__V1__EDITION_STATE__EDITION_STATE_PUBLISHED) {
        struct supersede work = {edition, store, batch, error, GW_OK};
        struct key last = make_key(edition->ref->layer, UINT64_MAX);
        gw_err err = gw_store_scan(store, GW_KS_EDITIONS, slice_of(&last), true, visit_supersede,
                                   &work, error);
        if (err != GW_OK || work.err != GW_OK) {
            return err != GW_OK ? err : work.err;
        }
    }
    return put_row(store, batch, edition, error);
}
