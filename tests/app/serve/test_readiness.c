// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "serve/readiness.h"

static void test_readiness__says_each_reason_on_a_line(void **state) {
    static const struct {
        const char *facts;
        const char *certificate;
        const char *room;
        const char *draining;
        bool is_ready;
        const char *plain;
        const char *verbose;
    } rows[] = {
        {"", "", "", "", true, "ok\n",
         "[+]facts ok\n[+]certificate ok\n[+]room ok\n[+]draining ok\nreadyz check passed\n"},
        {"a\nb\n", "", "", "", false, "a\nb\n",
         "[-]facts failed: a\n[-]facts failed: b\n[+]certificate ok\n[+]room ok\n[+]draining ok\n"
         "readyz check failed\n"},
        {"", "c\n", "full\n", "", false, "c\nfull\n",
         "[+]facts ok\n[-]certificate failed: c\n[-]room failed: full\n[+]draining ok\n"
         "readyz check failed\n"},
        {"", "", "", "ends", false, "ends",
         "[+]facts ok\n[+]certificate ok\n[+]room ok\n[-]draining failed: ends\n"
         "readyz check failed\n"},
    };
    struct readiness *readiness = readiness_new();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer plain;
        AUTO(buffer_fini) struct buffer verbose;
        buffer_init(&plain, 4096);
        buffer_init(&verbose, 4096);
        readiness_set(readiness, READINESS_FACTS, rows[i].facts);
        readiness_set(readiness, READINESS_CERTIFICATE, rows[i].certificate);
        readiness_set(readiness, READINESS_DRAINING, rows[i].draining);
        assert_int_equal(readiness_print(readiness, rows[i].room, false, &plain), rows[i].is_ready);
        assert_int_equal(readiness_print(readiness, rows[i].room, true, &verbose),
                         rows[i].is_ready);
        assert_string_equal(buffer_text(&plain), rows[i].plain);
        assert_string_equal(buffer_text(&verbose), rows[i].verbose);
        bool is_set = rows[i].facts[0] == '\0' && rows[i].certificate[0] == '\0' &&
                      rows[i].draining[0] == '\0';
        assert_int_equal(readiness_is_ready(readiness), is_set);
    }
    readiness_free(readiness);
}

static void test_readiness__is_not_ready_before_it_is_set(void **state) {
    struct readiness *readiness = readiness_new();
    AUTO(buffer_fini) struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    assert_false(readiness_is_ready(readiness));
    assert_false(readiness_print(readiness, "", false, &out));
    assert_string_equal(buffer_text(&out),
                        "the facts have not been read yet\nthere is no certificate yet\n");
    readiness_free(readiness);
    readiness_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readiness__says_each_reason_on_a_line),
        cmocka_unit_test(test_readiness__is_not_ready_before_it_is_set),
    };
    return cmocka_run_group_tests_name("app/readiness", tests, NULL, NULL);
}
