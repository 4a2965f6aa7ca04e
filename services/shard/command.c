#include "services/shard/command.h"

#include "gridwarden/v1/edition.pb-c.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct type {
    const char *name; // of the method, for metrics
    const ProtobufCMessageDescriptor *request, *response;
};

static const struct type types[COMMAND_KIND_COUNT] = {
    [GW_INCIDENT_REPORT] = {"Report", &gridwarden__v1__report_request__descriptor,
                            &gridwarden__v1__report_response__descriptor},
    [GW_INCIDENT_SET_PLACE] = {"SetPlace", &gridwarden__v1__set_place_request__descriptor,
                               &gridwarden__v1__set_place_response__descriptor},
    [GW_INCIDENT_ACCEPT] = {"Accept", &gridwarden__v1__accept_request__descriptor,
                            &gridwarden__v1__accept_response__descriptor},
    [GW_INCIDENT_DECLINE] = {"Decline", &gridwarden__v1__decline_request__descriptor,
                             &gridwarden__v1__decline_response__descriptor},
    [GW_INCIDENT_START] = {"Start", &gridwarden__v1__start_request__descriptor,
                           &gridwarden__v1__start_response__descriptor},
    [GW_INCIDENT_RESOLVE] = {"Resolve", &gridwarden__v1__resolve_request__descriptor,
                             &gridwarden__v1__resolve_response__descriptor},
    [GW_INCIDENT_CLOSE] = {"Close", &gridwarden__v1__close_request__descriptor,
                           &gridwarden__v1__close_response__descriptor},
    [COMMAND_EXPIRE] = {"Expire", NULL, NULL},
    [COMMAND_UPSERT_WORKERS] = {"UpsertWorkers",
                                &gridwarden__v1__upsert_workers_request__descriptor,
                                &gridwarden__v1__upsert_workers_response__descriptor},
    [COMMAND_SET_DUTY] = {"SetDuty", &gridwarden__v1__set_duty_request__descriptor,
                          &gridwarden__v1__set_duty_response__descriptor},
    [COMMAND_STAGE_EDITION] = {"UploadEdition", &gridwarden__v1__upload_header__descriptor,
                               &gridwarden__v1__upload_response__descriptor},
    [COMMAND_PUBLISH_EDITION] = {"PublishEdition", &gridwarden__v1__publish_request__descriptor,
                                 &gridwarden__v1__publish_response__descriptor},
};

const char *command_name(int kind) {
    return types[kind].name;
}

const ProtobufCMessageDescriptor *command_response(int kind) {
    return types[kind].response;
}

int command_kind(const ProtobufCMessage *request) {
    int kind = 0;
    while (kind < COMMAND_KIND_COUNT && types[kind].request != request->descriptor) {
        kind++;
    }
    return kind;
}

// A string field of the request; "" if it has none of that name.
static const char *text_field(const ProtobufCMessage *request, const char *name) {
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(request->descriptor, name);
    if (field == NULL || field->type != PROTOBUF_C_TYPE_STRING) {
        return "";
    }
    const char *const *text = (const void *)((const char *)request + field->offset);
    return *text != NULL ? *text : "";
}

static gw_err hash_request(const struct gw_shard_command *caller, struct command *command,
                           struct gw_error *error) {
    const char *method = types[command->kind].name;
    XXH64_hash_t seed = XXH3_64bits(method, strlen(method));
    XXH128_canonical_t canonical;
    size_t size = caller->size;
    unsigned char *packed = NULL;
    if (caller->bytes == NULL) { // asked for inside this process, never packed
        size = protobuf_c_message_get_packed_size(caller->request);
        packed = malloc(size + 1u);
        if (packed == NULL) {
            return gw_error_set(error, GW_ENOMEM, "out of memory: try again later");
        }
        (void)protobuf_c_message_pack(caller->request, packed);
    }
    const void *bytes = caller->bytes != NULL ? caller->bytes : packed;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(bytes, size, seed));
    memcpy(command->hash, canonical.digest, COMMAND_HASH_SIZE);
    free(packed);
    return GW_OK;
}

