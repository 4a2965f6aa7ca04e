// A client on raw sockets for this room's tests: it can send what no decent client would.
#ifndef GW_SERVICES_HTTP_TESTING_CLIENT_H
#define GW_SERVICES_HTTP_TESTING_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

// A connection to 127.0.0.1 that gives up reading after 30 s; asserts that it is made.
int client_connect(int port);
// Closes at once and hard, so that the server's next write fails.
void client_drop(int fd);
// All of it, unless the server closes before.
void client_send(int fd, const char *bytes, size_t size);
void client_send_text(int fd, const char *text);

// An answer; its bytes lie in one block that client_free gives back.
struct client_answer {
    int status; // 0: none came
    char *head; // status line and headers, NUL-terminated
    char *body; // NUL-terminated
    size_t size;
};
// One answer with its body, by Content-Length; `no_body`: of a HEAD. Asserts nothing.
struct client_answer client_read(int fd, bool no_body);
void client_free(struct client_answer *answer);
// The value of a header up to the line's end, in a static buffer; NULL: not there.
const char *client_header(const struct client_answer *answer, const char *name);
// Fails the test unless the header has this value; NULL: unless it is not there.
void client_expect_header(const struct client_answer *answer, const char *name, const char *value);

// One request on a connection of its own. `headers`: lines with "\r\n" each, "" for none; "Host:
// localhost" is added where there is no Host.
struct client_answer client_ask(int port, const char *method, const char *path, const char *headers,
                                const char *body);

// Reads until `wanted` has come, or the stream ends (false); appends to text, which has `capacity`.
bool client_read_until(int fd, const char *wanted, char *text, size_t capacity);

#endif
