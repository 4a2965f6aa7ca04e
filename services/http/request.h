// What the files of this room share: a request on its way, a route's row, the server.
#ifndef GW_SERVICES_HTTP_REQUEST_H
#define GW_SERVICES_HTTP_REQUEST_H

#include "services/http/files.h"
#include "services/http/http.h"
#include "services/http/reply.h"
#include "services/http/stream.h"
#include "services/http/target.h"
#include <stdatomic.h>

struct http_request;

enum http_access {
    HTTP_OPEN,    // any website's scripts may read it
    HTTP_OWN,     // pages of this node alone, asked for by a name of this node
    HTTP_MACHINE, // for other programs: no rules about websites, and parameters are passed over
};

struct http_route {
    const char *pattern; // see http_target_fits
    bool post;           // POST with a JSON body; else GET and HEAD
    enum http_access access;
    const char *const *parameters; // that the query may have, NULL-terminated; NULL: none
    // Fills request->reply, or calls http_request_wait and answers later.
    void (*answer)(struct http_request *request);
    // Fills request->reply when the waiting is over; NULL: `answer` never waits.
    void (*outcome)(struct http_request *request);
};

// What a request waits for; where its answer is, http_request_done has been called.
struct http_request {
    struct gw_http_server *server;
    struct MHD_Connection *connection;
    const char *method;
    const struct http_route *route; // NULL: a file, or nothing
    struct http_target target;
    struct http_reply reply;
    int64_t began_ns;
    bool seen, refused; // by the first call; refused: the reply is there
    bool waits;         // for http_request_done
    bool too_long;      // the target was
    atomic_int state;   // of waiting, see request.c
    struct gw_buffer body;
    size_t body_dropped; // bytes past the limit
    // Of a request that waits, for the one who answers.
    void *work;
    void (*work_free)(void *work);
    const struct gw_tile *tile;
    struct gw_error error; // GW_OK, or why there is no answer
    char text[];           // of the target
};

struct gw_http_server {
    struct gw_http_options options;
    struct gw_map_config map;
    struct gw_http_config config;
    struct MHD_Daemon *daemon;
    struct http_files *files; // NULL: no web folder
    struct http_streams streams;
    struct http_deadlines *deadlines;
    int port;
    char policy[4096];     // Content-Security-Policy of pages
    pthread_mutex_t mutex; // of the end of waiting
    pthread_cond_t idle;
    atomic_uint waiting; // requests that others will call http_request_done for
    atomic_bool ending;
    struct http_meters *meters;
};

// --- routes.c ---
uint32_t http_route_count(void);
const struct http_route *http_route_at(uint32_t index);
// The row of this path and method. NULL: none; *allow is then the methods that the path has, or
// NULL where there is no such path.
const struct http_route *http_route_find(const struct http_target *target, const char *method,
                                         const char **allow);

// --- request.c ---
const char *http_request_header(struct http_request *request, const char *name);
// A part of the path, by its name in the route's pattern.
const char *http_request_part(struct http_request *request, const char *name);
const char *http_request_parameter(struct http_request *request, const char *name);
void http_request_refuse(struct http_request *request, unsigned status, const char *message);
// With request->error.
void http_request_fail(struct http_request *request);
// Whether the request may have what is not for every website; else it is refused (403, 421).
bool http_request_is_own(struct http_request *request);
// "http://host", of a Host that is sound; else the request is refused.
bool http_request_base(struct http_request *request, char *base, size_t size);
// Sets the entity tag, and the status to 304 when the client has it already. The body is to be made
// all the same: it isn't sent then, but its length is told, as it must be the right one.
void http_request_tag(struct http_request *request, const char *etag);

// Before work is handed to others, who will call http_request_done once: false when the server is
// ending, and the request is refused then.
bool http_request_wait(struct http_request *request);
// From any thread: the outcome lies in the request. The request is not touched any more after it.
void http_request_done(struct http_request *request);
// In place of http_request_done, in the thread of the request: nobody took the work.
void http_request_wait_not(struct http_request *request);

// For the server alone, in the thread of the request: false when the outcome is there already; else
// the connection is suspended until it is.
bool http_request_suspend(struct http_request *request);

// --- the routes ---
typedef void http_answer(struct http_request *request);
http_answer http_answer_metrics, http_answer_health, http_answer_ready;
http_answer http_answer_tile, http_answer_tiles_list, http_answer_tilejson, http_answer_style;
http_answer http_answer_city, http_answer_locate, http_answer_grid, http_answer_people;
http_answer http_answer_area, http_answer_search, http_answer_nearest, http_answer_worker;
http_answer http_answer_incidents, http_answer_incident, http_answer_report, http_answer_act;
http_answer http_answer_live;
http_answer http_tile_outcome, http_report_outcome, http_act_outcome;
// Whether the published edition has a grid of this code; else the request is refused (404).
bool http_request_knows_grid(struct http_request *request, const char *code);
// A file of the web folder, or 404.
http_answer http_answer_file;

#endif
