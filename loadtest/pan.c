#include "loadtest/pan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static double mercator_x(double longitude) {
    return (longitude + 180) / 360;
}

static double mercator_y(double latitude) {
    return (1 - asinh(tan(latitude * pi / 180)) / pi) / 2;
}

gw_err load_pan_init(struct load_pan *pan, const struct load_work *work, uint32_t users,
                     const struct load_layer layers[], const double bounds[4]) {
    memset(pan, 0, sizeof(*pan));
    pan->work = work;
    memcpy(pan->layers, layers, work->layer_count * sizeof(*layers));
    memcpy(pan->bounds, bounds, sizeof(pan->bounds));
    pan->users = calloc(users, sizeof(*pan->users));
    if (pan->users == NULL) {
        return GW_ENOMEM;
    }
    pan->user_count = users;
    for (uint32_t i = 0; i < users && work->cache != LOAD_CACHE_NONE; i++) {
        pan->users[i].seen = calloc(LOAD_SEEN_MAX, sizeof(*pan->users[i].seen));
        if (pan->users[i].seen == NULL) {
            return GW_ENOMEM;
        }
    }
    return GW_OK;
}

void load_pan_deinit(struct load_pan *pan) {
    for (uint32_t i = 0; i < pan->user_count; i++) {
        free(pan->users[i].seen);
    }
    free(pan->users);
    memset(pan, 0, sizeof(*pan));
}

// --- what a browser keeps ---

static uint64_t key_of(struct load_tile tile) {
    return gw_random_mix((uint64_t)tile.layer << 58 ^ (uint64_t)tile.z << 52 ^
                         (uint64_t)tile.x << 26 ^ tile.y) |
           1;
}

const struct load_seen *load_pan_find(const struct load_user *user, struct load_tile tile) {
    uint64_t key = key_of(tile);
    for (uint32_t i = 0; user->seen != NULL && i < LOAD_SEEN_MAX; i++) {
        if (user->seen[i].key == key) {
            return &user->seen[i];
        }
    }
    return NULL;
}

void load_pan_keep(struct load_user *user, struct load_tile tile, const char *etag) {
    if (user->seen == NULL || load_pan_find(user, tile) != NULL) {
        return;
    }
    struct load_seen *seen = &user->seen[user->seen_next++ % LOAD_SEEN_MAX];
    seen->key = key_of(tile);
    (void)snprintf(seen->etag, sizeof(seen->etag), "%s", etag);
}

// --- a step ---

static double clamp(double value, double min, double max) {
    return value < min ? min : value > max ? max : value;
}

static void move(struct load_pan *pan, struct load_user *user, struct gw_random *random,
                 void (*start)(void *context, struct gw_random *random, double *lon, double *lat),
                 void *context) {
    const struct load_work *work = pan->work;
    uint32_t lot = gw_random_below(random, 100);
    if (!user->somewhere || lot < 5) {
        double lon = 0, lat = 0;
        start(context, random, &lon, &lat);
        user->x = mercator_x(lon);
        user->y = mercator_y(lat);
        user->zoom = work->zooms[0] + gw_random_below(random, work->zooms[1] - work->zooms[0] + 1);
        user->somewhere = true;
    } else if (lot < 25) {
        bool in = gw_random_below(random, 2) == 1;
        user->zoom += in && user->zoom < work->zooms[1];
        user->zoom -= !in && user->zoom > work->zooms[0];
    } else {
        double tile = ldexp(1, -(int)user->zoom);
        user->x += gw_random_within(random, -0.5, 0.5) * work->columns * tile;
        user->y += gw_random_within(random, -0.5, 0.5) * work->rows * tile;
    }
    user->x = clamp(user->x, mercator_x(pan->bounds[0]), mercator_x(pan->bounds[2]));
    user->y = clamp(user->y, mercator_y(pan->bounds[3]), mercator_y(pan->bounds[1]));
}

// The tiles of one layer on the screen.
static uint32_t look(const struct load_pan *pan, const struct load_user *user, uint32_t layer,
                     struct load_tile tiles[]) {
    const struct load_work *work = pan->work;
    uint32_t zoom = user->zoom, count = 0;
    if (zoom < pan->layers[layer].zoom_min) {
        return 0;
    }
    zoom = zoom > pan->layers[layer].zoom_max ? pan->layers[layer].zoom_max : zoom;
    double side = ldexp(1, (int)zoom), shrink = ldexp(1, (int)zoom - (int)user->zoom);
    double half_x = work->columns * shrink / 2, half_y = work->rows * shrink / 2;
    int32_t west = (int32_t)clamp(floor(user->x * side - half_x), 0, side - 1);
    int32_t east = (int32_t)clamp(floor(user->x * side + half_x), 0, side - 1);
    int32_t north = (int32_t)clamp(floor(user->y * side - half_y), 0, side - 1);
    int32_t south = (int32_t)clamp(floor(user->y * side + half_y), 0, side - 1);
    for (int32_t y = north; y <= south; y++) {
        for (int32_t x = west; x <= east; x++) {
            struct load_tile tile = {layer, zoom, (uint32_t)x, (uint32_t)y};
            if (work->cache != LOAD_CACHE_BROWSER || load_pan_find(user, tile) == NULL) {
                tiles[count++] = tile;
            }
        }
    }
    return count;
}

uint32_t load_pan_step(struct load_pan *pan, struct load_user *user, struct gw_random *random,
                       void (*start)(void *context, struct gw_random *random, double *lon,
                                     double *lat),
                       void *context, struct load_tile tiles[]) {
    uint32_t count = 0;
    move(pan, user, random, start, context);
    for (uint32_t i = 0; i < pan->work->layer_count; i++) {
        count += look(pan, user, i, tiles + count);
    }
    return count;
}
