// Messages that must outlive the visit that showed them: unpacked copies in a list.
#ifndef GW_SERVICES_API_COPIES_H
#define GW_SERVICES_API_COPIES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

// Zero-initialised is empty; api_copies_free gives everything back.
struct api_copies {
    ProtobufCMessage **messages;
    size_t count, capacity;
    bool failed; // out of memory: some message is missing
};

// Adds a copy; false (and `failed`) when there is no memory, so that it can end a visit.
bool api_copies_add(struct api_copies *copies, const ProtobufCMessage *message);
void api_copies_free(struct api_copies *copies);

#endif
