#include "services/demo/mesh.h"

#include "services/base/random.h"

enum { FLIPS_MAX = 4096, FAR = 200000000, NUDGES_MAX = 8 };

__extension__ typedef __int128 wide;

struct build {
    struct gw_demo_mesh *mesh;
    struct gw_point *points;
    uint32_t last; // where the next walk starts
    uint32_t flips[FLIPS_MAX], flip_count;
    bool overflow;
};

struct xy {
    int64_t x, y;
};

// Scaled so that east and north are about alike: 3 to 4 at 42 degrees. The far corners make a
// triangle around everything.
static struct xy place(const struct build *build, uint32_t corner) {
    static const struct xy far[3] = {{-3 * (int64_t)FAR, -2 * (int64_t)FAR},
                                     {3 * (int64_t)FAR, -2 * (int64_t)FAR},
                                     {0, 4 * (int64_t)FAR}};
    if (corner >= build->mesh->point_count) {
        return far[corner - build->mesh->point_count];
    }
    const struct gw_point *first = &build->points[0], *point = &build->points[corner];
    return (struct xy){((int64_t)point->lon - first->lon) * 3,
                       ((int64_t)point->lat - first->lat) * 4};
}

// Positive: a, b, c turn left. Coordinates differ by less than 2^31.
static int64_t turn(struct xy a, struct xy b, struct xy c) {
    wide area = (wide)(b.x - a.x) * (c.y - a.y) - (wide)(b.y - a.y) * (c.x - a.x);
    return area > 0 ? 1 : area < 0 ? -1 : 0;
}

// Whether d lies within the circle through a, b, c, which turn left. Below 2^126.
static bool in_circle(struct xy a, struct xy b, struct xy c, struct xy d) {
    int64_t ax = a.x - d.x, ay = a.y - d.y, bx = b.x - d.x, by = b.y - d.y;
    int64_t cx = c.x - d.x, cy = c.y - d.y;
    wide a2 = (wide)ax * ax + (wide)ay * ay, b2 = (wide)bx * bx + (wide)by * by;
    wide c2 = (wide)cx * cx + (wide)cy * cy;
    wide ab = (wide)ax * by - (wide)ay * bx, bc = (wide)bx * cy - (wide)by * cx;
    wide ca = (wide)cx * ay - (wide)cy * ax;
    return a2 * bc + b2 * ca + c2 * ab > 0;
}

static uint32_t side_of(const struct gw_demo_triangle *triangle, uint32_t neighbour) {
    return triangle->across[0] == neighbour ? 0 : triangle->across[1] == neighbour ? 1 : 2;
}

static void relink(struct gw_demo_mesh *mesh, uint32_t at, uint32_t from, uint32_t to) {
    if (at != UINT32_MAX) {
        mesh->triangles[at].across[side_of(&mesh->triangles[at], from)] = to;
    }
}

static void push(struct build *build, uint32_t triangle) {
    if (build->flip_count == FLIPS_MAX) {
        build->overflow = true;
        return;
    }
    build->flips[build->flip_count++] = triangle;
}

// Triangles on the stack have the new point as their last corner: flips the edge opposite to it
// where the point across lies within the circle.
static void legalise(struct build *build) {
    struct gw_demo_mesh *mesh = build->mesh;
    while (build->flip_count > 0) {
        uint32_t at = build->flips[--build->flip_count];
        struct gw_demo_triangle *own = &mesh->triangles[at];
        uint32_t other = own->across[2];
        if (other == UINT32_MAX) {
            continue;
        }
        struct gw_demo_triangle *near = &mesh->triangles[other];
        uint32_t side = side_of(near, at);
        uint32_t a = own->corners[0], b = own->corners[1], p = own->corners[2];
        uint32_t d = near->corners[side];
        if (!in_circle(place(build, a), place(build, b), place(build, p), place(build, d))) {
            continue;
        }
        // (a, b, p) and (b, a, d) become (a, d, p) and (d, b, p).
        uint32_t beyond_bp = own->across[0], beyond_pa = own->across[1];
        uint32_t beyond_ad = near->across[(side + 1) % 3], beyond_db = near->across[(side + 2) % 3];
        *own = (struct gw_demo_triangle){{a, d, p}, {other, beyond_pa, beyond_ad}};
        *near = (struct gw_demo_triangle){{d, b, p}, {beyond_bp, at, beyond_db}};
        relink(mesh, beyond_ad, other, at);
        relink(mesh, beyond_bp, at, other);
        push(build, at);
        push(build, other);
    }
}

