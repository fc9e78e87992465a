// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "certificates/service_names.h"

static void test_service_names__begin_with_the_one_the_api_server_calls(void **state) {
    static const char *const rows[] = {"capstan.capstan-system.svc",
                                       "capstan.capstan-system.svc.cluster.local",
                                       "capstan.capstan-system", "capstan"};
    struct service_names names;
    (void)state;
    service_names_make("capstan", "capstan-system", &names);
    assert_int_equal(names.n_items, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(names.items[i], rows[i]);
    }
}

static void test_service_names__leave_out_what_would_be_an_address(void **state) {
    struct service_names names;
    (void)state;
    service_names_make("capstan", "42", &names);
    assert_int_equal(names.n_items, 3);
    assert_string_equal(names.items[1], "capstan.42.svc.cluster.local");
    assert_string_equal(names.items[2], "capstan");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_service_names__begin_with_the_one_the_api_server_calls),
        cmocka_unit_test(test_service_names__leave_out_what_would_be_an_address),
    };
    return cmocka_run_group_tests_name("app/service_names", tests, NULL, NULL);
}
