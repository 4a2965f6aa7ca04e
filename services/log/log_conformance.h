// What every engine behind log.h must do, as cmocka tests that any engine's own test runs.
#ifndef GW_SERVICES_LOG_LOG_CONFORMANCE_H
#define GW_SERVICES_LOG_LOG_CONFORMANCE_H

#include "services/log/log.h"

// How the tests get at an engine. Each test begins with `make` and ends with `drop`; in between it
// opens and closes the log, which keeps its contents.
struct log_factory {
    const char *name;
    void *context;
    // A new, empty log, not opened yet.
    void (*make)(void *context);
    // Opens it. *store is where its views are read.
    gw_err (*open)(void *context, struct gw_log **log, struct gw_store **store,
                   struct gw_error *error);
    // Closes log and store.
    void (*close)(void *context, struct gw_log *log);
    void (*drop)(void *context);
    // Makes the next append fail as the engine's medium would (NULL: it has no way to).
    void (*break_next_append)(void *context);
};

// Runs all tests against the engine; returns how many failed, as cmocka does.
int log_conformance_run(const struct log_factory *factory);

#endif
