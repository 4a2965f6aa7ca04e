#include "services/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Cuts an incomplete UTF-8 sequence off the end of a text that filled its buffer.
static void trim_partial_sequence(char *text) {
    size_t size = strlen(text);
    size_t start = size;
    while (start > 0 && size - start < 4 && ((unsigned char)text[start - 1] & 0xc0u) == 0x80u) {
        start--;
    }
    if (start == 0) {
        return;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xf0u ? 4 : lead >= 0xe0u ? 3 : lead >= 0xc0u ? 2 : 1;
    if (size - (start - 1) < need) {
        text[start - 1] = '\0';
    }
}

gw_err gw_error_set(struct gw_error *error, gw_err code, const char *format, ...) {
    if (error == NULL) {
        return code;
    }
    char text[GW_ERROR_TEXT_MAX]; // the arguments may point into `error` itself
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0) {
        text[0] = '\0';
    } else if ((size_t)length >= sizeof(text)) {
        trim_partial_sequence(text);
    }
    error->code = code;
    memcpy(error->text, text, sizeof(text));
    return code;
}
