#include "services/rpc/library.h"

#include "services/base/diag.h"
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 400

// gRPC's texts hold line breaks and quotes, which would break our one line.
static void log_line(gpr_log_func_args *args) {
    char text[LINE_MAX_BYTES];
    size_t length = strlen(args->message);
    length = length < sizeof(text) ? length : sizeof(text) - 1;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)args->message[i];
        text[i] = args->message[i];
        if (byte < ' ' || byte == '\'' || byte == '"' || byte == '\\' || byte > '~') {
            text[i] = ' ';
        }
    }
    text[length] = '\0';
    const char *file = strrchr(args->file, '/');
    enum gw_level level = args->severity == GPR_LOG_SEVERITY_ERROR ? GW_WARNING : GW_DEBUG;
    gw_diag(level, NULL, "grpc", "at=%s:%d text='%s'", file != NULL ? file + 1 : args->file,
            args->line, text);
}

static void start(void) {
    gpr_set_log_function(log_line);
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    grpc_init();
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void gw_rpc_library_start(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, start);
}
