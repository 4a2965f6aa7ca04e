// Diagnostic lines for operators: one line each on standard error, human or JSON.
//
// Fields are "key=value" words, printf-style; a value with blanks is quoted by the caller with %s
// inside single quotes. Never pass personal data or secrets: names, texts, addresses stay out.
#ifndef GW_SERVICES_BASE_DIAG_H
#define GW_SERVICES_BASE_DIAG_H

#include <stdbool.h>

enum gw_level { GW_DEBUG, GW_INFO, GW_WARNING, GW_ERROR };

// Set once at start, before threads.
void gw_diag_setup(bool json, enum gw_level level_min);

// `event`: a few constant words; `trace_id`: 32 hex digits or NULL.
void gw_diag(enum gw_level level, const char *trace_id, const char *event, const char *fields, ...)
    __attribute__((format(printf, 4, 5)));

#endif