// Walks to the triangle that holds the point; *on_edge: it lies on an edge of it. UINT32_MAX: the
// walk does not end (the points are not as promised).
static uint32_t walk(struct build *build, uint32_t point, bool *on_edge) {
    const struct gw_demo_mesh *mesh = build->mesh;
    struct xy at = place(build, point);
    uint32_t now = build->last;
    for (uint32_t step = 0; step <= mesh->triangle_count; step++) {
        const struct gw_demo_triangle *triangle = &mesh->triangles[now];
        uint32_t next = now;
        *on_edge = false;
        for (uint32_t i = 0; i < 3 && next == now; i++) {
            uint32_t u = triangle->corners[(i + 1) % 3], v = triangle->corners[(i + 2) % 3];
            int64_t side = turn(place(build, u), place(build, v), at);
            *on_edge |= side == 0;
            next = side < 0 ? triangle->across[i] : now;
        }
        if (next == now || next == UINT32_MAX) {
            return next;
        }
        now = next;
    }
    return UINT32_MAX;
}

static gw_err insert(struct build *build, uint32_t point) {
    struct gw_demo_mesh *mesh = build->mesh;
    bool on_edge = true;
    uint32_t at = UINT32_MAX;
    for (int nudge = 0; nudge < NUDGES_MAX && on_edge; nudge++) {
        build->points[point].lat += nudge % 2; // by turns, as the edge may run either way
        build->points[point].lon += nudge > 0 && nudge % 2 == 0;
        at = walk(build, point, &on_edge);
        if (at == UINT32_MAX) {
            return GW_EINTERNAL;
        }
    }
    if (on_edge) {
        return GW_EINTERNAL;
    }
    struct gw_demo_triangle old = mesh->triangles[at];
    uint32_t a = old.corners[0], b = old.corners[1], c = old.corners[2];
    uint32_t second = mesh->triangle_count, third = second + 1;
    mesh->triangle_count += 2;
    mesh->triangles[at] = (struct gw_demo_triangle){{a, b, point}, {second, third, old.across[2]}};
    mesh->triangles[second] = (struct gw_demo_triangle){{b, c, point}, {third, at, old.across[0]}};
    mesh->triangles[third] = (struct gw_demo_triangle){{c, a, point}, {at, second, old.across[1]}};
    relink(mesh, old.across[0], at, second);
    relink(mesh, old.across[1], at, third);
    push(build, at);
    push(build, second);
    push(build, third);
    legalise(build);
    build->last = at;
    return build->overflow ? GW_EINTERNAL : GW_OK;
}

// Each edge between two points lies in two triangles, once in each direction.
static gw_err link_points(struct gw_demo_mesh *mesh, struct gw_demo_arena *arena) {
    struct gw_demo_graph *graph = &mesh->graph;
    graph->count = mesh->point_count;
    graph->first = gw_demo_array(arena, (size_t)graph->count + 2, sizeof(*graph->first));
    graph->next = gw_demo_array(arena, (size_t)3 * mesh->triangle_count, sizeof(*graph->next));
    if (arena->failed) {
        return GW_ENOMEM;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t t = 0; t < mesh->triangle_count; t++) {
            for (uint32_t i = 0; i < 3; i++) {
                uint32_t u = mesh->triangles[t].corners[i];
                uint32_t v = mesh->triangles[t].corners[(i + 1) % 3];
                if (u >= mesh->point_count || v >= mesh->point_count) {
                    continue;
                }
                if (pass == 0) {
                    graph->first[u + 2]++;
                } else {
                    graph->next[graph->first[u + 1]++] = v;
                }
            }
        }
        for (uint32_t i = 0; i < graph->count && pass == 0; i++) {
            graph->first[i + 2] += graph->first[i + 1];
        }
    }
    return GW_OK;
}

