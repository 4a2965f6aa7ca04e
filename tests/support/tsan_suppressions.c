// Debian's gRPC, abseil and RocksDB are not built with ThreadSanitizer, which then reports races
// that it only imagines. Our own code stays watched.
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void) {
    return "race:libgrpc.so\nrace:libgpr.so\nrace:libabsl_\nmutex:libabsl_\ndeadlock:libabsl_\n"
           "race:librocksdb.so\nmutex:librocksdb.so\ndeadlock:librocksdb.so\n"
           "race:libmicrohttpd.so\ncalled_from_lib:libgrpc.so\n";
}
