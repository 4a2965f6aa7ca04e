#include "services/incidents/rules.h"

#include <string.h>

gw_err gw_incident_check_request_id(const char *request_id, struct gw_error *error) {
    size_t size = 0;
    while (request_id != NULL && request_id[size] != '\0') {
        if (size == GW_REQUEST_ID_MAX || request_id[size] < 0x20 || request_id[size] > 0x7e) {
            return gw_error_set(error, GW_EINVAL,
                                "request_id: give 1 to %u bytes of printable ASCII, such as a UUID",
                                GW_REQUEST_ID_MAX);
        }
        size++;
    }
    if (size == 0) {
        return gw_error_set(error, GW_EINVAL,
                            "request_id is empty: give each new request an id of its own, such as "
                            "a UUID, and repeat it in retries");
    }
    return GW_OK;
}

gw_err gw_incident_check_id(const char *field, const char *id, struct gw_error *error) {
    if (id == NULL || id[0] == '\0') {
        return gw_error_set(error, GW_EINVAL, "%s is empty: give the id that Report answered",
                            field);
    }
    if (gw_incident_id_counter(id) == 0) {
        return gw_error_set(error, GW_EINVAL,
                            "%s is no incident's id: give one such as "
                            "\"ce05f4a1b2c3d4e5-000000002a\", as Report answered it",
                            field);
    }
    return GW_OK;
}

gw_err gw_incident_check_actor(const char *actor, struct gw_error *error) {
    if (actor == NULL || actor[0] == '\0') {
        return gw_error_set(error, GW_EINVAL,
                            "actor is empty: say who does it (a worker's id, a desk, a name)");
    }
    if (strcmp(actor, GW_ACTOR_SYSTEM) == 0) { // the trail says so of timers alone
        return gw_error_set(error, GW_EINVAL,
                            "actor \"" GW_ACTOR_SYSTEM "\" is reserved: say who does it");
    }
    if (!is_worker(actor) && !is_desk(actor)) {
        return gw_error_set(error, GW_EINVAL,
                            "actor: give 1 to %u bytes of UTF-8 without control characters",
                            GW_ACTOR_MAX);
    }
    return GW_OK;
}

gw_err check_text(const char *field, const char *text, size_t bytes_max, struct gw_error *error) {
    if (text == NULL || text_ok(text, 0, bytes_max, false)) {
        return GW_OK;
    }
    if (strlen(text) > bytes_max) {
        return gw_error_set(error, GW_EINVAL, "%s has %zu bytes: shorten it to %zu", field,
                            strlen(text), bytes_max);
    }
    return gw_error_set(error, GW_EINVAL, "%s is not UTF-8: encode it so", field);
}

gw_err gw_incident_check_point(const Gridwarden__V1__Point *point, struct gw_point *out,
                               struct gw_error *error) {
    if (point == NULL) {
        return gw_error_set(error, GW_EINVAL, "point is missing: give longitude and latitude");
    }
    gw_err err = gw_lattice_query(point->longitude, point->latitude, out);
    if (err == GW_EINVAL) {
        return gw_error_set(error, err, "point: longitude and latitude must be finite numbers");
    }
    if (err != GW_OK) {
        return gw_error_set(error, err,
                            "point: longitude %.7f, latitude %.7f is out of range; give degrees, "
                            "-180 .. 180 and -90 .. 90",
                            point->longitude, point->latitude);
    }
    return GW_OK;
}

gw_err gw_incident_check_report(const Gridwarden__V1__ReportRequest *request,
                                const struct gw_policy *policy, struct gw_error *error) {
    struct gw_point point;
    gw_err err = gw_incident_check_request_id(request->request_id, error);
    if (err == GW_OK && request->point != NULL) {
        err = gw_incident_check_point(request->point, &point, error);
    }
    if (err == GW_OK && gw_policy_class(policy, request->class_code) == NULL) {
        bool printable = text_ok(request->class_code, 1, GW_CLASS_CODE_MAX, true);
        err = gw_error_set(error, GW_EINVAL,
                           "class_code %s%s%s of the configuration: use one of "
                           "its classes, such as \"%s\"",
                           printable ? "\"" : "", printable ? request->class_code : "",
                           printable ? "\" is none" : "is no class",
                           policy->class_count > 0 ? policy->classes[0].code : "");
    }
    if (err == GW_OK && request->severity > SEVERITY_MAX) {
        err = gw_error_set(error, GW_EINVAL,
                           "severity is %u: give 1 (minor) to 4 (grave), or 0 for the usual 2",
                           request->severity);
    }
    if (err == GW_OK && protobuf_c_enum_descriptor_get_value(&gridwarden__v1__channel__descriptor,
                                                             (int)request->channel) == NULL) {
        err = gw_error_set(error, GW_EINVAL, "channel %d is not known: use one of Channel's values",
                           (int)request->channel);
    }
    if (err == GW_OK) {
        err = check_text("address", request->address, GW_ADDRESS_MAX, error);
    }
    if (err == GW_OK) {
        err = check_text("description", request->description, GW_DESCRIPTION_MAX, error);
    }
    if (err == GW_OK && request->actor != NULL && request->actor[0] != '\0') {
        err = gw_incident_check_actor(request->actor, error);
    }
    if (err == GW_OK && request->point == NULL &&
        (request->address == NULL || request->address[0] == '\0')) {
        err = gw_error_set(error, GW_EINVAL, "point and address are missing: give one of them");
    }
    return err;
}
