#include "geo/err.h"

static const struct {
    int status;
    const char *text;
} rows[GW_ERR_COUNT] = {
#define GW_ERR_TABLE_ROW(name, code, words) [name] = {code, words},
    GW_ERR_LIST(GW_ERR_TABLE_ROW)
#undef GW_ERR_TABLE_ROW
};

const char *gw_err_text(gw_err err) {
    return (unsigned)err < GW_ERR_COUNT ? rows[err].text : "unknown error";
}

int gw_err_grpc_status(gw_err err) {
    return (unsigned)err < GW_ERR_COUNT ? rows[err].status : 2;
}