// Names that stand for something else in an incident's handler and trail.
static gw_err check_worker_ids(const Gridwarden__V1__UpsertWorkersRequest *request,
                               struct gw_error *error) {
    for (size_t i = 0; i < request->n_workers; i++) {
        const char *id = request->workers[i]->id;
        if (strncmp(id, GW_DESK_PREFIX, strlen(GW_DESK_PREFIX)) == 0 ||
            strcmp(id, GW_ACTOR_SYSTEM) == 0 || strcmp(id, GW_ACTOR_ANONYMOUS) == 0) {
            return gw_error_set(error, GW_EINVAL,
                                "workers[%zu].id \"%.64s\" is reserved: give another id that does "
                                "not begin with \"%s\"",
                                i, id, GW_DESK_PREFIX);
        }
    }
    return GW_OK;
}

static gw_err read_incident_fields(const ProtobufCMessage *request, const struct gw_policy *policy,
                                   struct command *command, struct gw_error *error) {
    const Gridwarden__V1__Point *point = NULL;
    struct gw_incident_command *incident = &command->incident;
    incident->kind = (enum gw_incident_command_kind)command->kind;
    incident->actor = text_field(request, "actor");
    incident->text = command->kind == GW_INCIDENT_DECLINE ? text_field(request, "reason")
                                                          : text_field(request, "note");
    command->incident_id = text_field(request, "incident_id");
    if (command->kind == GW_INCIDENT_REPORT) {
        incident->report = (const Gridwarden__V1__ReportRequest *)request;
        point = incident->report->point;
        gw_err err = gw_incident_check_report(incident->report, policy, error);
        if (err != GW_OK) {
            return err;
        }
    } else {
        gw_err err = gw_incident_check_id("incident_id", command->incident_id, error);
        if (err != GW_OK) {
            return err;
        }
        if (command->kind == GW_INCIDENT_SET_PLACE) {
            point = ((const Gridwarden__V1__SetPlaceRequest *)request)->point;
        }
    }
    if (point == NULL) {
        return GW_OK; // gw_incident_permit says where one is needed
    }
    incident->has_point = true;
    return gw_incident_check_point(point, &incident->point, error);
}

gw_err command_create(const struct gw_shard_command *caller, const struct gw_edition *edition,
                      const struct gw_policy *policy, struct command **out,
                      struct gw_error *error) {
    int kind = command_kind(caller->request);
    if (kind == COMMAND_KIND_COUNT) {
        return gw_error_set(error, GW_EUNSUPPORTED, "%s is not a write that a shard knows",
                            caller->request->descriptor->name);
    }
    struct command *command = calloc(1, sizeof(*command));
    if (command == NULL) {
        return gw_error_set(error, GW_ENOMEM, "out of memory: try again later");
    }
    command->caller = *caller;
    command->kind = kind;
    command->request_id = text_field(caller->request, "request_id");
    command->incident_id = "";
    gw_err err = gw_incident_check_request_id(command->request_id, error);
    if (err == GW_OK && kind == COMMAND_UPSERT_WORKERS) {
        err =
            check_worker_ids((const Gridwarden__V1__UpsertWorkersRequest *)caller->request, error);
    }
    if (err == GW_OK && kind < GW_INCIDENT_COMMAND_COUNT) {
        err = read_incident_fields(caller->request, policy, command, error);
    }
    if (err == GW_OK && command->incident.has_point) {
        err = place_find(edition, command->incident.point, &command->place, error);
    }
    if (err == GW_OK) {
        err = hash_request(caller, command, error);
    }
    if (err != GW_OK) {
        free(command); // the edition stays the caller's
        return err;
    }
    *out = command;
    return GW_OK;
}

void command_free(struct command *command) {
    if (command != NULL) {
        gw_edition_close(command->caller.edition);
        free(command);
    }
}
