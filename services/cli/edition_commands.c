// gridwarden edition …: which editions there are, and which one answers.
#include "services/cli/commands.h"

#include "gridwarden/v1/edition.pb-c.h"
#include "services/cli/door.h"
#include "services/cli/incident_output.h"
#include "services/grids/edition.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_column columns[] = {
    {"layer", false},   {"number", true},     {"state", false},
    {"created", false}, {"published", false}, {"grids", true},
    {"vertices", true}, {"label", false},     {"hash", false},
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static void print_edition(struct cli_output *output, const Gridwarden__V1__Edition *edition) {
    cli_output_text(output, edition->ref != NULL ? edition->ref->layer : "");
    cli_output_number(output, "%" PRIu64, edition->ref != NULL ? edition->ref->number : 0);
    cli_output_text(output,
                    cli_enum_name(&gridwarden__v1__edition_state__descriptor, (int)edition->state));
    cli_output_time(output, edition->created_ms);
    cli_output_time(output, edition->published_ms);
    cli_output_number(output, "%" PRIu64, edition->grid_count);
    cli_output_number(output, "%" PRIu64, edition->vertex_count);
    cli_output_text(output, edition->label);
    cli_output_text(output, edition->content_hash);
}

static int run_list(const struct cli_args *args) {
    struct cli_door door;
    struct cli_output output;
    Gridwarden__V1__ListEditionsRequest request = GRIDWARDEN__V1__LIST_EDITIONS_REQUEST__INIT;
    int code = cli_door_open(&door, args);
    if (code != CLI_DONE) {
        return code;
    }
    ProtobufCMessage *message = NULL;
    code = cli_door_call(&door, "/gridwarden.v1.GridService/ListEditions", &request.base,
                         &gridwarden__v1__list_editions_response__descriptor, &message);
    if (code == CLI_DONE) {
        code = cli_output_begin(&output, args, columns, COLUMN_COUNT);
    }
    if (code == CLI_DONE) {
        const Gridwarden__V1__ListEditionsResponse *response =
            (const Gridwarden__V1__ListEditionsResponse *)message;
        for (size_t i = 0; i < response->n_editions; i++) {
            print_edition(&output, response->editions[i]);
        }
        code = cli_output_end(&output);
    }
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
    cli_door_close(&door);
    return code;
}

static const struct cli_option list_options[] = {CLI_DOOR_OPTIONS, CLI_OUTPUT_OPTIONS};

const struct cli_command cli_edition_list = {
    .name = "edition list",
    .words = "",
    .summary = "Lists every edition, newest first.",
    .details = "Example:\n  gridwarden edition list --server 127.0.0.1:7600",
    .options = list_options,
    .option_count = sizeof(list_options) / sizeof(list_options[0]),
    .run = run_list,
};

const struct cli_command cli_grid_editions = {
    .name = "grid editions",
    .words = "",
    .summary = "The same as `edition list`.",
    .details = "",
    .options = list_options,
    .option_count = sizeof(list_options) / sizeof(list_options[0]),
    .run = run_list,
};

// --- publish ---

static int read_number(const struct cli_args *args, uint64_t *number) {
    const char *word = args->words[0];
    size_t size = strlen(word);
    if (size == 0 || size > 19 || strspn(word, "0123456789") != size) {
        return cli_usage(
            args, "%.40s is not the number of an edition; see `gridwarden edition list`", word);
    }
    *number = strtoull(word, NULL, 10);
    return CLI_DONE;
}

static int run_publish(const struct cli_args *args) {
    struct cli_door door;
    struct cli_output output;
    Gridwarden__V1__PublishRequest request = GRIDWARDEN__V1__PUBLISH_REQUEST__INIT;
    const char *layer = cli_value(args, "layer");
    char request_id[129];
    int code = read_number(args, &request.number);
    if (code == CLI_DONE) {
        code = cli_door_open(&door, args);
    }
    if (code != CLI_DONE) {
        return code;
    }
    cli_request_id(args, request_id);
    request.request_id = request_id;
    request.layer = (char *)(layer != NULL ? layer : GW_LAYER_RESPONSIBLE);
    ProtobufCMessage *message = NULL;
    code = cli_door_call(&door, "/gridwarden.v1.EditionService/Publish", &request.base,
                         &gridwarden__v1__publish_response__descriptor, &message);
    if (code == CLI_DONE) {
        code = cli_output_begin(&output, args, columns, COLUMN_COUNT);
    }
    if (code == CLI_DONE) {
        output.upright = true;
        print_edition(&output, ((const Gridwarden__V1__PublishResponse *)message)->edition);
        code = cli_output_end(&output);
    }
    if (message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
    }
    cli_door_close(&door);
    return code;
}

static const struct cli_option publish_options[] = {
    {"layer", "NAME", "default grid, the responsible layer"},
    {"request-id", "ID", "give the same again to repeat safely"},
    CLI_DOOR_OPTIONS,
    CLI_OUTPUT_OPTIONS,
};

const struct cli_command cli_edition_publish = {
    .name = "edition publish",
    .words = "NUMBER",
    .summary = "Makes a staged edition, or an earlier one, the one that answers.",
    .details = "A node that serves goes on serving: calls under way are answered from the edition\n"
               "before, later ones from this one. Publishing an earlier number goes back to it.\n\n"
               "Example:\n  gridwarden edition publish 7 --server 127.0.0.1:7600",
    .words_min = 1,
    .words_max = 1,
    .options = publish_options,
    .option_count = sizeof(publish_options) / sizeof(publish_options[0]),
    .run = run_publish,
};