gw_err gw_demo_mesh_make(struct gw_point points[], uint32_t count, struct gw_demo_arena *arena,
                         struct gw_demo_mesh *mesh) {
    struct build *build = gw_demo_array(arena, 1, sizeof(*build));
    *mesh = (struct gw_demo_mesh){.point_count = count, .points = points};
    mesh->triangles = gw_demo_array(arena, (size_t)2 * count + 1, sizeof(*mesh->triangles));
    if (arena->failed) {
        return GW_ENOMEM;
    }
    build->mesh = mesh;
    build->points = points;
    mesh->triangles[0] = (struct gw_demo_triangle){{count, count + 1, count + 2},
                                                   {UINT32_MAX, UINT32_MAX, UINT32_MAX}};
    mesh->triangle_count = 1;
    for (uint32_t i = 0; i < count; i++) {
        gw_err err = insert(build, i);
        if (err != GW_OK) {
            return err;
        }
    }
    return link_points(mesh, arena);
}

static int64_t cross(struct gw_point a, struct gw_point b, struct gw_point c) {
    int64_t abx = (int64_t)b.lon - a.lon, aby = (int64_t)b.lat - a.lat;
    int64_t acx = (int64_t)c.lon - a.lon, acy = (int64_t)c.lat - a.lat;
    return abx * acy - aby * acx;
}

gw_err gw_demo_mesh_centre(const struct gw_demo_mesh *mesh, uint64_t seed, uint32_t triangle,
                           struct gw_point *centre) {
    const uint32_t *corners = mesh->triangles[triangle].corners;
    if (corners[0] >= mesh->point_count || corners[1] >= mesh->point_count ||
        corners[2] >= mesh->point_count) {
        return GW_EINTERNAL;
    }
    struct gw_random random = gw_random_of(seed, 0x100000000u + triangle);
    struct gw_point a = mesh->points[corners[0]], b = mesh->points[corners[1]];
    struct gw_point c = mesh->points[corners[2]];
    int64_t u = gw_random_between(&random, 70, 130), v = gw_random_between(&random, 70, 130);
    int64_t w = gw_random_between(&random, 70, 130), sum = u + v + w;
    int64_t lon = v * ((int64_t)b.lon - a.lon) + w * ((int64_t)c.lon - a.lon);
    int64_t lat = v * ((int64_t)b.lat - a.lat) + w * ((int64_t)c.lat - a.lat);
    *centre = (struct gw_point){(int32_t)(a.lon + lon / sum), (int32_t)(a.lat + lat / sum)};
    bool inside = cross(a, b, *centre) > 0 && cross(b, c, *centre) > 0 && cross(c, a, *centre) > 0;
    return inside ? GW_OK : GW_EINTERNAL;
}

struct gw_point gw_demo_mesh_edge(const struct gw_demo_mesh *mesh, uint64_t seed, uint32_t a,
                                  uint32_t b) {
    uint32_t low = a < b ? a : b, high = a < b ? b : a;
    struct gw_random random = gw_random_of(seed, ((uint64_t)low << 32) | high);
    struct gw_point from = mesh->points[low], to = mesh->points[high];
    int64_t part = gw_random_between(&random, 400, 600);
    return (struct gw_point){
        (int32_t)(from.lon + ((int64_t)to.lon - from.lon) * part / 1000),
        (int32_t)(from.lat + ((int64_t)to.lat - from.lat) * part / 1000),
    };
}
