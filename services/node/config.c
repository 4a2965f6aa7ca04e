#include "services/node/config.h"

#include "services/node/config_json.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_BYTES_MAX (1u << 20)
#define SECONDS_MAX 86400
#define DAYS_MAX 366
#define OFFERS_MAX 100

static const char *const level_names[] = {"grid", "village", "township", "county", "city"};

static gw_err read_class(const struct place *place, const json_t *object, struct gw_class *class) {
    static const char *const keys[] = {"code", "name", "name_zh", "skill", "answer_seconds"};
    if (!json_is_object(object)) {
        return config_refuse(place, "", "a list of objects");
    }
    gw_err err = config_check_keys(place, object, keys, sizeof(keys) / sizeof(keys[0]));
    int64_t seconds = 60;
    if (err == GW_OK) {
        err = config_read_text(place, object, "code", sizeof(class->code), class->code);
    }
    if (err == GW_OK && class->code[0] == '\0') {
        err = config_refuse(place, "code", "given");
    }
    if (err == GW_OK) {
        err = config_read_text(place, object, "name", sizeof(class->name), class->name);
    }
    if (err == GW_OK) {
        err = config_read_text(place, object, "name_zh", sizeof(class->name_zh), class->name_zh);
    }
    if (err == GW_OK) {
        err = config_read_text(place, object, "skill", sizeof(class->skill), class->skill);
    }
    if (err == GW_OK) {
        err = config_read_number(place, object, "answer_seconds", 1, SECONDS_MAX, &seconds);
    }
    class->answer_ms_max = seconds * 1000;
    return err;
}

static gw_err read_classes(const struct place *place, const json_t *list,
                           struct gw_policy *policy) {
    if (list == NULL) {
        return GW_OK;
    }
    if (!json_is_array(list) || json_array_size(list) == 0 ||
        json_array_size(list) > GW_CLASSES_MAX) {
        return config_refuse(place, "", "a list of 1 .. 256 classes");
    }
    policy->class_count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct gw_class class = {0};
        gw_err err = read_class(place, json_array_get(list, i), &class);
        if (err != GW_OK) {
            return err;
        }
        if (gw_policy_class(policy, class.code) != NULL) {
            return gw_error_set(place->error, GW_EINVAL, "%s: class %s is there twice", place->file,
                                class.code);
        }
        policy->classes[policy->class_count++] = class;
    }
    return GW_OK;
}

static gw_err read_level(const struct place *place, const json_t *object,
                         struct gw_policy *policy) {
    const json_t *value = json_object_get(object, "level_max");
    if (value == NULL) {
        return GW_OK;
    }
    for (uint32_t level = 0; json_is_string(value) && level < 5; level++) {
        if (strcmp(json_string_value(value), level_names[level]) == 0) {
            policy->level_max = level;
            return GW_OK;
        }
    }
    return config_refuse(place, "level_max", "grid, village, township, county or city");
}

static gw_err read_order(const struct place *place, const json_t *object,
                         struct gw_policy *policy) {
    const json_t *value = json_object_get(object, "order");
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    if (value != NULL && strcmp(text, "rank") != 0 && strcmp(text, "nearest") != 0) {
        return config_refuse(place, "order", "rank or nearest");
    }
    if (value != NULL) {
        policy->order = strcmp(text, "nearest") == 0 ? GW_ORDER_NEAREST : GW_ORDER_RANK;
    }
    return GW_OK;
}

