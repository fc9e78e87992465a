// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "certificate_fixtures.h"
#include "certificates/rotate_view.h"

/* Two CAs, and a leaf of the first. */
struct pki {
    struct x509_pair ca;
    struct x509_pair other;
    struct x509_pair leaf;
};

static int set_up(void **state) {
    struct pki *pki = memory_new(1, sizeof(*pki));
    make_ca(START_S, &pki->ca);
    make_ca(START_S + 1, &pki->other);
    make_leaf(&pki->ca, START_S, &pki->leaf);
    *state = pki;
    return 0;
}

static int tear_down(void **state) {
    struct pki *pki = *state;
    x509_pair_fini(&pki->ca);
    x509_pair_fini(&pki->other);
    x509_pair_fini(&pki->leaf);
    free(pki);
    return 0;
}

static struct renewal_view look(const struct keyring *keyring) {
    AUTO(x509_bundle_fini) struct x509_bundle cas = {.n_items = 0};
    struct renewal_view view = {.leads = true};
    rotate_view_secret(keyring, leaf_names, 1, &view, &cas);
    assert_int_equal(view.secret == RENEWAL_SECRET_USABLE, cas.n_items > 0);
    return view;
}

static void test_rotate_view__finds_the_signer_and_the_issuer(void **state) {
    const struct pki *pki = *state;
    AUTO(keyring_fini)
    struct keyring keyring = make_keyring(&pki->ca, &pki->other, &pki->other, &pki->leaf);
    struct renewal_view view = look(&keyring);
    assert_int_equal(view.secret, RENEWAL_SECRET_USABLE);
    assert_true(view.leads);
    assert_int_equal(view.n_cas, 2);
    assert_int_equal(view.signer, 1);
    assert_true(view.has_leaf && view.has_issuer && view.leaf_has_names);
    assert_int_equal(view.leaf_issuer, 0);
    assert_int_equal(view.leaf_not_after, START_S + 90 * DAY);
}

/* If it took them for two, Capstan would renew the leaf for ever. */
static void test_rotate_view__takes_a_ca_that_is_there_twice_for_one(void **state) {
    const struct pki *pki = *state;
    AUTO(keyring_fini)
    struct keyring keyring = make_keyring(&pki->ca, &pki->ca, &pki->ca, &pki->leaf);
    struct renewal_view view = look(&keyring);
    assert_true(view.has_leaf && view.has_issuer);
    assert_int_equal(view.leaf_issuer, view.signer);
}

static void test_rotate_view__sees_no_leaf_where_none_can_be_served(void **state) {
    const struct pki *pki = *state;
    const struct {
        const char *certificate;
        const char *key;
    } rows[] = {
        {"", ""},
        {"garbage", pki->leaf.key_pem},
        {pki->leaf.certificate_pem, ""},
        {pki->leaf.certificate_pem, pki->other.key_pem},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(keyring_fini)
        struct keyring keyring = make_keyring(&pki->ca, NULL, &pki->ca, &pki->leaf);
        free(keyring.tls_crt);
        free(keyring.tls_key);
        keyring.tls_crt = copy_text(rows[i].certificate);
        keyring.tls_key = copy_text(rows[i].key);
        struct renewal_view view = look(&keyring);
        assert_int_equal(view.secret, RENEWAL_SECRET_USABLE);
        assert_false(view.has_leaf);
        assert_false(view.has_issuer);
    }
}

static void test_rotate_view__can_use_no_secret_without_a_ca_and_its_key(void **state) {
    const struct pki *pki = *state;
    assert_int_equal(look(NULL).secret, RENEWAL_SECRET_ABSENT);
    const struct {
        const char *cas;
        const char *key;
    } rows[] = {
        {"", pki->ca.key_pem},
        {"garbage", pki->ca.key_pem},
        {pki->ca.certificate_pem, ""},
        {pki->ca.certificate_pem, pki->other.key_pem},
        {pki->leaf.certificate_pem, pki->leaf.key_pem},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(keyring_fini)
        struct keyring keyring = make_keyring(&pki->ca, NULL, &pki->ca, &pki->leaf);
        free(keyring.ca_crt);
        free(keyring.ca_key);
        keyring.ca_crt = copy_text(rows[i].cas);
        keyring.ca_key = copy_text(rows[i].key);
        assert_int_equal(look(&keyring).secret, RENEWAL_SECRET_UNUSABLE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rotate_view__finds_the_signer_and_the_issuer),
        cmocka_unit_test(test_rotate_view__takes_a_ca_that_is_there_twice_for_one),
        cmocka_unit_test(test_rotate_view__sees_no_leaf_where_none_can_be_served),
        cmocka_unit_test(test_rotate_view__can_use_no_secret_without_a_ca_and_its_key),
    };
    return cmocka_run_group_tests_name("app/rotate_view", tests, set_up, tear_down);
}
