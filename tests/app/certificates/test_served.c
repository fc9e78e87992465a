// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "certificate_fixtures.h"
#include "certificates/rotate_view.h"
#include "certificates/served.h"

enum { DELAY_MS = 60000 };

/* Two CAs with a leaf each, and the server. */
struct site {
    struct http_server *server;
    struct x509_pair ca;
    struct x509_pair leaf;
    struct x509_pair other_ca;
    struct x509_pair other_leaf;
    struct served served;
};

static int set_up(void **state) {
    struct site *site = memory_new(1, sizeof(*site));
    make_ca(START_S, &site->ca);
    make_leaf(&site->ca, START_S, &site->leaf);
    make_ca(START_S + DAY, &site->other_ca);
    make_leaf(&site->other_ca, START_S + DAY, &site->other_leaf);
    site->server = start_tls_server();
    *state = site;
    return 0;
}

static int tear_down(void **state) {
    struct site *site = *state;
    http_stop(site->server);
    x509_pair_fini(&site->ca);
    x509_pair_fini(&site->leaf);
    x509_pair_fini(&site->other_ca);
    x509_pair_fini(&site->other_leaf);
    served_fini(&site->served);
    free(site);
    return 0;
}

/* A webhook configuration with one entry that trusts these CAs. */
static struct registration trust(const struct x509_pair *ca, const struct x509_pair *other) {
    char pem[8192];
    snprintf(pem, sizeof(pem), "%s%s", ca != NULL ? ca->certificate_pem : "",
             other != NULL ? other->certificate_pem : "");
    AUTO(buffer_fini) struct buffer json;
    struct registration registration;
    struct error error;
    buffer_init(&json, SIZE_MAX);
    buffer_add_text(&json, "{\"webhooks\":[{\"name\":\"a\",\"clientConfig\":{\"caBundle\":\"");
    buffer_add_base64(&json, pem, strlen(pem));
    buffer_add_text(&json, "\"}}]}");
    assert_true(registration_read(json.bytes, json.size, &registration, &error));
    return registration;
}

/* The time, and the webhook configuration; NULL: there is none. */
struct moment {
    int64_t wall_s;
    int64_t now_ms;
    const struct registration *registration;
    bool is_trusted_long;
};

/* Offers a Secret with one CA and its leaf. Returns true if Capstan then serves the leaf. */
static bool takes_up(struct site *site, const struct x509_pair *ca, const struct x509_pair *leaf,
                     const struct moment *moment) {
    static const struct registration none = {.n_entries = 0};
    AUTO(keyring_fini) struct keyring keyring = make_keyring(ca, NULL, ca, leaf);
    AUTO(x509_bundle_fini) struct x509_bundle cas = {.n_items = 0};
    const struct registration *registration = moment->registration;
    struct renewal_view view = {.webhook = registration != NULL ? RENEWAL_WEBHOOK_PRESENT
                                                                : RENEWAL_WEBHOOK_ABSENT};
    struct error error;
    rotate_view_secret(&keyring, leaf_names, 1, &view, &cas);
    rotate_view_trust(registration != NULL ? registration : &none, &cas, moment->wall_s, &view);
    const struct served_offer offer = {
        .view = &view,
        .keyring = &keyring,
        .cas = &cas,
        .registration = registration != NULL ? registration : &none,
        .is_trusted_long = moment->is_trusted_long,
        .wall_s = moment->wall_s,
        .now_ms = moment->now_ms,
        .trust_delay_ms = DELAY_MS,
    };
    assert_true(served_take_up(&site->served, &offer, site->server, &error));
    return served_is_of(&site->served, &keyring);
}

static void serve_first(struct site *site, const struct registration *registration) {
    const struct moment first = {.wall_s = START_S + DAY, .registration = registration};
    assert_true(takes_up(site, &site->ca, &site->leaf, &first));
}

static void test_served__takes_up_anything_where_it_serves_nothing(void **state) {
    struct site *site = *state;
    AUTO(registration_fini) struct registration others = trust(&site->other_ca, NULL);
    serve_first(site, &others);
    assert_false(served_is_trusted(&site->served, &others));
}

