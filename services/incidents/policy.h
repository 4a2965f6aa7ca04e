// The rules that a city sets: classes of incidents, and how assignment goes about its work.
//
// Plain values; services/node reads them from the configuration file. What a rule decided is in the
// events, so a replay needs no policy.
#ifndef GW_SERVICES_INCIDENTS_POLICY_H
#define GW_SERVICES_INCIDENTS_POLICY_H

#include "geo/err.h"
#include <stdbool.h>
#include <stdint.h>

#define GW_CLASSES_MAX 256u
#define GW_CLASS_CODE_MAX 16u
#define GW_SKILL_NAME_MAX 32u
#define GW_CANDIDATES_MAX 8u // recorded in an offer

struct gw_class {
    char code[GW_CLASS_CODE_MAX];  // "04"
    char name[64];                 // English
    char name_zh[64];              // Chinese
    char skill[GW_SKILL_NAME_MAX]; // needed of a worker; "" for none
    int64_t answer_ms_max;         // an offer lapses after this
};

// In which order workers are asked.
enum gw_order {
    GW_ORDER_RANK,    // the grid's roster first, then the village's and so on; each by distance
    GW_ORDER_NEAREST, // all of them up to level_max by distance, whatever their rank
};

struct gw_policy {
    struct gw_class classes[GW_CLASSES_MAX];
    uint32_t class_count;
    enum gw_order order;
    int64_t position_age_ms_max; // an older position does not count as "where he is"
    bool offer_without_position; // after those with a fresh position, ask the others, by id
    uint32_t offers_max;         // then the desk of the parent area
    uint32_t level_max;          // how far up rosters are asked: 0 grid .. 4 city
    int64_t receipt_days;        // how long request ids are remembered
};

// The built-in rules: the six major classes of urban management, 60 s to answer (30 s for 04,
// emergencies), rank by rank, positions up to 5 minutes old, up to 5 offers, rosters up to the
// township, 7 days.
void gw_policy_default(struct gw_policy *policy);

// NULL: no such class.
const struct gw_class *gw_policy_class(const struct gw_policy *policy, const char *code);

#endif
