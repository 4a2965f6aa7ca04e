// What can be asked of a shard: the known request types, and one request on its way.
#ifndef GW_SERVICES_SHARD_COMMAND_H
#define GW_SERVICES_SHARD_COMMAND_H

#include "services/shard/place.h"
#include "services/shard/shard.h"

#define COMMAND_HASH_SIZE 16u

// The first ones are those of incidents, by the same numbers.
enum command_kind {
    COMMAND_EXPIRE = GW_INCIDENT_EXPIRE,
    COMMAND_UPSERT_WORKERS = GW_INCIDENT_COMMAND_COUNT,
    COMMAND_SET_DUTY,
    COMMAND_STAGE_EDITION,
    COMMAND_PUBLISH_EDITION,
    COMMAND_KIND_COUNT
};

struct command {
    struct command *next;
    struct gw_shard_command caller;
    int kind;               // of enum command_kind or enum gw_incident_command_kind
    const char *request_id; // in the request, as are all strings here
    unsigned char hash[COMMAND_HASH_SIZE];
    const char *incident_id;             // "" for a report
    struct gw_incident_command incident; // for commands of incidents
    struct place place;                  // where it has a point
};

// Of a request; COMMAND_KIND_COUNT: not a known type.
int command_kind(const ProtobufCMessage *request);
const char *command_name(int kind);
// What the command is answered with.
const ProtobufCMessageDescriptor *command_response(int kind);

// Checks the request's own fields, finds its place, and makes a command of it. GW_EUNSUPPORTED: not
// a known type. The caller frees *command with command_free.
GW_MUST_CHECK gw_err command_create(const struct gw_shard_command *caller,
                                    const struct gw_edition *edition,
                                    const struct gw_policy *policy, struct command **command,
                                    struct gw_error *error);
void command_free(struct command *command); // with the edition that came with it; accepts NULL

#endif
