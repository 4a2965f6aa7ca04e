// The configuration file: a city's classes and rules, as JSON.
//
//   {
//     "classes": [{"code": "04", "name": "Emergencies", "name_zh": "突发事件", "skill": "first-aid",
//                  "answer_seconds": 30}],
//     "assignment": {"order": "rank", "level_max": "township", "position_age_seconds": 300,
//                    "offer_without_position": true, "offers_max": 5},
//     "request_id_days": 7,
//     "map": {"rasters": [{"id": "image", "name": "Imagery", "name_zh": "影像",
//                          "tiles": ["https://t0.example.org/{z}/{x}/{y}.jpg"],
//                          "tile_size": 256, "max_zoom": 18, "attribution": "..."}]},
//     "http": {"connections_max": 4096, "threads": 2, "hosts": ["map.example.org"]}
//   }
//
// "order" is "rank" (the grid's roster first, then the village's and so on) or "nearest" (all of
// them up to level_max together). "rasters" are at most 8 sources of pictures for the page (see
// services/http/README.md for Tianditu's), "hosts" the names besides loopback's that browsers may
// reach the node by, such as those of a proxy.
//
// Every part may be left out; the built-in rules (gw_policy_default) then hold. Unknown keys, wrong
// types and values out of range are refused by name.
#ifndef GW_SERVICES_NODE_CONFIG_H
#define GW_SERVICES_NODE_CONFIG_H

#include "services/base/error.h"
#include "services/http/settings.h"
#include "services/incidents/policy.h"
#include <stddef.h>

struct gw_config {
    struct gw_policy policy;
    struct gw_map_config map;
    struct gw_http_config http;
};

// Reads `path` over the built-in settings. NULL: the built-in settings. On error `config` is
// untouched.
GW_MUST_CHECK gw_err gw_config_read(const char *path, struct gw_config *config,
                                    struct gw_error *error);

// The same from text. `name` stands for the file in messages.
GW_MUST_CHECK gw_err gw_config_parse(const char *text, size_t size, const char *name,
                                     struct gw_config *config, struct gw_error *error);

#endif
