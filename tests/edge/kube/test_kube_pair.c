// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge/file/file_fixtures.h"
#include "edge/x509/x509_fixtures.h"
#include "kube/kube_pair.h"

static struct x509_pair make_pair(void) {
    struct x509_pair ca = make_ca("ca");
    struct x509_pair pair = make_leaf(&ca, "client");
    x509_pair_fini(&ca);
    return pair;
}

static void refresh(struct kube_pair *pair, const struct x509_pair *expected) {
    struct error error;
    if (!kube_pair_refresh(pair, &error)) {
        fail_msg("%s", error.text);
    }
    assert_string_equal(pair->certificate_pem, expected->certificate_pem);
    assert_string_equal(pair->key_pem, expected->key_pem);
}

static void replace(const char *path, const char *text) {
    write_text("new", text);
    assert_int_equal(rename("new", path), 0);
}

static void test_kube_pair__follows_files_that_are_replaced(void **state) {
    (void)state;
    struct x509_pair one = make_pair();
    struct x509_pair other = make_pair();
    struct kube_access access = {.certificate_file = "c", .key_file = "k"};
    struct kube_pair pair;
    kube_pair_init(&pair, &access);
    replace("c", one.certificate_pem);
    replace("k", one.key_pem);
    refresh(&pair, &one);
    const char *before = pair.certificate_pem;
    refresh(&pair, &one);
    assert_ptr_equal(pair.certificate_pem, before); /* it was not read again */
    replace("k", other.key_pem);
    refresh(&pair, &one);
    replace("c", other.certificate_pem);
    refresh(&pair, &other);
    kube_pair_fini(&pair);
    x509_pair_fini(&one);
    x509_pair_fini(&other);
}

static void test_kube_pair__keeps_the_last_pair_if_files_are_unusable(void **state) {
    (void)state;
    struct x509_pair one = make_pair();
    struct x509_pair other = make_pair();
    const char *const rows[] = {NULL, "", "-----BEGIN CERTIFICATE-----", other.certificate_pem};
    struct kube_access access = {.certificate_file = "c", .key_file = "k"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_pair pair;
        kube_pair_init(&pair, &access);
        replace("c", one.certificate_pem);
        replace("k", one.key_pem);
        refresh(&pair, &one);
        if (rows[i] == NULL) {
            assert_int_equal(unlink("c"), 0);
        } else {
            replace("c", rows[i]);
        }
        refresh(&pair, &one);
        replace("k", other.key_pem);
        replace("c", other.certificate_pem);
        refresh(&pair, &other);
        kube_pair_fini(&pair);
    }
    x509_pair_fini(&one);
    x509_pair_fini(&other);
}

static void test_kube_pair__may_have_one_half_in_a_file(void **state) {
    (void)state;
    struct x509_pair one = make_pair();
    struct kube_access rows[] = {
        {.certificate_file = "c", .key_pem = one.key_pem},
        {.certificate_pem = one.certificate_pem, .key_file = "k"},
        {.certificate_pem = one.certificate_pem, .key_pem = one.key_pem},
    };
    write_text("c", one.certificate_pem);
    write_text("k", one.key_pem);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct kube_pair pair;
        kube_pair_init(&pair, &rows[i]);
        refresh(&pair, &one);
        kube_pair_fini(&pair);
    }
    x509_pair_fini(&one);
}

static void test_kube_pair__has_nothing_where_nothing_is_given(void **state) {
    (void)state;
    struct kube_access access = {.token = NULL};
    struct kube_pair pair;
    struct error error;
    kube_pair_init(&pair, &access);
    assert_true(kube_pair_refresh(&pair, &error));
    assert_null(pair.certificate_pem);
    assert_null(pair.key_pem);
    kube_pair_fini(&pair);
}

static void test_kube_pair__says_what_is_wrong_with_the_first(void **state) {
    (void)state;
    struct x509_pair one = make_pair();
    struct x509_pair other = make_pair();
    struct kube_access access = {.certificate_file = "c", .key_file = "k"};
    struct kube_pair pair;
    struct error error;
    kube_pair_init(&pair, &access);
    write_text("c", one.certificate_pem);
    assert_false(kube_pair_refresh(&pair, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    assert_string_equal(error.text, "reading 'k': no such file or directory");
    write_text("k", other.key_pem);
    assert_false(kube_pair_refresh(&pair, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_string_equal(error.text, "the client's key is not that of the client's certificate");
    replace("k", one.key_pem);
    refresh(&pair, &one);
    kube_pair_fini(&pair);
    x509_pair_fini(&one);
    x509_pair_fini(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_kube_pair__follows_files_that_are_replaced),
        IN_FOLDER(test_kube_pair__keeps_the_last_pair_if_files_are_unusable),
        IN_FOLDER(test_kube_pair__may_have_one_half_in_a_file),
        IN_FOLDER(test_kube_pair__has_nothing_where_nothing_is_given),
        IN_FOLDER(test_kube_pair__says_what_is_wrong_with_the_first),
    };
    return cmocka_run_group_tests_name("edge/kube_pair", tests, NULL, NULL);
}
