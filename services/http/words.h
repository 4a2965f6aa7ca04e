// Words of the proto's enums as answers show them: INCIDENT_STATE_OFFERED is "OFFERED".
#ifndef GW_SERVICES_HTTP_WORDS_H
#define GW_SERVICES_HTTP_WORDS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

// "" for a number that is none of the enum's.
const char *http_word(const ProtobufCEnumDescriptor *type, int value);
// The number of a word. False: no such word, or that of UNSPECIFIED.
bool http_word_value(const ProtobufCEnumDescriptor *type, const char *word, int *value);

#endif
