// The other names of the wrapped functions: 64-bit offsets, and what the C library calls with
// checks.
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

static mode_t mode_argument(int flags, va_list arguments) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

EXPORT int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return open(path, flags, mode);
}

EXPORT int openat64(int dir, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return openat(dir, path, flags, mode);
}

EXPORT int __open_2(const char *path, int flags) {
    return open(path, flags, 0);
}

EXPORT int __open64_2(const char *path, int flags) {
    return open(path, flags, 0);
}

EXPORT int __openat_2(int dir, const char *path, int flags) {
    return openat(dir, path, flags, 0);
}

EXPORT int __openat64_2(int dir, const char *path, int flags) {
    return openat(dir, path, flags, 0);
}

EXPORT int creat64(const char *path, mode_t mode) {
    return creat(path, mode);
}

EXPORT FILE *fopen64(const char *restrict path, const char *restrict mode) {
    return fopen(path, mode);
}

EXPORT FILE *freopen64(const char *restrict path, const char *restrict mode,
                       FILE *restrict stream) {
    return freopen(path, mode, stream);
}

EXPORT int mkstemp(char *template) {
    return mkostemps(template, 0, 0);
}

EXPORT int mkstemp64(char *template) {
    return mkostemps(template, 0, 0);
}

EXPORT int mkostemp(char *template, int flags) {
    return mkostemps(template, 0, flags);
}

EXPORT int mkostemp64(char *template, int flags) {
    return mkostemps(template, 0, flags);
}

EXPORT int mkstemps(char *template, int suffix) {
    return mkostemps(template, suffix, 0);
}

EXPORT int mkstemps64(char *template, int suffix) {
    return mkostemps(template, suffix, 0);
}

EXPORT int mkostemps64(char *template, int suffix, int flags) {
    return mkostemps(template, suffix, flags);
}

EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    return pwrite(fd, bytes, size, offset);
}

EXPORT ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    return pwritev(fd, parts, count, offset);
}

EXPORT int ftruncate64(int fd, off64_t size) {
    return ftruncate(fd, size);
}

EXPORT int truncate64(const char *path, off64_t size) {
    return truncate(path, size);
}
