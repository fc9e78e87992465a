// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certificate_fixtures.h"
#include "certificates/rotate_ready.h"

#define LEADER "capstan-1_00000000"

enum { BLINK_MS = ROTATE_READY_BLINK_MS, PATIENCE_MS = ROTATE_READY_LEADER_PATIENCE_MS };

/* A leaf that is served, its CA, and what the API server has. */
struct site {
    struct x509_pair ca;
    struct served served;
    struct registration trusting;
    struct registration blank;
    struct registration half; /* the second entry is blank */
    struct registration none;
    struct rotate_ready ready;
    struct rotate_ready_view view;
    struct buffer out;
};

/* A webhook configuration with entries a, b, ... of these CAs. */
static struct registration make_registration(const char *const *pems, size_t n) {
    static const char *const names[] = {"a", "b"};
    AUTO(buffer_fini) struct buffer json;
    struct registration registration;
    struct error error;
    buffer_init(&json, SIZE_MAX);
    buffer_add_text(&json, "{\"webhooks\":[");
    for (size_t i = 0; i < n; i++) {
        buffer_add_format(&json, "%s{\"name\":\"%s\",\"clientConfig\":{\"caBundle\":\"",
                          i > 0 ? "," : "", names[i]);
        buffer_add_base64(&json, pems[i], strlen(pems[i]));
        buffer_add_text(&json, "\"}}");
    }
    buffer_add_text(&json, "]}");
    assert_true(registration_read(json.bytes, json.size, &registration, &error));
    return registration;
}

static struct x509_certificate read_one(const char *pem) {
    struct x509_bundle bundle;
    struct error error;
    assert_true(x509_read_bundle(pem, &bundle, &error));
    struct x509_certificate certificate = bundle.items[0];
    certificate.pem = copy_text(certificate.pem);
    x509_bundle_fini(&bundle);
    return certificate;
}

static int set_up(void **state) {
    struct site *site = memory_new(1, sizeof(*site));
    make_ca(START_S, &site->ca);
    const char *const both[] = {site->ca.certificate_pem, site->ca.certificate_pem};
    const char *const half[] = {site->ca.certificate_pem, ""};
    const char *const blank[] = {"", ""};
    site->trusting = make_registration(both, 2);
    site->half = make_registration(half, 2);
    site->blank = make_registration(blank, 2);
    site->served = (struct served){
        .id = "leaf",
        .not_before = START_S,
        .not_after = START_S + 90 * DAY,
        .issuer = read_one(site->ca.certificate_pem),
    };
    site->view = (struct rotate_ready_view){
        .served = &site->served,
        .secret = RENEWAL_SECRET_USABLE,
        .config_name = "zz-capstan",
        .leader = LEADER,
        .wall_s = START_S + DAY,
    };
    buffer_init(&site->out, SIZE_MAX);
    *state = site;
    return 0;
}

static int tear_down(void **state) {
    struct site *site = *state;
    x509_pair_fini(&site->ca);
    served_fini(&site->served);
    registration_fini(&site->trusting);
    registration_fini(&site->half);
    registration_fini(&site->blank);
    buffer_fini(&site->out);
    free(site);
    return 0;
}

/* Another state of the webhook configuration comes. */
static void come(struct site *site, const struct registration *registration, int64_t now_ms) {
    site->view.registration = registration;
    site->view.webhook =
        registration->n_entries > 0 ? RENEWAL_WEBHOOK_PRESENT : RENEWAL_WEBHOOK_ABSENT;
    rotate_ready_look(&site->ready, &site->served, registration, now_ms);
}

/* Returns the number of reasons. */
static size_t count_reasons(struct site *site, int64_t now_ms) {
    size_t n = 0;
    site->view.now_ms = now_ms;
    buffer_clear(&site->out);
    rotate_ready_explain(&site->ready, &site->view, &site->out);
    for (size_t i = 0; i < site->out.size; i++) {
        n += site->out.bytes[i] == '\n';
    }
    assert_true(site->out.size == 0 || site->out.bytes[site->out.size - 1] == '\n');
    return n;
}

static bool says(struct site *site, const char *text) {
    return strstr(buffer_text(&site->out), text) != NULL;
}

static void test_rotate_ready__goes_by_the_dates_of_leaf_and_ca(void **state) {
    struct site *site = *state;
    static const struct {
        int64_t leaf[2]; /* begin and end, from now */
        int64_t ca[2];
        size_t n_reasons;
        const char *says;
    } rows[] = {
        {{-DAY, DAY}, {-DAY, DAY}, 0, ""},
        {{0, 0}, {0, 0}, 0, ""},
        {{-DAY, -1}, {-DAY, DAY}, 2, "the certificate that is served expired on"},
        {{1, DAY}, {-DAY, DAY}, 2, "the certificate that is served is not valid before"},
        {{-DAY, DAY}, {-DAY, -1}, 2, "the CA of the certificate that is served expired on"},
        {{-DAY, DAY}, {1, DAY}, 2, "the CA of the certificate that is served is not valid before"},
        {{-DAY, -1}, {-DAY, -1}, 3, "the CA of the certificate that is served expired on"},
    };
    come(site, &site->trusting, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        site->served.not_before = site->view.wall_s + rows[i].leaf[0];
        site->served.not_after = site->view.wall_s + rows[i].leaf[1];
        site->served.issuer.not_before = site->view.wall_s + rows[i].ca[0];
        site->served.issuer.not_after = site->view.wall_s + rows[i].ca[1];
        assert_int_equal(count_reasons(site, 0), rows[i].n_reasons);
        assert_true(says(site, rows[i].says));
        assert_true(rows[i].n_reasons == 0 || says(site, LEADER));
    }
}

