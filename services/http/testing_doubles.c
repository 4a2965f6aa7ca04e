#include "services/http/testing_doubles.h"

#include <assert.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 4096u
#define SAID_MAX (1u << 20)

static const char *const names[GW_TILE_LAYERS] = {"grids",  "villages", "townships", "counties",
                                                  "cities", "labels",   "incidents", "workers"};
static atomic_int tiles_out; // given and not released

struct waiting {
    void (*done)(void *context, const struct gw_error *error, const struct gw_tile *tile);
    void *context;
    bool fails, live;
};

struct gw_tiles {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct waiting waiting[WAITING_MAX];
    uint32_t count;
};

static unsigned char packed[256]; // DOUBLE_MVT, gzipped once
static size_t packed_size;
static pthread_once_t packed_once = PTHREAD_ONCE_INIT;

static void pack(void) {
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    packed_size = libdeflate_gzip_compress(compressor, DOUBLE_MVT, strlen(DOUBLE_MVT), packed,
                                           sizeof(packed));
    assert(packed_size > 0);
    libdeflate_free_compressor(compressor);
}

// Its bytes lie behind it, so that a sanitizer sees a use after the release.
static const struct gw_tile *make_tile(bool empty, bool live) {
    (void)pthread_once(&packed_once, pack);
    struct gw_tile *made = malloc(sizeof(*made) + sizeof(packed));
    assert(made != NULL);
    atomic_fetch_add(&tiles_out, 1);
    unsigned char *bytes = (unsigned char *)(made + 1);
    memcpy(bytes, packed, sizeof(packed));
    *made = (struct gw_tile){.gzip = bytes, .edition = DOUBLE_EDITION, .live = live};
    (void)snprintf(made->etag, sizeof(made->etag), "%s", DOUBLE_ETAG);
    made->gzip_size = empty ? 0 : packed_size;
    made->size = empty ? 0 : strlen(DOUBLE_MVT);
    return made;
}

void gw_tile_release(const struct gw_tile *tile) {
    if (tile != NULL) {
        atomic_fetch_sub(&tiles_out, 1);
        free((void *)tile);
    }
}

const char *gw_tile_layer_name(enum gw_tile_layer layer) {
    return layer < GW_TILE_LAYERS ? names[layer] : NULL;
}

enum gw_tile_layer gw_tile_layer_find(const char *name) {
    int layer = 0;
    while (layer < GW_TILE_LAYERS && strcmp(names[layer], name) != 0) {
        layer++;
    }
    return (enum gw_tile_layer)layer;
}

struct gw_tiles *double_tiles_create(void) {
    struct gw_tiles *tiles = calloc(1, sizeof(*tiles));
    assert(tiles != NULL);
    (void)pthread_mutex_init(&tiles->mutex, NULL);
    (void)pthread_cond_init(&tiles->changed, NULL);
    return tiles;
}

void double_tiles_destroy(struct gw_tiles *tiles) {
    assert(tiles->count == 0);
    assert(atomic_load(&tiles_out) == 0);
    (void)pthread_cond_destroy(&tiles->changed);
    (void)pthread_mutex_destroy(&tiles->mutex);
    free(tiles);
}

gw_err gw_tiles_get(struct gw_tiles *tiles, enum gw_tile_layer layer, struct gw_tile_id id,
                    const struct gw_tile **tile,
                    void (*done)(void *context, const struct gw_error *error,
                                 const struct gw_tile *tile),
                    void *context, struct gw_error *error) {
    bool live = layer == GW_TILE_INCIDENTS || layer == GW_TILE_WORKERS;
    if (id.z == DOUBLE_MEANWHILE) {
        done(context, NULL, make_tile(false, live));
        return GW_ESTATE;
    }
    if (id.z == DOUBLE_LATER || id.z == DOUBLE_FAILS) {
        (void)pthread_mutex_lock(&tiles->mutex);
        assert(tiles->count < WAITING_MAX);
        tiles->waiting[tiles->count++] =
            (struct waiting){done, context, id.z == DOUBLE_FAILS, live};
        (void)pthread_cond_broadcast(&tiles->changed);
        (void)pthread_mutex_unlock(&tiles->mutex);
        return GW_ESTATE;
    }
    if (id.z == DOUBLE_FULL) {
        return gw_error_set(error, GW_ENOSPC, "too many wait for tiles; ask again later");
    }
    *tile = make_tile(id.z == DOUBLE_EMPTY, live);
    return GW_OK;
}

void double_tiles_await(struct gw_tiles *tiles, uint32_t count) {
    (void)pthread_mutex_lock(&tiles->mutex);
    while (tiles->count != count) {
        (void)pthread_cond_wait(&tiles->changed, &tiles->mutex);
    }
    (void)pthread_mutex_unlock(&tiles->mutex);
}

void double_tiles_answer(struct gw_tiles *tiles) {
    (void)pthread_mutex_lock(&tiles->mutex);
    while (tiles->count > 0) {
        struct waiting next = tiles->waiting[--tiles->count];
        struct gw_error error;
        (void)gw_error_set(&error, GW_EINTERNAL, "the tile can't be made");
        if (next.fails) {
            next.done(next.context, &error, NULL);
        } else {
            next.done(next.context, NULL, make_tile(false, next.live));
        }
    }
    (void)pthread_mutex_unlock(&tiles->mutex);
}

