// SPDX-License-Identifier: Apache-2.0

/*
 * A serving pair that is replaced on disk while the program runs. New handshakes get the new pair,
 * open connections live on, and the program refuses a pair that it cannot serve.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/clock.h"
#include "edge/http_tls.h"
#include "edge/x509.h"
#include "wire.h"

enum { DAY_S = 86400, WITHIN_MS = 2000, WITHIN_SANITIZED_MS = 6000, SERIAL_SIZE = 64 };

#define REFUSED "capstan_certificate_reloads_total{result=\"refused\"}"

static int set_up(void **state) {
    struct program *program = memory_new(1, sizeof(*program));
    *state = program;
    program_init(program);
    program_put_sample(program, "mcpservers-live.json");
    return 0;
}

static int tear_down(void **state) {
    struct program *program = *state;
    int status = program_stop(program);
    program_fini(program);
    free(program);
    return status;
}

/* Reads the serial number of the certificate that opened this connection. */
static void get_serial(const struct http_client *client, char out[SERIAL_SIZE]) {
    X509 *certificate = SSL_get1_peer_certificate(client->ssl);
    assert_non_null(certificate);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *text = BN_bn2hex(number);
    snprintf(out, SERIAL_SIZE, "%s", text);
    OPENSSL_free(text);
    BN_free(number);
    X509_free(certificate);
}

static void see_serial(const struct program *program, char out[SERIAL_SIZE]) {
    struct http_client client;
    program_connect(program, &client);
    get_serial(&client, out);
    http_client_close(&client);
}

static int64_t within_ms(void) {
    return program_is_sanitized() ? WITHIN_SANITIZED_MS : WITHIN_MS;
}

/* Waits until new handshakes get a certificate other than this. */
static void wait_for_another(const struct program *program, const char *serial) {
    int64_t until_ms = http_now_ms() + within_ms();
    char is[SERIAL_SIZE];
    see_serial(program, is);
    while (strcmp(is, serial) == 0) {
        assert_true(http_now_ms() < until_ms);
        http_sleep_ms(5);
        see_serial(program, is);
    }
}

/* Makes another pair for "localhost", signed by the CA in the folder. */
static void make_pair(const struct program *program, int64_t now, struct x509_pair *ret_pair) {
    static const char *const names[] = {"localhost"};
    struct x509_pair ca = {program_read(program, "certs/ca.crt"),
                           program_read(program, "certs/ca.key")};
    struct error error;
    if (!x509_make_leaf(&ca, names, 1, now, DAY_S, ret_pair, &error)) {
        fail_msg("%s", error.text);
    }
    x509_pair_fini(&ca);
}

static void assert_answers(struct http_client *client) {
    struct verdict verdict;
    AUTO_FREE char *review = sample_read("02-MCPServer-CREATE-weather");
    wire_post(client, review, &verdict);
    wire_assert(&verdict, "on the open connection", "", "session-storage");
}

static void test_certificate__a_new_pair_is_for_new_handshakes(void **state) {
    const struct program *program = *state;
    struct http_client open;
    struct x509_pair pair;
    char serial[SERIAL_SIZE];
    program_start(*state);
    program_connect(program, &open);
    get_serial(&open, serial);
    make_pair(program, clock_wall_seconds(), &pair);
    program_put(program, "certs/tls.crt", pair.certificate_pem);
    program_put(program, "certs/tls.key", pair.key_pem);
    wait_for_another(program, serial);
    assert_answers(&open);
    http_client_close(&open);
    x509_pair_fini(&pair);
}

