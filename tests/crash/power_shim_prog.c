// Plays a small script of file operations, for power_shim_test. Words are separated by blanks,
// steps by ";"; files stay open under their names.
//
//   c F    create, empty if there       o F     open for writing     y F     create with O_SYNC
//   w F N  append N bytes               p F O N write N at offset O  t F N   cut or grow to N
//   s F    fsync       d F  fdatasync   S D     fsync a folder       x F     close
//   r A B  rename      l A B  link      u F     unlink or rmdir      m D     make a folder
//   f F N  fopen "w" and N bytes        a F N   fopen "a" and N      k       die (kill -9)
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 16
#define WORDS_MAX 4

static struct {
    char name[32];
    int fd;
} files[FILES_MAX];
static int file_count;

static int fd_of(const char *name) {
    for (int i = file_count - 1; i >= 0; i--) {
        if (strcmp(files[i].name, name) == 0) {
            return files[i].fd;
        }
    }
    return -1;
}

static int keep(const char *name, int fd) {
    if (fd >= 0 && file_count < FILES_MAX) {
        snprintf(files[file_count].name, sizeof files[0].name, "%s", name);
        files[file_count++].fd = fd;
    }
    return fd;
}

static int put(int fd, long size, long offset) {
    static char bytes[65536];
    memset(bytes, 'x', sizeof bytes);
    long written =
        offset < 0 ? write(fd, bytes, (size_t)size) : pwrite(fd, bytes, (size_t)size, offset);
    return written == size ? 0 : -1;
}

static int put_stream(const char *name, const char *mode, long size) {
    FILE *stream = fopen(name, mode);
    if (stream == NULL) {
        return -1;
    }
    for (long i = 0; i < size; i++) {
        fputc('x', stream);
    }
    int result = fflush(stream);
    keep(name, fileno(stream)); // stays open
    return result;
}

static int sync_folder(const char *name) {
    int fd = open(name, O_RDONLY | O_DIRECTORY);
    int result = fd < 0 ? -1 : fsync(fd);
    close(fd);
    return result;
}

static int step(char **word) {
    const char *name = word[1];
    long first = word[2] == NULL ? 0 : strtol(word[2], NULL, 10);
    switch (*word[0]) {
    case 'c':
        return keep(name, open(name, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600));
    case 'o':
        return keep(name, open(name, O_WRONLY | O_APPEND));
    case 'y':
        return keep(name, open(name, O_CREAT | O_WRONLY | O_SYNC, 0600));
    case 'w':
        return put(fd_of(name), first, -1);
    case 'p':
        return put(fd_of(name), strtol(word[3], NULL, 10), first);
    case 't':
        return ftruncate(fd_of(name), first);
    case 's':
        return fsync(fd_of(name));
    case 'd':
        return fdatasync(fd_of(name));
    case 'S':
        return sync_folder(name);
    case 'x':
        return close(fd_of(name));
    case 'r':
        return rename(name, word[2]);
    case 'l':
        return link(name, word[2]);
    case 'u':
        return remove(name);
    case 'm':
        return mkdir(name, 0700);
    case 'f':
        return put_stream(name, "w", first);
    case 'a':
        return put_stream(name, "a", first);
    case 'k':
        return raise(SIGKILL);
    }
    return -1;
}

// power_shim_prog FOLDER SCRIPT
int main(int argc, char **argv) {
    if (argc != 3 || chdir(argv[1]) != 0) {
        return 2;
    }
    char *rest = NULL;
    for (char *text = strtok_r(argv[2], ";", &rest); text != NULL;
         text = strtok_r(NULL, ";", &rest)) {
        char *words[WORDS_MAX + 1] = {NULL}, *inner = NULL;
        int count = 0;
        for (char *word = strtok_r(text, " ", &inner); word != NULL && count < WORDS_MAX;
             word = strtok_r(NULL, " ", &inner)) {
            words[count++] = word;
        }
        if (count > 0 && step(words) < 0) {
            perror(text);
            return 1;
        }
    }
    return 0;
}
