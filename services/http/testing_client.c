#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/http/testing_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 30 // a test that would hang fails instead

int client_connect(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    struct timeval limit = {.tv_sec = PATIENCE_S};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int err = connect(fd, (struct sockaddr *)&to, sizeof(to));
    assert(err == 0);
    (void)err;
    return fd;
}

void client_drop(int fd) {
    struct linger hard = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    (void)close(fd);
}

void client_send(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
}

void client_send_text(int fd, const char *text) {
    client_send(fd, text, strlen(text));
}

// Reads one byte after the other up to the end of the headers, so that nothing of the next answer
// is taken.
static char *read_head(int fd) {
    size_t size = 0, capacity = 65536;
    char *head = malloc(capacity);
    assert(head != NULL);
    while (size + 1 < capacity && recv(fd, head + size, 1, 0) == 1) {
        size++;
        if (size >= 4 && memcmp(head + size - 4, "\r\n\r\n", 4) == 0) {
            break;
        }
    }
    head[size] = '\0';
    return head;
}

struct client_answer client_read(int fd, bool no_body) {
    struct client_answer answer = {.head = read_head(fd)};
    if (strncmp(answer.head, "HTTP/1.", 7) == 0) {
        answer.status = (int)strtol(answer.head + 9, NULL, 10);
    }
    const char *length = client_header(&answer, "Content-Length");
    answer.size =
        length != NULL && !no_body && answer.status != 304 ? (size_t)strtoul(length, NULL, 10) : 0;
    answer.body = calloc(1, answer.size + 1);
    assert(answer.body != NULL);
    size_t got = 0;
    while (got < answer.size) {
        ssize_t part = recv(fd, answer.body + got, answer.size - got, 0);
        if (part <= 0) {
            answer.status = 0; // cut short
            break;
        }
        got += (size_t)part;
    }
    return answer;
}

void client_free(struct client_answer *answer) {
    free(answer->head);
    free(answer->body);
    *answer = (struct client_answer){0};
}

const char *client_header(const struct client_answer *answer, const char *name) {
    static char value[4096];
    size_t size = strlen(name);
    for (const char *line = strstr(answer->head, "\r\n"); line != NULL;
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, size) == 0 && line[2 + size] == ':') {
            const char *text = line + 3 + size;
            text += strspn(text, " ");
            (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(text, "\r"), text);
            return value;
        }
    }
    return NULL;
}

void client_expect_header(const struct client_answer *answer, const char *name, const char *value) {
    const char *found = client_header(answer, name);
    if ((found == NULL) != (value == NULL) || (value != NULL && strcmp(found, value) != 0)) {
        fail_msg("%s is %s, not %s, in\n%s", name, found != NULL ? found : "(none)",
                 value != NULL ? value : "(none)", answer->head);
    }
}

struct client_answer client_ask(int port, const char *method, const char *path, const char *headers,
                                const char *body) {
    size_t capacity = strlen(path) + strlen(headers) + strlen(body) + 512;
    char *request = malloc(capacity);
    assert(request != NULL);
    char length[64] = "";
    if (body[0] != '\0') {
        (void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
    }
    (void)snprintf(request, capacity, "%s %s HTTP/1.1\r\n%s%s%sConnection: close\r\n\r\n%s", method,
                   path, strstr(headers, "Host:") == NULL ? "Host: localhost\r\n" : "", headers,
                   length, body);
    int fd = client_connect(port);
    client_send_text(fd, request);
    free(request);
    struct client_answer answer = client_read(fd, strcmp(method, "HEAD") == 0);
    (void)close(fd);
    return answer;
}

bool client_read_until(int fd, const char *wanted, char *text, size_t capacity) {
    size_t size = strlen(text);
    while (strstr(text, wanted) == NULL) {
        ssize_t got = size + 1 < capacity ? recv(fd, text + size, capacity - 1 - size, 0) : 0;
        if (got <= 0) {
            return false;
        }
        size += (size_t)got;
        text[size] = '\0';
    }
    return true;
}