static SSL_CTX *trust(const struct program *program) {
    char path[PROGRAM_PATH_SIZE];
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    program_path(program, "certs/ca.crt", path);
    assert_int_equal(SSL_CTX_load_verify_locations(context, path, NULL), 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return context;
}

/* The four files do not change at once. For a moment the two halves may not match. */
static void test_certificate__a_new_ca_and_pair_of_capstan_certs_is_taken_up(void **state) {
    struct program *program = *state;
    struct http_client open;
    struct http_client client;
    char output[1024];
    program_start(program);
    program_connect(program, &open);
    assert_int_equal(program_shell(program, "\"$CAPSTAN\" certs --out $FOLDER/certs --force",
                                   output, sizeof(output)),
                     0);
    SSL_CTX *trusting = trust(program);
    int64_t until_ms = http_now_ms() + within_ms();
    while (!http_client_open_tls(&client, program->webhook_port, trusting)) {
        http_client_close(&client);
        assert_true(http_now_ms() < until_ms);
        http_sleep_ms(5);
    }
    assert_answers(&client);
    http_client_close(&client);
    assert_false(http_client_open_tls(&client, program->webhook_port, program->client));
    http_client_close(&client);
    assert_answers(&open);
    http_client_close(&open);
    SSL_CTX_free(trusting);
}

static void test_certificate__half_of_a_new_pair_is_refused_until_the_other_comes(void **state) {
    const struct program *program = *state;
    struct x509_pair pair;
    char before[SERIAL_SIZE];
    char after[SERIAL_SIZE];
    program_start(*state);
    see_serial(program, before);
    make_pair(program, clock_wall_seconds(), &pair);
    program_put(program, "certs/tls.crt", pair.certificate_pem);
    program_wait_for_log(program, "\"source.refused\",\"source\":\"certificate\"", 1);
    assert_int_equal(program_count_log(program, "the key is not that of the certificate"), 1);
    see_serial(program, after);
    assert_string_equal(after, before);
    program_put(program, "certs/tls.key", pair.key_pem);
    wait_for_another(program, before);
    assert_true(program_metric(program, REFUSED) >= 1);
    x509_pair_fini(&pair);
}

static void test_certificate__refuses_a_pair_that_cannot_serve(void **state) {
    const struct program *program = *state;
    struct x509_pair old;
    char before[SERIAL_SIZE];
    char after[SERIAL_SIZE];
    make_pair(program, clock_wall_seconds() - 3 * DAY_S, &old);
    AUTO_FREE char *good_chain = program_read(program, "certs/tls.crt");
    AUTO_FREE char *good_key = program_read(program, "certs/tls.key");
    /* The last column is the number of refusals in the log so far. */
    const struct {
        const char *chain;
        const char *key;
        const char *refusal;
        size_t n;
    } rows[] = {
        {"", good_key, "the certificate cannot be read: there is none in the text", 1},
        {good_chain, "", "the key cannot be read: there is none in the text", 1},
        {"garbage\n", good_key, "the certificate cannot be read: there is none in the text", 2},
        {good_chain, good_chain, "the key cannot be read: there is none in the text", 2},
        {old.certificate_pem, old.key_pem, "the certificate expired on ", 1}};
    program_start(*state);
    see_serial(program, before);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        program_put(program, "certs/tls.crt", rows[i].chain);
        program_put(program, "certs/tls.key", rows[i].key);
        program_wait_for_log(program, rows[i].refusal, rows[i].n);
        see_serial(program, after);
        assert_string_equal(after, before);
    }
    program_remove(program, "certs/tls.crt");
    program_wait_for_log(program, "no such file or directory", 1);
    see_serial(program, after);
    assert_string_equal(after, before);
    x509_pair_fini(&old);
}

/* The kubelet changes a mounted Secret like this: both halves at once. */
static void test_certificate__a_swap_by_the_kubelet_is_taken_up_whole(void **state) {
    const struct program *program = *state;
    struct x509_pair pair;
    char serial[SERIAL_SIZE];
    char output[1024];
    make_pair(program, clock_wall_seconds(), &pair);
    program_put(program, "certs/..2/tls.crt", pair.certificate_pem);
    program_put(program, "certs/..2/tls.key", pair.key_pem);
    assert_int_equal(program_shell(program,
                                   "cd $FOLDER/certs && mkdir ..1 && mv tls.crt tls.key ..1 && "
                                   "ln -s ..1 ..data && ln -s ..data/tls.crt ..data/tls.key .",
                                   output, sizeof(output)),
                     0);
    program_start(*state);
    see_serial(program, serial);
    assert_int_equal(
        program_shell(program,
                      "cd $FOLDER/certs && ln -s ..2 ..tmp && mv -T ..tmp ..data && rm -r ..1",
                      output, sizeof(output)),
        0);
    wait_for_another(program, serial);
    assert_int_equal(program_metric(program, REFUSED), 0);
    x509_pair_fini(&pair);
}

