// Any bytes as a configuration file: refused with words, or a policy whose values are in range.
#include "services/node/config.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct gw_config config;
    struct gw_error error = {.code = GW_OK};
    if (gw_config_parse((const char *)data, size, "fuzz", &config, &error) != GW_OK) {
        assert(strncmp(error.text, "fuzz", 4) == 0);
        return 0;
    }
    const struct gw_policy policy = config.policy;
    assert(policy.class_count >= 1 && policy.class_count <= GW_CLASSES_MAX);
    for (uint32_t i = 0; i < policy.class_count; i++) {
        assert(policy.classes[i].code[0] != '\0' && policy.classes[i].answer_ms_max >= 1000);
        assert(gw_policy_class(&policy, policy.classes[i].code) == &policy.classes[i]);
    }
    assert(policy.level_max <= 4 && policy.offers_max >= 1 && policy.receipt_days >= 1);
    assert(policy.position_age_ms_max >= 1000);
    assert(config.map.raster_count <= GW_MAP_RASTERS_MAX);
    for (uint32_t i = 0; i < config.map.raster_count; i++) {
        assert(config.map.rasters[i].tile_count >= 1);
        assert(gw_map_url_valid(config.map.rasters[i].tiles[0]));
    }
    return 0;
}
