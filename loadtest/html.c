// The page: what loadtest/page/ has, with the JSON file in the middle of it.
#include "loadtest/output.h"
#include "loadtest/page.h"
#include <stdlib.h>

// A `<` of the JSON stands in a text, where the escape means the same: so that no `</script>` in a
// name can end the element that the data lie in.
static void put_escaped(FILE *out, const char *json, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (json[i] == '<') {
            fputs("\\u003c", out);
        } else {
            fputc(json[i], out);
        }
    }
}

gw_err load_write_html(const struct load_result *result, FILE *out) {
    char *json = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&json, &size);
    if (memory == NULL) {
        return GW_ENOMEM;
    }
    gw_err err = load_write_json(result, memory);
    if (fclose(memory) != 0 || err != GW_OK) {
        free(json);
        return GW_ENOMEM;
    }
    fwrite(load_page_head, 1, load_page_head_bytes, out);
    put_escaped(out, json, size);
    fwrite(load_page_tail, 1, load_page_tail_bytes, out);
    free(json);
    return fflush(out) != 0 || ferror(out) ? GW_EIO : GW_OK;
}
