// Writing JSON: the one thing that needs care is text.
#ifndef GW_SERVICES_BASE_JSON_H
#define GW_SERVICES_BASE_JSON_H

#include "services/base/buffer.h"

// Appends `text` as a JSON string, quotes included. Control characters, quotes and backslashes are
// escaped; UTF-8 stays as it is, and bytes that are no UTF-8 become U+FFFD, one for each, so that
// what is written is valid JSON whatever the text.
void gw_json_text(struct gw_buffer *out, const char *text);

#endif
