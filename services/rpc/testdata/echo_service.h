// A service for the tests of services/rpc, over gridwarden.v1.Area messages.
//
// Echo (unary), by the request's code:
//   ""       answered at once with the same message
//   "later"  the same, from another thread
//   "hold"   answered when echo_release is called
//   "big"    answered with a name of `level` bytes
//   "fail"   fails with the status number `level` and the name as text
//   "block"  keeps the loop thread until echo_release is called, then answers
//   "trace"  answered with the call's trace id as the name
// Count (server stream), by the request's code:
//   ""       `level` messages, numbered from 0, each with the request's name; then the end
//   "thread" the same, sent by another thread
//   "fail"   `level` messages, then NOT_FOUND
//   "open"   says nothing until echo_tell, and stays open
//   "huge"   one message with a name of `level` bytes
// Sum (client stream): answers with the sum of the levels, and the number of messages as the name;
// a code of "later" in any message: from another thread; of "early": at once, before the end.
#ifndef GW_SERVICES_RPC_TESTDATA_ECHO_SERVICE_H
#define GW_SERVICES_RPC_TESTDATA_ECHO_SERVICE_H

#include "services/rpc/server.h"

#define ECHO_PATH "/gridwarden.test.v1.EchoService/Echo"
#define COUNT_PATH "/gridwarden.test.v1.EchoService/Count"
#define SUM_PATH "/gridwarden.test.v1.EchoService/Sum"

struct echo;

struct echo_facts {
    uint32_t unary_started;  // Echo handlers that ran
    uint32_t held;           // calls that wait for echo_release
    uint32_t held_cancelled; // of those, how many clients have gone
    uint32_t stream_started, stream_done;
    uint32_t full;             // sends that were refused for a full outbox
    uint32_t writable;         // on_writable calls
    uint32_t finished[17];     // what the observer saw, by status
    uint32_t finished_unknown; // of methods that are not registered
};

extern const struct gw_rpc_method echo_methods[3];

struct echo *echo_create(void);
void echo_destroy(struct echo *echo); // after the server has ended
struct gw_rpc_observer echo_observer(struct echo *echo);
struct echo_facts echo_facts(struct echo *echo);
// Waits until `reached` is true of the facts, up to 20 s; the last facts are left in *facts.
bool echo_wait(struct echo *echo, bool (*reached)(const struct echo_facts *facts),
               struct echo_facts *facts);
void echo_release(struct echo *echo);              // answers what is held, also what comes later
void echo_tell(struct echo *echo, uint32_t level); // a message on each open stream

#endif