static void test_certificate__its_end_is_a_metric(void **state) {
    const struct program *program = *state;
    struct x509_pair pair;
    struct http_tls_validity validity;
    struct error error;
    const int64_t now = clock_wall_seconds();
    make_pair(program, now, &pair);
    assert_true(http_tls_read_validity(pair.certificate_pem, &validity, &error));
    program_start(*state);
    assert_in_range(program_metric(program, "capstan_certificate_expiration_timestamp_seconds") -
                        now,
                    364 * DAY_S, 366 * DAY_S);
    program_put(program, "certs/tls.crt", pair.certificate_pem);
    program_put(program, "certs/tls.key", pair.key_pem);
    program_wait_for_metric(program, "capstan_certificate_expiration_timestamp_seconds",
                            validity.not_after, validity.not_after);
    x509_pair_fini(&pair);
}

/* Vault, step-ca and cert-manager issue such certificates, and renew them in time. */
static void test_certificate__is_silent_about_a_fresh_one_of_24_hours(void **state) {
    const struct program *program = *state;
    struct x509_pair pair;
    make_pair(program, clock_wall_seconds(), &pair);
    program_put(program, "certs/tls.crt", pair.certificate_pem);
    program_put(program, "certs/tls.key", pair.key_pem);
    program_start(*state);
    program_signal(program, SIGHUP);
    program_wait_for_log(program, "\"source\":\"certificate\"", 1);
    assert_int_equal(program_count_log(program, "certificate.expiring"), 0);
    x509_pair_fini(&pair);
}

/* Open connections live on. Clients that check the certificate refuse new ones, and the program
   logs it. It stays ready, since no other replica could serve better. */
static void test_certificate__logs_a_certificate_that_expires(void **state) {
    const struct program *program = *state;
    struct http_client open;
    struct http_client client;
    struct x509_pair pair;
    const int64_t ends = clock_wall_seconds() + 3;
    make_pair(program, ends - DAY_S, &pair);
    program_put(program, "certs/tls.crt", pair.certificate_pem);
    program_put(program, "certs/tls.key", pair.key_pem);
    program_start(*state);
    program_wait_for_log(program, "\"event\":\"certificate.expiring\"", 1);
    program_connect(program, &open);
    while (clock_wall_seconds() <= ends + 1) {
        http_sleep_ms(100);
    }
    SSL_CTX *trusting = trust(program);
    assert_false(http_client_open_tls(&client, program->webhook_port, trusting));
    http_client_close(&client);
    SSL_CTX_free(trusting);
    assert_answers(&open);
    http_client_close(&open);
    program_signal(program, SIGHUP);
    program_wait_for_log(program, "the API server refuses it; renew it now", 1);
    program_wait_for_log(program, "the certificate expired on ", 1);
    assert_int_equal(
        http_client_ask_once(program->probe_port, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"), 503);
    program_wait_for_log(program, "\"event\":\"serve.unready\"", 1);
    assert_true(program_count_log(program, "certificate from --webhook-cert-path expired on ") > 0);
    x509_pair_fini(&pair);
    /* It is renewed, and the replica is ready again. */
    make_pair(program, clock_wall_seconds(), &pair);
    program_put(program, "certs/tls.crt", pair.certificate_pem);
    program_put(program, "certs/tls.key", pair.key_pem);
    program_wait_for_log(program, "\"event\":\"serve.ready\"", 2);
    assert_int_equal(
        http_client_ask_once(program->probe_port, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    assert_int_equal(program_count_log(program, "\"event\":\"serve.unready\""), 1);
    x509_pair_fini(&pair);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(test_certificate__a_new_pair_is_for_new_handshakes),
        FRESH(test_certificate__a_new_ca_and_pair_of_capstan_certs_is_taken_up),
        FRESH(test_certificate__half_of_a_new_pair_is_refused_until_the_other_comes),
        FRESH(test_certificate__refuses_a_pair_that_cannot_serve),
        FRESH(test_certificate__a_swap_by_the_kubelet_is_taken_up_whole),
        FRESH(test_certificate__its_end_is_a_metric),
        FRESH(test_certificate__is_silent_about_a_fresh_one_of_24_hours),
        FRESH(test_certificate__logs_a_certificate_that_expires),
    };
    return cmocka_run_group_tests_name("wire/certificate", tests, NULL, NULL);
}
