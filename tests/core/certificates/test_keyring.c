// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/certificates/keyring.h"

static void read(const char *json, struct keyring *ret_keyring) {
    struct error error;
    assert_true(keyring_read(json, strlen(json), ret_keyring, &error));
}

static void test_keyring__reads_the_four_texts(void **state) {
    AUTO(keyring_fini) struct keyring keyring;
    (void)state;
    read("{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\"},\"data\":{\"ca.crt\":\"YQ==\","
         "\"ca.key\":\"Yg==\",\"tls.crt\":\"Yw==\",\"tls.key\":\"ZA==\",\"other\":\"ZQ==\"}}",
         &keyring);
    assert_string_equal(keyring.uid, "u");
    assert_string_equal(keyring.resource_version, "7");
    assert_string_equal(keyring.ca_crt, "a");
    assert_string_equal(keyring.ca_key, "b");
    assert_string_equal(keyring.tls_crt, "c");
    assert_string_equal(keyring.tls_key, "d");
    assert_int_equal(keyring.asked, RENEWAL_ASKS_NOTHING);
}

static void test_keyring__is_as_another_with_the_same_four_texts(void **state) {
    AUTO(keyring_fini) struct keyring keyring;
    static const char *const others[] = {
        "{\"data\":{\"ca.crt\":\"WA==\",\"ca.key\":\"Yg==\",\"tls.crt\":\"Yw==\",\"tls.key\":\"ZA=="
        "\"}}",
        "{\"data\":{\"ca.crt\":\"YQ==\",\"ca.key\":\"WA==\",\"tls.crt\":\"Yw==\",\"tls.key\":\"ZA=="
        "\"}}",
        "{\"data\":{\"ca.crt\":\"YQ==\",\"ca.key\":\"Yg==\",\"tls.crt\":\"WA==\",\"tls.key\":\"ZA=="
        "\"}}",
        "{\"data\":{\"ca.crt\":\"YQ==\",\"ca.key\":\"Yg==\",\"tls.crt\":\"Yw==\",\"tls.key\":\"WA=="
        "\"}}",
        "{}",
    };
    (void)state;
    read("{\"data\":{\"ca.crt\":\"YQ==\",\"ca.key\":\"Yg==\",\"tls.crt\":\"Yw==\",\"tls.key\":\"ZA="
         "=\"}}",
         &keyring);
    assert_true(keyring_is_as(&keyring, &keyring));
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        AUTO(keyring_fini) struct keyring other;
        read(others[i], &other);
        assert_false(keyring_is_as(&keyring, &other));
    }
}

static void test_keyring__takes_what_it_cannot_read_for_empty(void **state) {
    static const char *const rows[] = {
        "{}",
        "{\"data\":null}",
        "{\"data\":{\"ca.crt\":1}}",
        "{\"data\":{\"ca.crt\":\"*\"}}",
        "{\"data\":{\"ca.crt\":\"AA==\"}}", /* a NUL */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(keyring_fini) struct keyring keyring;
        read(rows[i], &keyring);
        assert_string_equal(keyring.ca_crt, "");
        assert_string_equal(keyring.tls_key, "");
    }
}

static void test_keyring__understands_what_is_asked_for(void **state) {
    static const struct {
        const char *value;
        enum renewal_request asked;
        bool is_unclear;
    } rows[] = {
        {"\"leaf\"", RENEWAL_ASKS_LEAF, false},
        {"\"ca\"", RENEWAL_ASKS_CA, false},
        {"\"CA\"", RENEWAL_ASKS_NOTHING, true},
        {"1", RENEWAL_ASKS_NOTHING, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(keyring_fini) struct keyring keyring;
        AUTO(buffer_fini) struct buffer json;
        buffer_init(&json, 4096);
        buffer_add_format(&json, "{\"metadata\":{\"annotations\":{\"capstan.dev/rotate\":%s}}}",
                          rows[i].value);
        read(buffer_text(&json), &keyring);
        assert_int_equal(keyring.asked, rows[i].asked);
        assert_int_equal(keyring.is_asked_unclearly, rows[i].is_unclear);
    }
}

static void test_keyring__writes_a_whole_secret_or_a_patch_of_one_version(void **state) {
    char a[] = "a", b[] = "b", c[] = "c", d[] = "d";
    struct keyring keyring = {.ca_crt = a, .ca_key = b, .tls_crt = c, .tls_key = d};
    AUTO(buffer_fini) struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    keyring_write(&keyring, "x", &out);
    assert_string_equal(
        buffer_text(&out),
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"Opaque\",\"metadata\":{\"name\":"
        "\"capstan-certs\",\"namespace\":\"x\",\"labels\":{\"app.kubernetes.io/name\":\"capstan\","
        "\"app.kubernetes.io/part-of\":\"capstan\"}},\"data\":{\"ca.crt\":\"YQ==\",\"ca.key\":"
        "\"Yg==\",\"tls.crt\":\"Yw==\",\"tls.key\":\"ZA==\"}}");
    strcpy(keyring.resource_version, "7");
    buffer_clear(&out);
    keyring_write(&keyring, "x", &out);
    assert_string_equal(
        buffer_text(&out),
        "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"capstan.dev/rotate\":null}},"
        "\"data\":{\"ca.crt\":\"YQ==\",\"ca.key\":\"Yg==\",\"tls.crt\":\"Yw==\",\"tls.key\":"
        "\"ZA==\"}}");
    /* A request that is still open stays. */
    keyring.asked = RENEWAL_ASKS_CA;
    buffer_clear(&out);
    keyring_write(&keyring, "x", &out);
    assert_null(strstr(buffer_text(&out), "annotations"));
}

static void test_keyring__refuses_what_is_no_object(void **state) {
    struct keyring keyring;
    struct error error;
    (void)state;
    assert_false(keyring_read("[]", 2, &keyring, &error));
    assert_false(keyring_read("{", 1, &keyring, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keyring__reads_the_four_texts),
        cmocka_unit_test(test_keyring__is_as_another_with_the_same_four_texts),
        cmocka_unit_test(test_keyring__takes_what_it_cannot_read_for_empty),
        cmocka_unit_test(test_keyring__understands_what_is_asked_for),
        cmocka_unit_test(test_keyring__writes_a_whole_secret_or_a_patch_of_one_version),
        cmocka_unit_test(test_keyring__refuses_what_is_no_object),
    };
    return cmocka_run_group_tests_name("core/keyring", tests, NULL, NULL);
}