/* Time alone takes readiness away, and a renewal gives it back. */
static void test_rotate_ready__is_lost_with_time_and_comes_back(void **state) {
    struct site *site = *state;
    come(site, &site->trusting, 0);
    assert_int_equal(count_reasons(site, 0), 0);
    site->view.wall_s = START_S + 90 * DAY + 1;
    assert_int_equal(count_reasons(site, 0), 2);
    site->served.not_after += 90 * DAY;
    assert_int_equal(count_reasons(site, 0), 0);
}

static void test_rotate_ready__needs_a_certificate_and_news_of_the_webhook(void **state) {
    struct site *site = *state;
    site->view.registration = &site->none;
    assert_int_equal(count_reasons(site, 0), 1);
    assert_true(says(site, "zz-capstan could not be read yet"));
    site->served.id[0] = '\0';
    assert_int_equal(count_reasons(site, 0), 1);
    assert_true(says(site, "there is none in the Secret capstan-certs"));
    assert_true(says(site, LEADER));
    site->view.leader = "";
    assert_int_equal(count_reasons(site, 0), 1);
    assert_true(says(site, "nobody leads"));
}

static void test_rotate_ready__an_absent_webhook_is_no_reason(void **state) {
    struct site *site = *state;
    come(site, &site->none, 0);
    assert_int_equal(count_reasons(site, 0), 0);
}

static void test_rotate_ready__names_each_entry_that_does_not_trust(void **state) {
    struct site *site = *state;
    come(site, &site->half, 0);
    assert_int_equal(count_reasons(site, 0), 1);
    assert_true(says(site, "caBundle of entry b does not trust the certificate that is served"));
    assert_true(says(site, LEADER));
    come(site, &site->blank, 0);
    assert_int_equal(count_reasons(site, 0), 2);
    assert_true(says(site, "caBundle of entry a does not trust the certificate that is served"));
}

static void test_rotate_ready__a_blink_is_no_reason(void **state) {
    struct site *site = *state;
    come(site, &site->trusting, 0);
    come(site, &site->half, 1000);
    assert_int_equal(count_reasons(site, 1000 + BLINK_MS - 1), 0);
    assert_int_equal(count_reasons(site, 1000 + BLINK_MS), 1);
    /* Other distrust is still distrust. */
    come(site, &site->blank, 1000 + BLINK_MS);
    assert_int_equal(count_reasons(site, 1000 + BLINK_MS), 2);
    come(site, &site->trusting, 20000);
    assert_int_equal(count_reasons(site, 20000), 0);
    come(site, &site->blank, 30000);
    assert_int_equal(count_reasons(site, 30000 + BLINK_MS - 1), 0);
    assert_int_equal(count_reasons(site, 30000 + BLINK_MS), 2);
}

/* A leader of a former version writes other caBundles, and waits for this replica. */
static void test_rotate_ready__waits_for_the_leader_only_for_a_while(void **state) {
    struct site *site = *state;
    come(site, &site->blank, 1000);
    assert_int_equal(count_reasons(site, 1000 + PATIENCE_MS - 1), 2);
    assert_int_equal(count_reasons(site, 1000 + PATIENCE_MS), 0);
    site->view.leads = true;
    assert_int_equal(count_reasons(site, 1000 + PATIENCE_MS), 2);
    site->view.leads = false;
    /* The leader does write them. So whoever blanks them is somebody else. */
    come(site, &site->trusting, 40000);
    come(site, &site->blank, 50000);
    assert_int_equal(count_reasons(site, 50000 + PATIENCE_MS), 2);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_rotate_ready__goes_by_the_dates_of_leaf_and_ca),
        FRESH(test_rotate_ready__is_lost_with_time_and_comes_back),
        FRESH(test_rotate_ready__needs_a_certificate_and_news_of_the_webhook),
        FRESH(test_rotate_ready__an_absent_webhook_is_no_reason),
        FRESH(test_rotate_ready__names_each_entry_that_does_not_trust),
        FRESH(test_rotate_ready__a_blink_is_no_reason),
        FRESH(test_rotate_ready__waits_for_the_leader_only_for_a_while),
    };
    return cmocka_run_group_tests_name("app/rotate_ready", tests, NULL, NULL);
}
