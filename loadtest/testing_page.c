// Prints the page of the made-up result, for page_test.py to open in a browser.
#include "loadtest/output.h"
#include "loadtest/testing_sample.h"
#include <stdlib.h>

int main(void) {
    struct load_result *result = load_sample(1);
    gw_err err = load_write_html(result, stdout);
    load_result_free(result);
    free(result);
    return err == GW_OK ? 0 : 1;
}