void gw_tiles_write_tilejson(struct gw_tiles *tiles, enum gw_tile_layer layer, const char *base,
                             struct gw_buffer *out) {
    (void)tiles;
    gw_buffer_format(out, "{\"tilejson\":\"3.0.0\",\"tiles\":[\"%s/tiles/%s/{z}/{x}/{y}.mvt\"]}",
                     base, names[layer]);
}

// --- the live feed ---

struct gw_live_reader {
    struct gw_live *live;
    struct gw_live_reader *next, **previous;
    void (*wake)(void *context);
    void *context;
    size_t at;
};

struct gw_live {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct gw_live_reader *first;
    uint32_t readers;
    bool lost;
    char opened[128];
    char *said;
    size_t size, taken_max;
};

struct gw_live *double_live_create(void) {
    struct gw_live *live = calloc(1, sizeof(*live));
    assert(live != NULL);
    live->said = malloc(SAID_MAX);
    assert(live->said != NULL);
    (void)pthread_mutex_init(&live->mutex, NULL);
    (void)pthread_cond_init(&live->changed, NULL);
    return live;
}

void double_live_destroy(struct gw_live *live) {
    assert(live->readers == 0);
    (void)pthread_cond_destroy(&live->changed);
    (void)pthread_mutex_destroy(&live->mutex);
    free(live->said);
    free(live);
}

static void wake_all(struct gw_live *live) {
    for (struct gw_live_reader *reader = live->first; reader != NULL; reader = reader->next) {
        reader->wake(reader->context);
    }
}

void double_live_say(struct gw_live *live, const char *text) {
    (void)pthread_mutex_lock(&live->mutex);
    size_t size = strlen(text);
    assert(live->size + size <= SAID_MAX);
    memcpy(live->said + live->size, text, size);
    live->size += size;
    wake_all(live);
    (void)pthread_mutex_unlock(&live->mutex);
}

void double_live_lose(struct gw_live *live) {
    (void)pthread_mutex_lock(&live->mutex);
    live->lost = true;
    wake_all(live);
    (void)pthread_mutex_unlock(&live->mutex);
}

void double_live_await(struct gw_live *live, uint32_t readers) {
    (void)pthread_mutex_lock(&live->mutex);
    while (live->readers != readers) {
        (void)pthread_cond_wait(&live->changed, &live->mutex);
    }
    (void)pthread_mutex_unlock(&live->mutex);
}

size_t double_live_taken(struct gw_live *live) {
    (void)pthread_mutex_lock(&live->mutex);
    size_t taken = live->taken_max;
    (void)pthread_mutex_unlock(&live->mutex);
    return taken;
}

void double_live_opened(struct gw_live *live, char text[128]) {
    (void)pthread_mutex_lock(&live->mutex);
    memcpy(text, live->opened, sizeof(live->opened));
    (void)pthread_mutex_unlock(&live->mutex);
}

gw_err gw_live_open(struct gw_live *live, const char *last_event_id, bool with_workers,
                    void (*wake)(void *context), void *context, struct gw_live_reader **reader,
                    struct gw_error *error) {
    (void)error;
    struct gw_live_reader *made = calloc(1, sizeof(*made));
    assert(made != NULL);
    made->live = live;
    made->wake = wake;
    made->context = context;
    (void)pthread_mutex_lock(&live->mutex);
    made->next = live->first;
    made->previous = &live->first;
    if (made->next != NULL) {
        made->next->previous = &made->next;
    }
    live->first = made;
    live->readers++;
    (void)pthread_cond_broadcast(&live->changed);
    (void)snprintf(live->opened, sizeof(live->opened), "id=%s workers=%d", last_event_id,
                   with_workers);
    (void)pthread_mutex_unlock(&live->mutex);
    *reader = made;
    return GW_OK;
}

gw_err gw_live_read(struct gw_live_reader *reader, char *out, size_t size, size_t *got) {
    struct gw_live *live = reader->live;
    (void)pthread_mutex_lock(&live->mutex);
    size_t left = live->size - reader->at;
    *got = left < size ? left : size;
    memcpy(out, live->said + reader->at, *got);
    reader->at += *got;
    live->taken_max = reader->at > live->taken_max ? reader->at : live->taken_max;
    gw_err err = live->lost ? GW_ERANGE : GW_OK;
    (void)pthread_mutex_unlock(&live->mutex);
    return err;
}

void gw_live_close(struct gw_live_reader *reader) {
    struct gw_live *live = reader->live;
    (void)pthread_mutex_lock(&live->mutex);
    *reader->previous = reader->next;
    if (reader->next != NULL) {
        reader->next->previous = reader->previous;
    }
    live->readers--;
    (void)pthread_cond_broadcast(&live->changed);
    (void)pthread_mutex_unlock(&live->mutex);
    free(reader);
}