static void test_served__waits_until_another_ca_is_trusted_for_long(void **state) {
    struct site *site = *state;
    AUTO(registration_fini) struct registration only = trust(&site->ca, NULL);
    AUTO(registration_fini) struct registration both = trust(&site->ca, &site->other_ca);
    serve_first(site, &only);
    struct moment moment = {.wall_s = START_S + DAY, .registration = &only};
    assert_false(takes_up(site, &site->other_ca, &site->other_leaf, &moment));
    moment.registration = &both;
    assert_false(takes_up(site, &site->other_ca, &site->other_leaf, &moment));
    moment.is_trusted_long = true;
    assert_true(takes_up(site, &site->other_ca, &site->other_leaf, &moment));
}

static void test_served__takes_up_another_leaf_of_its_ca_at_once(void **state) {
    struct site *site = *state;
    AUTO(registration_fini) struct registration only = trust(&site->ca, NULL);
    AUTO(x509_pair_fini) struct x509_pair leaf = {.key_pem = NULL};
    serve_first(site, &only);
    make_leaf(&site->ca, START_S + DAY, &leaf);
    const struct moment moment = {.wall_s = START_S + DAY, .registration = &only};
    assert_true(takes_up(site, &site->ca, &leaf, &moment));
}

static void test_served__has_nothing_to_lose_where_nobody_trusts_it(void **state) {
    struct site *site = *state;
    AUTO(registration_fini) struct registration only = trust(&site->ca, NULL);
    AUTO(registration_fini) struct registration others = trust(&site->other_ca, NULL);
    serve_first(site, &only);
    const struct moment moment = {.wall_s = START_S + DAY, .registration = &others};
    assert_true(takes_up(site, &site->other_ca, &site->other_leaf, &moment));
}

static void test_served__takes_up_what_is_there_where_nobody_calls(void **state) {
    struct site *site = *state;
    serve_first(site, NULL);
    const struct moment moment = {.wall_s = START_S + DAY};
    assert_true(takes_up(site, &site->other_ca, &site->other_leaf, &moment));
}

/* A leader with a wrong clock has made this pair. */
static void test_served__does_not_give_up_what_is_valid_for_what_is_not(void **state) {
    struct site *site = *state;
    AUTO(registration_fini) struct registration both = trust(&site->ca, &site->other_ca);
    serve_first(site, &both);
    /* It begins an hour before its creation, at START_S + DAY - 3600. */
    struct moment moment = {
        .wall_s = START_S + DAY - 3601, .registration = &both, .is_trusted_long = true};
    assert_false(takes_up(site, &site->other_ca, &site->other_leaf, &moment));
    moment.wall_s++;
    assert_true(takes_up(site, &site->other_ca, &site->other_leaf, &moment));
}

static size_t count_cas(const struct site *site, const struct x509_bundle *cas, int64_t now_ms) {
    AUTO(buffer_fini) struct buffer out;
    AUTO(x509_bundle_fini) struct x509_bundle wanted = {.n_items = 0};
    struct error error;
    buffer_init(&out, SIZE_MAX);
    served_write_bundle(&site->served, cas, now_ms, &out);
    assert_true(x509_read_bundle(buffer_text(&out), &wanted, &error));
    return wanted.n_items;
}

/* Other replicas may still serve a leaf of the former CA. */
static void test_served__keeps_the_former_ca_trusted_for_a_while(void **state) {
    struct site *site = *state;
    AUTO(registration_fini) struct registration both = trust(&site->ca, &site->other_ca);
    AUTO(x509_bundle_fini) struct x509_bundle cas = {.n_items = 0};
    struct error error;
    assert_true(x509_read_bundle(site->other_ca.certificate_pem, &cas, &error));
    serve_first(site, &both);
    assert_int_equal(count_cas(site, &cas, 0), 2);
    const struct moment moment = {
        .wall_s = START_S + DAY, .now_ms = 5000, .registration = &both, .is_trusted_long = true};
    assert_true(takes_up(site, &site->other_ca, &site->other_leaf, &moment));
    assert_int_equal(count_cas(site, &cas, 5000 + DELAY_MS - 1), 2);
    assert_int_equal(count_cas(site, &cas, 5000 + DELAY_MS), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_served__takes_up_anything_where_it_serves_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_served__waits_until_another_ca_is_trusted_for_long,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_served__takes_up_another_leaf_of_its_ca_at_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_served__has_nothing_to_lose_where_nobody_trusts_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_served__takes_up_what_is_there_where_nobody_calls,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_served__does_not_give_up_what_is_valid_for_what_is_not,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_served__keeps_the_former_ca_trusted_for_a_while,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests_name("app/served", tests, NULL, NULL);
}