static gw_err read_assignment(const struct place *place, const json_t *object,
                              struct gw_policy *policy) {
    static const char *const keys[] = {"position_age_seconds", "offer_without_position",
                                       "offers_max", "level_max", "order"};
    if (object == NULL) {
        return GW_OK;
    }
    if (!json_is_object(object)) {
        return config_refuse(place, "", "an object");
    }
    int64_t age_s = policy->position_age_ms_max / 1000, offers = policy->offers_max;
    const json_t *without = json_object_get(object, "offer_without_position");
    gw_err err = config_check_keys(place, object, keys, sizeof(keys) / sizeof(keys[0]));
    if (err == GW_OK) {
        err = config_read_number(place, object, "position_age_seconds", 1, SECONDS_MAX, &age_s);
    }
    if (err == GW_OK) {
        err = config_read_number(place, object, "offers_max", 1, OFFERS_MAX, &offers);
    }
    if (err == GW_OK) {
        err = read_level(place, object, policy);
    }
    if (err == GW_OK) {
        err = read_order(place, object, policy);
    }
    if (err == GW_OK && without != NULL && !json_is_boolean(without)) {
        err = config_refuse(place, "offer_without_position", "true or false");
    }
    if (err == GW_OK && without != NULL) {
        policy->offer_without_position = json_is_true(without);
    }
    policy->position_age_ms_max = age_s * 1000;
    policy->offers_max = (uint32_t)offers;
    return err;
}

static gw_err parse_root(const struct place *at, const json_t *root, struct gw_config *config) {
    static const char *const keys[] = {"classes", "assignment", "request_id_days", "map", "http"};
    struct place place = *at;
    gw_err err = json_is_object(root) ? GW_OK : config_refuse(&place, "the file", "a JSON object");
    if (err == GW_OK) {
        err = config_check_keys(&place, root, keys, sizeof(keys) / sizeof(keys[0]));
    }
    if (err == GW_OK) {
        err = config_read_number(&place, root, "request_id_days", 1, DAYS_MAX,
                                 &config->policy.receipt_days);
    }
    if (err == GW_OK) {
        place.section = "classes";
        err = read_classes(&place, json_object_get(root, "classes"), &config->policy);
    }
    if (err == GW_OK) {
        place.section = "assignment";
        err = read_assignment(&place, json_object_get(root, "assignment"), &config->policy);
    }
    if (err == GW_OK) {
        place.section = "map";
        err = config_read_map(&place, json_object_get(root, "map"), &config->map);
    }
    if (err == GW_OK) {
        place.section = "http";
        err = config_read_http(&place, json_object_get(root, "http"), &config->http);
    }
    return err;
}

// The settings that hold where the file says nothing.
static struct gw_config *built_in(struct gw_error *error) {
    struct gw_config *config = calloc(1, sizeof(*config));
    if (config == NULL) {
        (void)gw_error_set(error, GW_ENOMEM, "not enough memory for the configuration");
    } else {
        gw_policy_default(&config->policy);
    }
    return config;
}

gw_err gw_config_parse(const char *text, size_t size, const char *name, struct gw_config *config,
                       struct gw_error *error) {
    json_error_t fault;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault);
    if (root == NULL) {
        return gw_error_set(error, GW_EINVAL, "%s: line %d, column %d: %s", name, fault.line,
                            fault.column, fault.text);
    }
    struct place place = {name, "", error};
    struct gw_config *read = built_in(error);
    gw_err err = read != NULL ? parse_root(&place, root, read) : GW_ENOMEM;
    json_decref(root);
    if (err == GW_OK) {
        *config = *read;
    }
    free(read);
    return err;
}

gw_err gw_config_read(const char *path, struct gw_config *config, struct gw_error *error) {
    if (path == NULL) {
        return gw_config_parse("{}", 2, "the built-in settings", config, error);
    }
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return gw_error_set(error, GW_ENOTFOUND, "can't open the configuration %s: %s", path,
                            strerror(errno));
    }
    char *text = malloc(CONFIG_BYTES_MAX + 1);
    size_t size = text != NULL ? fread(text, 1, CONFIG_BYTES_MAX + 1, file) : 0;
    bool failed = ferror(file) != 0;
    (void)fclose(file);
    gw_err err;
    if (text == NULL) {
        err = gw_error_set(error, GW_ENOMEM, "not enough memory to read %s", path);
    } else if (failed) {
        err = gw_error_set(error, GW_EIO, "can't read %s", path);
    } else if (size > CONFIG_BYTES_MAX) {
        err = gw_error_set(error, GW_EINVAL, "%s is larger than 1 MiB", path);
    } else {
        err = gw_config_parse(text, size, path, config, error);
    }
    free(text);
    return err;
}
