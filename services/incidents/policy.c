#include "services/incidents/policy.h"

#include <stddef.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000 };

// The major classes of urban management events (CJ/T 214 and its successors).
static const struct gw_class default_classes[] = {
    {"01", "City appearance", "市容环境", "", MINUTE_MS},
    {"02", "Advertising", "宣传广告", "", MINUTE_MS},
    {"03", "Construction", "施工管理", "", MINUTE_MS},
    {"04", "Emergency", "突发事件", "", MINUTE_MS / 2},
    {"05", "Street order", "街面秩序", "", MINUTE_MS},
    {"06", "Other", "其他事件", "", MINUTE_MS},
};

void gw_policy_default(struct gw_policy *policy) {
    memset(policy, 0, sizeof(*policy));
    memcpy(policy->classes, default_classes, sizeof(default_classes));
    policy->class_count = sizeof(default_classes) / sizeof(default_classes[0]);
    policy->order = GW_ORDER_RANK;
    policy->position_age_ms_max = 5 * MINUTE_MS;
    policy->offer_without_position = true;
    policy->offers_max = 5;
    policy->level_max = 2;
    policy->receipt_days = 7;
}

const struct gw_class *gw_policy_class(const struct gw_policy *policy, const char *code) {
    for (uint32_t i = 0; code != NULL && i < policy->class_count && i < GW_CLASSES_MAX; i++) {
        if (strcmp(policy->classes[i].code, code) == 0) {
            return &policy->classes[i];
        }
    }
    return NULL;
}
