// SPDX-License-Identifier: Apache-2.0

/*
 * The program as the TLS and HTTP of other people see it: curl and openssl s_client use OpenSSL,
 * and the program uses GnuTLS.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "program.h"

enum { OUTPUT_SIZE = 64 * 1024, CURL_CANNOT_CONNECT_TLS = 35, CURL_CANNOT_VERIFY = 60 };

/* Calls the name in the certificate, and resolves it to this machine. */
#define CURL                                                                                       \
    "curl -sS --max-time 10 --resolve localhost:$PORT:127.0.0.1 "                                  \
    "-H 'Content-Type: application/json' "                                                         \
    "--data-binary @$SAMPLES/07-Deployment-CREATE-plain.json "                                     \
    "-w '\\n%{http_code} HTTP/%{http_version} %{ssl_verify_result}\\n' "                           \
    "https://localhost:$PORT/mutate "
#define TRUST "--cacert $FOLDER/certs/ca.crt "

#define S_CLIENT "timeout 10 openssl s_client -connect 127.0.0.1:$PORT "
#define VERIFY   "-CAfile $FOLDER/certs/ca.crt -verify_return_error -verify_hostname localhost "

static void assert_run(void **state, const char *command, int status, const char *const *parts) {
    char output[OUTPUT_SIZE];
    int is = program_shell(*state, command, output, sizeof(output));
    if (is != status) {
        fail_msg("%s: exit status %d, not %d: %s", command, is, status, output);
    }
    for (; *parts != NULL; parts++) {
        if (strstr(output, *parts) == NULL) {
            fail_msg("%s: no '%s' in %s", command, *parts, output);
        }
    }
}

#define ASSERT_RUN(command, status, ...)                                                           \
    assert_run(state, (command), (status), (const char *const[]){__VA_ARGS__, NULL})

static void test_tools__curl_gets_a_patch(void **state) {
    ASSERT_RUN(CURL TRUST, 0, "\n200 HTTP/1.1 0\n",
               "\"uid\":\"aed2a1e1-f69f-41c9-9565-e6507264583c\"", "\"allowed\":true",
               "\"patchType\":\"JSONPatch\"",
               /* [{"op":"add","path":"/spec/replicas","value":1}] */
               "\"W3sib3AiOiJhZGQiLCJwYXRoIjoiL3NwZWMvcmVwbGljYXMiLCJ2YWx1ZSI6MX1d\"",
               "\"warnings\":[\"stdio-cap: ");
}

static void test_tools__curl_gets_it_with_tls_1_2_and_with_tls_1_3(void **state) {
    ASSERT_RUN(CURL TRUST "--tlsv1.2 --tls-max 1.2", 0, "\n200 HTTP/1.1 0\n");
    ASSERT_RUN(CURL TRUST "--tlsv1.3", 0, "\n200 HTTP/1.1 0\n");
}

static void test_tools__curl_that_would_rather_have_http_2_gets_http_1_1(void **state) {
    ASSERT_RUN(CURL TRUST "--http2", 0, "\n200 HTTP/1.1 0\n");
}

static void test_tools__curl_that_waits_for_100_continue_gets_it(void **state) {
    ASSERT_RUN(CURL TRUST "-v -H 'Expect: 100-continue'", 0, "< HTTP/1.1 100 Continue",
               "\n200 HTTP/1.1 0\n");
}

static void test_tools__curl_does_not_trust_it_without_the_ca(void **state) {
    ASSERT_RUN(CURL, CURL_CANNOT_VERIFY, "unable to get local issuer certificate");
}

static void test_tools__curl_does_not_trust_it_under_another_name(void **state) {
    ASSERT_RUN("curl -sS --max-time 10 --resolve capstan.example.com:$PORT:127.0.0.1 " TRUST
               "https://capstan.example.com:$PORT/mutate",
               CURL_CANNOT_VERIFY, "capstan.example.com");
}

static void test_tools__curl_trusts_the_names_of_the_service_and_the_machine(void **state) {
    static const char *const names[] = {"capstan.capstan-system.svc",
                                        "capstan.capstan-system.svc.cluster.local",
                                        "capstan.capstan-system", "capstan"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char command[512];
        snprintf(command, sizeof(command),
                 "curl -sS --max-time 10 --resolve %s:$PORT:127.0.0.1 " TRUST
                 "-o /dev/null -w '%%{http_code}' https://%s:$PORT/mutate",
                 names[i], names[i]);
        ASSERT_RUN(command, 0, "405");
    }
    ASSERT_RUN("curl -sS --max-time 10 " TRUST
               "-o /dev/null -w '%{http_code}' https://127.0.0.1:$PORT/mutate",
               0, "405");
}

