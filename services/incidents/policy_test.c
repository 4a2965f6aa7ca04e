#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/incidents/policy.h"

static void test_default_is_the_six_major_classes(void **state) {
    (void)state;
    static const char *const codes[] = {"01", "02", "03", "04", "05", "06"};
    struct gw_policy policy;
    gw_policy_default(&policy);
    assert_int_equal(policy.class_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        const struct gw_class *class = gw_policy_class(&policy, codes[i]);
        assert_non_null(class);
        assert_string_equal(class->code, codes[i]);
        assert_int_equal(class->answer_ms_max, i == 3 ? 30000 : 60000);
        assert_true(class->name[0] != '\0' && class->name_zh[0] != '\0');
    }
    assert_int_equal(policy.offers_max, 5);
    assert_int_equal(policy.level_max, 2);
    assert_int_equal(policy.position_age_ms_max, 300000);
    assert_true(policy.offer_without_position);
    assert_int_equal(policy.receipt_days, 7);
}

static void test_unknown_class_is_null(void **state) {
    (void)state;
    struct gw_policy policy;
    gw_policy_default(&policy);
    assert_null(gw_policy_class(&policy, "07"));
    assert_null(gw_policy_class(&policy, "1"));
    assert_null(gw_policy_class(&policy, ""));
    assert_null(gw_policy_class(&policy, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_is_the_six_major_classes),
        cmocka_unit_test(test_unknown_class_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
