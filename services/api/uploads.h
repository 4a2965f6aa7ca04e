// Edition files on their way in: the streams of EditionService.Upload.
#ifndef GW_SERVICES_API_UPLOADS_H
#define GW_SERVICES_API_UPLOADS_H

#include "services/api/api.h"

struct api_uploads;

// `data_folder`, `store` and `shard` outlive it.
GW_MUST_CHECK gw_err api_uploads_create(const struct gw_api_options *options,
                                        struct api_uploads **uploads, struct gw_error *error);
// After the server has been drained. Accepts NULL.
void api_uploads_destroy(struct api_uploads *uploads);

// The thread that does the work on files.
struct api_chores *api_uploads_chores(struct api_uploads *uploads);

#endif
