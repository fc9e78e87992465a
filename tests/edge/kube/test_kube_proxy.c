// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "edge/clock.h"
#include "kube_site.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

enum { DAY_S = 86400, HEAD_MAX = 4096 };

/* A proxy that takes one connection, answers CONNECT, and joins it with `target`. */
struct tunnel {
    int listener;
    uint16_t target; /* a port on the loopback */
    char head[HEAD_MAX];
    pthread_t thread;
};

static int connect_to(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0) {
        abort();
    }
    return descriptor;
}

static bool pass(int from, int to) {
    char bytes[4096];
    ssize_t size = read(from, bytes, sizeof(bytes));
    return size > 0 && write(to, bytes, (size_t)size) == size;
}

static void *run_tunnel(void *context) {
    static const char answer[] = "HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n";
    struct tunnel *tunnel = context;
    int client = accept(tunnel->listener, NULL, NULL);
    size_t used = 0;
    while (strstr(tunnel->head, "\r\n\r\n") == NULL && used < HEAD_MAX - 1) {
        ssize_t size = read(client, tunnel->head + used, HEAD_MAX - 1 - used);
        if (size <= 0) {
            break;
        }
        used += (size_t)size;
    }
    int server = connect_to(tunnel->target);
    struct pollfd ends[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    bool is_open = write(client, answer, sizeof(answer) - 1) > 0;
    while (is_open && poll(ends, 2, -1) > 0) {
        is_open = (ends[0].revents == 0 || pass(client, server)) &&
                  (ends[1].revents == 0 || pass(server, client));
    }
    close(server);
    close(client);
    return NULL;
}

static uint16_t tunnel_start(struct tunnel *tunnel, uint16_t target) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    *tunnel = (struct tunnel){.listener = socket(AF_INET, SOCK_STREAM, 0), .target = target};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(tunnel->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(tunnel->listener, 4), 0);
    getsockname(tunnel->listener, (struct sockaddr *)&address, &size);
    assert_int_equal(pthread_create(&tunnel->thread, NULL, run_tunnel, tunnel), 0);
    return ntohs(address.sin_port);
}

static void tunnel_end(struct tunnel *tunnel) {
    pthread_join(tunnel->thread, NULL);
    close(tunnel->listener);
}

/* The proxy sees the name of the API server, and nothing that is inside the TLS. */
static void test_kube_proxy__tls_goes_through_a_tunnel(void **state) {
    (void)state;
    static const char *const names[] = {"api.example.org"};
    char *as_jane[] = {(char[]){"Impersonate-User: jane"}, (char[]){"Impersonate-Group: a"}, NULL};
    struct x509_pair ca = {0};
    struct x509_pair leaf = {0};
    struct error error;
    struct kube_site site;
    struct kube_heard heard;
    struct tunnel tunnel;
    char proxy[64];
    assert_true(x509_make_ca("one", clock_wall_seconds(), DAY_S, &ca, &error));
    assert_true(x509_make_leaf(&ca, names, 1, clock_wall_seconds(), DAY_S, &leaf, &error));
    SSL_CTX *tls = kube_site_tls(&leaf);
    kube_site_init(&site, &(struct script_options){.tls = tls});
    script_server_answer(site.server, "/a", 1, OK_EMPTY);
    uint16_t port = tunnel_start(&tunnel, script_server_port(site.server));
    snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", port);
    site.access.server = (char[]){"https://api.example.org:6443"};
    site.access.ca_pem = ca.certificate_pem;
    site.access.token = (char[]){"secret"};
    site.access.impersonation = as_jane;
    site.access.proxy = proxy;
    kube_site_start(&site);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_true(heard.is_good);
    assert_int_equal(heard.status, 200);
    assert_string_equal(heard.body, "{}");
    kube_heard_fini(&heard);
    const char *request = script_server_request(site.server, 0);
    assert_non_null(strstr(request, "Authorization: Bearer secret\r\n"));
    assert_non_null(strstr(request, "Impersonate-User: jane\r\nImpersonate-Group: a\r\n"));
    kube_site_stop(&site);
    tunnel_end(&tunnel);
    assert_int_equal(strncmp(tunnel.head, "CONNECT api.example.org:6443 HTTP/1.1\r\n", 39), 0);
    assert_null(strstr(tunnel.head, "secret"));
    assert_null(strstr(tunnel.head, "jane"));
    SSL_CTX_free(tls);
    x509_pair_fini(&leaf);
    x509_pair_fini(&ca);
}

static void test_kube_proxy__a_plain_request_names_the_server(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard heard;
    kube_site_init(&site, &(struct script_options){0});
    script_server_answer(site.server, NULL, 1, OK_EMPTY);
    site.access.server = (char[]){"http://api.example.org:8001"};
    site.access.proxy = site.url;
    kube_site_start(&site);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_true(heard.is_good);
    const char *request = script_server_request(site.server, 0);
    assert_int_equal(strncmp(request, "GET http://api.example.org:8001/a HTTP/1.1\r\n", 44), 0);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

static void test_kube_proxy__some_hosts_are_reached_without_it(void **state) {
    (void)state;
    struct kube_site site;
    struct kube_heard heard;
    kube_site_init(&site, &(struct script_options){0});
    script_server_answer(site.server, "/a", 1, OK_EMPTY);
    site.access.proxy = (char[]){"http://127.0.0.1:1"};
    site.access.no_proxy = (char[]){"example.com,127.0.0.0/8"};
    kube_site_start(&site);
    kube_site_ask(&site, KUBE_GET, "/a", &heard);
    assert_true(heard.is_good);
    kube_heard_fini(&heard);
    kube_site_stop(&site);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_proxy__tls_goes_through_a_tunnel),
        cmocka_unit_test(test_kube_proxy__a_plain_request_names_the_server),
        cmocka_unit_test(test_kube_proxy__some_hosts_are_reached_without_it),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("edge/kube_proxy", tests, NULL, NULL);
}
