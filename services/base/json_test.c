// Text as JSON strings: what is escaped, what stays, and that nothing invalid gets out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/base/json.h"

static void texts(void **state) {
    (void)state;
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"", "\"\""},
        {"abc", "\"abc\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\x01\t\n\x1f\x7f", "\"\\u0001\\u0009\\u000a\\u001f\x7f\""},
        {"网格 é 😀", "\"网格 é 😀\""},
        {"\xe7\xbd", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 // cut short
        {"\xc0\xafx", "\"\xef\xbf\xbd\xef\xbf\xbdx\""},               // overlong
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, // a surrogate
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""}, // the last there is
        {"\xff", "\"\xef\xbf\xbd\""},
        {"\x80", "\"\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gw_buffer out = {0};
        gw_json_text(&out, rows[i].text);
        assert_false(out.failed);
        assert_string_equal(out.data, rows[i].json);
        gw_buffer_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts)};
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
