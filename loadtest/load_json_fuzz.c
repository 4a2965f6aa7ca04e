// Any bytes as a result file: refused with words, or a result that every output can show and that
// is read the same from what is written of it.
#include "loadtest/output.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

// Clears what a read can have touched: all of it would be tens of megabytes each time.
static void clear(struct load_result *result) {
    load_result_free(result);
    for (uint32_t s = 0; s < result->step_count; s++) {
        size_t used = result->steps[s].work_count * sizeof(result->steps[s].works[0]);
        memset(result->steps[s].works, 0, used);
        result->steps[s].work_count = 0;
    }
    memset(result, 0, offsetof(struct load_result, steps));
    memset(&result->verify, 0, sizeof(result->verify));
    result->step_count = 0;
}

static char *json_of(const struct load_result *result, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    must(out != NULL && load_write_json(result, out) == GW_OK);
    fclose(out);
    return text;
}

static void show(const struct load_result *result) {
    FILE *null = fopen("/dev/null", "w");
    must(null != NULL);
    must(load_write_table(result, null) == GW_OK && load_write_html(result, null) == GW_OK);
    fclose(null);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct load_result result, again;
    struct gw_error error = {.code = GW_OK};
    gw_err err = load_read_json((const char *)data, size, &result, &error);
    if (err == GW_OK) {
        size_t size_first, size_second;
        char *first = json_of(&result, &size_first);
        must(load_read_json(first, size_first, &again, &error) == GW_OK);
        char *second = json_of(&again, &size_second);
        must(size_first == size_second && memcmp(first, second, size_first) == 0);
        show(&result);
        must(load_result_merge(&again, &result, &error) == GW_OK);
        show(&again);
        free(first);
        free(second);
    } else {
        must(error.text[0] != '\0');
    }
    clear(&result);
    clear(&again);
    return 0;
}
