// Error codes of the whole system: one list that also yields the text and the gRPC status.
//
// Functions return `gw_err`; GW_OK is 0. The pure rooms return codes only; the shell adds words
// (services/base/error.h).
#ifndef GW_GEO_ERR_H
#define GW_GEO_ERR_H

#if defined(__GNUC__)
#define GW_MUST_CHECK __attribute__((warn_unused_result))
#else
#define GW_MUST_CHECK
#endif

// X(name, gRPC status code, text)
#define GW_ERR_LIST(X)                                                                             \
    X(GW_OK, 0, "ok")                                                                              \
    X(GW_ECANCELLED, 1, "cancelled")                                                               \
    X(GW_EINVAL, 3, "invalid argument")                                                            \
    X(GW_EDEADLINE, 4, "deadline exceeded")                                                        \
    X(GW_ENOTFOUND, 5, "not found")                                                                \
    X(GW_EEXISTS, 6, "already exists")                                                             \
    X(GW_EPERM, 7, "permission denied")                                                            \
    X(GW_ENOSPC, 8, "limit reached")                                                               \
    X(GW_ENOMEM, 8, "out of memory")                                                               \
    X(GW_ESTATE, 9, "not possible in this state")                                                  \
    X(GW_EABORTED, 10, "aborted")                                                                  \
    X(GW_ERANGE, 11, "out of range")                                                               \
    X(GW_EUNSUPPORTED, 12, "not supported")                                                        \
    X(GW_EINTERNAL, 13, "internal error")                                                          \
    X(GW_EUNAVAILABLE, 14, "unavailable")                                                          \
    X(GW_EIO, 14, "input/output error")                                                            \
    X(GW_ECORRUPT, 15, "data damaged")

#define GW_ERR_ENUM_ROW(name, status, text) name,
typedef enum gw_err { GW_ERR_LIST(GW_ERR_ENUM_ROW) GW_ERR_COUNT } gw_err;
#undef GW_ERR_ENUM_ROW

// A few lower-case words, for people. Never NULL.
const char *gw_err_text(gw_err err);

// The gRPC status code, 0 .. 16.
int gw_err_grpc_status(gw_err err);

#endif
