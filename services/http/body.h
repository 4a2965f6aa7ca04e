// The JSON body of a POST as the request of the shard that it asks for. Pure.
//
//   report   {"request_id", "lon", "lat", "class", "severity", "channel", "address", "description",
//             "actor"}; lon and lat both or neither, and then an address
//   action   {"request_id", "actor"}, with "reason" for decline and "note" for resolve and close
//
// Errors: GW_EINVAL and GW_ERANGE name the member. What the shard checks itself (lengths of texts,
//         the state of an incident) is left to it.
#ifndef GW_SERVICES_HTTP_BODY_H
#define GW_SERVICES_HTTP_BODY_H

#include "services/base/error.h"
#include "services/incidents/policy.h"
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct http_body; // a request with all that it points to

const ProtobufCMessage *http_body_message(const struct http_body *body);
void http_body_free(struct http_body *body); // accepts NULL

// `policy` NULL: classes are not checked here.
GW_MUST_CHECK gw_err http_body_report(const char *text, size_t size, const struct gw_policy *policy,
                                      struct http_body **body, struct gw_error *error);
// GW_ENOTFOUND: there is no such action.
GW_MUST_CHECK gw_err http_body_action(const char *action, const char *incident_id, const char *text,
                                      size_t size, struct http_body **body, struct gw_error *error);

#endif
