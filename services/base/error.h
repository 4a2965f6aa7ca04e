// An error as the shell carries it: a code and words that tell the user what to do.
//
// Filled once, where the fault is seen; callers pass it on. NULL is allowed wherever one is asked
// for, and then only the code is returned.
#ifndef GW_SERVICES_BASE_ERROR_H
#define GW_SERVICES_BASE_ERROR_H

#include "geo/err.h"

#define GW_ERROR_TEXT_MAX 320

struct gw_error {
    gw_err code;
    char text[GW_ERROR_TEXT_MAX];
};

// Stores code and text (cut to fit on a UTF-8 boundary) and returns the code.
gw_err gw_error_set(struct gw_error *error, gw_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