static void test_tools__curl_gets_no_tls_1_1(void **state) {
    ASSERT_RUN(CURL TRUST "--tlsv1.1 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0",
               CURL_CANNOT_CONNECT_TLS, "");
}

static void test_tools__openssl_verifies_the_certificate_by_its_name(void **state) {
    ASSERT_RUN(S_CLIENT VERIFY "</dev/null", 0, "Verification: OK", "Verified peername: localhost",
               "Verify return code: 0 (ok)", "Peer signature type: ECDSA");
    ASSERT_RUN(S_CLIENT "-CAfile $FOLDER/certs/ca.crt -verify_return_error "
                        "-verify_hostname capstan.example.com </dev/null",
               1, "hostname mismatch");
}

static void test_tools__openssl_gets_tls_1_2_and_tls_1_3(void **state) {
    ASSERT_RUN(S_CLIENT VERIFY "-tls1_2 </dev/null", 0, "New, TLSv1.2, Cipher is ECDHE-ECDSA-",
               "Verify return code: 0 (ok)");
    ASSERT_RUN(S_CLIENT VERIFY "-tls1_3 </dev/null", 0, "New, TLSv1.3, Cipher is TLS_",
               "Verify return code: 0 (ok)");
}

/* With security level 0, openssl would accept these versions. It sends its hello and gets nothing
   back. */
static void test_tools__openssl_gets_no_tls_1_1_and_no_tls_1_0(void **state) {
    ASSERT_RUN(S_CLIENT "-tls1_1 -cipher ALL:@SECLEVEL=0 </dev/null", 1,
               "SSL handshake has read 0 bytes and written 1", "Cipher is (NONE)");
    ASSERT_RUN(S_CLIENT "-tls1 -cipher ALL:@SECLEVEL=0 </dev/null", 1,
               "SSL handshake has read 0 bytes and written 1", "Cipher is (NONE)");
}

static void test_tools__openssl_gets_no_weak_cipher(void **state) {
    static const char *const ciphers[] = {"AES128-SHA",         "AES256-GCM-SHA384",
                                          "DHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA",
                                          "ADH-AES128-SHA",     "NULL"};
    for (size_t i = 0; i < COUNT_OF(ciphers); i++) {
        char command[256];
        snprintf(command, sizeof(command), S_CLIENT "-tls1_2 -cipher %s:@SECLEVEL=0 </dev/null",
                 ciphers[i]);
        ASSERT_RUN(command, 1, "Cipher is (NONE)");
    }
}

static void test_tools__openssl_carries_a_whole_review(void **state) {
    ASSERT_RUN("{ printf 'POST /mutate HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n"
               "Content-Length: %s\\r\\n\\r\\n' "
               "\"$(wc -c < $SAMPLES/11-Deployment-UPDATE-github.json)\"; "
               "cat $SAMPLES/11-Deployment-UPDATE-github.json; } | " S_CLIENT VERIFY
               "-quiet -ign_eof",
               0, "HTTP/1.1 200 OK", "Connection: close", "\"allowed\":true",
               "\"patchType\":\"JSONPatch\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools__curl_gets_a_patch),
        cmocka_unit_test(test_tools__curl_gets_it_with_tls_1_2_and_with_tls_1_3),
        cmocka_unit_test(test_tools__curl_that_would_rather_have_http_2_gets_http_1_1),
        cmocka_unit_test(test_tools__curl_that_waits_for_100_continue_gets_it),
        cmocka_unit_test(test_tools__curl_does_not_trust_it_without_the_ca),
        cmocka_unit_test(test_tools__curl_does_not_trust_it_under_another_name),
        cmocka_unit_test(test_tools__curl_trusts_the_names_of_the_service_and_the_machine),
        cmocka_unit_test(test_tools__curl_gets_no_tls_1_1),
        cmocka_unit_test(test_tools__openssl_verifies_the_certificate_by_its_name),
        cmocka_unit_test(test_tools__openssl_gets_tls_1_2_and_tls_1_3),
        cmocka_unit_test(test_tools__openssl_gets_no_tls_1_1_and_no_tls_1_0),
        cmocka_unit_test(test_tools__openssl_gets_no_weak_cipher),
        cmocka_unit_test(test_tools__openssl_carries_a_whole_review),
    };
    return cmocka_run_group_tests_name("wire/tools", tests, program_setup, program_teardown);
}
