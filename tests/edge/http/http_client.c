// SPDX-License-Identifier: Apache-2.0
#include "http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>

#include "base/memory.h"
#include "edge/clock.h"

enum { PATIENCE_MS = 5000 };

/* OpenSSL writes without MSG_NOSIGNAL. The threads of a server block the signal themselves. */
static void ignore_broken_pipes(void) {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
}

bool http_client_try_open(struct http_client *client, uint16_t port) {
    ignore_broken_pipes();
    *client =
        (struct http_client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .port = port};
    assert_true(client->fd >= 0);
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    const int yes = 1;
    assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
                     0);
    assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience),
                     0);
    assert_int_equal(setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), 0);
    const struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    if (connect(client->fd, (const struct sockaddr *)&server, sizeof server) == 0) {
        return true;
    }
    http_client_close(client);
    return false;
}

void http_client_open(struct http_client *client, uint16_t port) {
    assert_true(http_client_try_open(client, port));
}

bool http_client_begin_tls(struct http_client *client, SSL_CTX *context) {
    client->ssl = SSL_new(context);
    assert_non_null(client->ssl);
    assert_int_equal(SSL_set_fd(client->ssl, client->fd), 1);
    assert_int_equal(SSL_set1_host(client->ssl, "localhost"), 1);
    return SSL_connect(client->ssl) == 1;
}

bool http_client_open_tls(struct http_client *client, uint16_t port, SSL_CTX *context) {
    http_client_open(client, port);
    return http_client_begin_tls(client, context);
}

void http_client_close(struct http_client *client) {
    SSL_free(client->ssl);
    close(client->fd);
    client->ssl = NULL;
    client->fd = -1;
}

void http_client_reset(struct http_client *client) {
    const struct linger at_once = {.l_onoff = 1};
    assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    http_client_close(client);
}

bool http_client_send(struct http_client *client, const char *bytes, size_t size) {
    if (client->ssl != NULL) {
        return SSL_write(client->ssl, bytes, (int)size) == (int)size;
    }
    while (size > 0) {
        ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool http_client_send_text(struct http_client *client, const char *text) {
    return http_client_send(client, text, strlen(text));
}

static bool receive(struct http_client *client) {
    char *room = client->bytes + client->size;
    size_t size = sizeof client->bytes - 1 - client->size;
    ssize_t received = client->ssl != NULL ? SSL_read(client->ssl, room, (int)size)
                                           : recv(client->fd, room, size, 0);
    if (received <= 0) {
        return false;
    }
    client->size += (size_t)received;
    client->bytes[client->size] = '\0';
    return true;
}

static void consume(struct http_client *client, size_t size) {
    client->size -= size;
    memmove(client->bytes, client->bytes + size, client->size + 1);
}

bool http_client_read_head(struct http_client *client, struct http_answer *ret_answer) {
    const char *end = NULL;
    client->bytes[client->size] = '\0';
    while ((end = strstr(client->bytes, "\r\n\r\n")) == NULL) {
        if (!receive(client)) {
            return false;
        }
    }
    size_t size = (size_t)(end - client->bytes) + 4;
    assert_true(size < sizeof ret_answer->head);
    *ret_answer = (struct http_answer){0};
    memcpy(ret_answer->head, client->bytes, size);
    consume(client, size);
    assert_int_equal(sscanf(ret_answer->head, "HTTP/1.1 %d ", &ret_answer->status), 1);
    return true;
}

bool http_client_read_whole(struct http_client *client, struct http_answer *ret_answer,
                            char *ret_body, size_t body_size) {
    if (!http_client_read_head(client, ret_answer)) {
        return false;
    }
    const char *length = strcasestr(ret_answer->head, "\r\nContent-Length:");
    size_t expected = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
    assert_true(expected < body_size);
    while (ret_answer->body_size < expected) {
        if (client->size == 0 && !receive(client)) {
            return false;
        }
        size_t left = expected - ret_answer->body_size;
        size_t piece = client->size < left ? client->size : left;
        memcpy(ret_body + ret_answer->body_size, client->bytes, piece);
        ret_answer->body_size += piece;
        consume(client, piece);
    }
    ret_body[expected] = '\0';
    return true;
}

bool http_client_read(struct http_client *client, struct http_answer *ret_answer) {
    if (!http_client_read_head(client, ret_answer)) {
        return false;
    }
    const char *length = strcasestr(ret_answer->head, "\r\nContent-Length:");
    size_t expected = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
    while (ret_answer->body_size < expected) {
        if (client->size == 0 && !receive(client)) {
            return false;
        }
        size_t left = expected - ret_answer->body_size;
        size_t piece = client->size < left ? client->size : left;
        for (size_t i = 0; i < piece && ret_answer->body_size + i < 255; i++) {
            ret_answer->body[ret_answer->body_size + i] = client->bytes[i];
        }
        ret_answer->body_size += piece;
        consume(client, piece);
    }
    return true;
}

void http_client_ask(struct http_client *client, const char *request,
                     struct http_answer *ret_answer) {
    assert_true(http_client_send_text(client, request));
    assert_true(http_client_read(client, ret_answer));
}

int http_client_ask_once(uint16_t port, const char *request) {
    struct http_client client;
    struct http_answer answer;
    http_client_open(&client, port);
    http_client_ask(&client, request, &answer);
    http_client_close(&client);
    return answer.status;
}

bool http_client_sees_end(struct http_client *client, int64_t within_ms) {
    int64_t until_ms = http_now_ms() + within_ms;
    char ignored[4096];
    for (;;) {
        int64_t left_ms = until_ms - http_now_ms();
        struct pollfd polled = {.fd = client->fd, .events = POLLIN};
        if (left_ms <= 0 || poll(&polled, 1, (int)left_ms) == 0) {
            return false;
        }
        if (recv(client->fd, ignored, sizeof ignored, 0) <= 0) {
            return true;
        }
    }
}

bool http_answer_has(const struct http_answer *answer, const char *header) {
    size_t size = strlen(header);
    for (const char *line = strstr(answer->head, "\r\n"); line != NULL;
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, header, size) == 0) {
            return true;
        }
    }
    return false;
}

static void echo(void *context, const struct http_request *request,
                 struct http_response *response) {
    struct http_site *site = context;
    atomic_fetch_add(&site->n_handled, 1);
    if (strcmp(request->path, "/echo") != 0) {
        response->status = 500;
    }
    if (request->body_size == 0) {
        buffer_add_text(&response->body, "0 bytes");
        return;
    }
    buffer_add_format(&response->body, "%zu bytes, first %c, last %c", request->body_size,
                      request->body[0], request->body[request->body_size - 1]);
}

static void get_echo(void *context, const struct http_request *request,
                     struct http_response *response) {
    (void)context;
    (void)request;
    response->content_type = "application/json";
    buffer_add_text(&response->body, "get");
}

static void healthz(void *context, const struct http_request *request,
                    struct http_response *response) {
    (void)context;
    (void)request;
    buffer_add_text(&response->body, "ok");
}

static void thread(void *context, const struct http_request *request,
                   struct http_response *response) {
    (void)context;
    (void)request;
    buffer_add_format(&response->body, "%d", (int)gettid());
}

static void large(void *context, const struct http_request *request,
                  struct http_response *response) {
    (void)request;
    struct http_site *site = context;
    static const char zeros[65536];
    for (size_t left = site->large_size; left > 0;) {
        size_t piece = left < sizeof zeros ? left : sizeof zeros;
        buffer_add(&response->body, zeros, piece);
        left -= piece;
    }
    atomic_fetch_add(&site->n_handled, 1);
}

static void wait(void *context, const struct http_request *request,
                 struct http_response *response) {
    (void)request;
    (void)response;
    struct http_site *site = context;
    atomic_store(&site->has_arrived, true);
    while (!atomic_load(&site->may_leave)) {
        http_sleep_ms(1);
    }
}

void http_site_answer(struct http_connection *connection, const char *text) {
    struct http_response response;
    http_response_init(&response);
    response.status = 202;
    buffer_add_text(&response.body, text);
    http_answer(connection, &response);
}

static void defer(void *context, const struct http_request *request,
                  struct http_response *response) {
    struct http_site *site = context;
    buffer_add_text(&response->body, "never sent");
    http_defer(request);
    if (site->answers_at_once) {
        http_site_answer(request->connection, "at once");
    } else {
        atomic_store(&site->deferred, request->connection);
    }
}

struct http_connection *http_site_next_deferred(struct http_site *site) {
    int64_t until_ms = http_now_ms() + PATIENCE_MS;
    struct http_connection *connection;
    while ((connection = atomic_exchange(&site->deferred, NULL)) == NULL) {
        assert_true(http_now_ms() < until_ms);
        http_sleep_ms(1);
    }
    return connection;
}

static void timeout(void *context, const struct http_request *request,
                    struct http_response *response) {
    (void)context;
    buffer_add_format(&response->body, "%lld", (long long)request->timeout_ms);
}

static const struct http_route ROUTES[] = {
    {"GET", "/echo", get_echo}, {"POST", "/echo", echo},       {"GET", "/healthz", healthz},
    {"GET", "/thread", thread}, {"GET", "/large", large},      {"POST", "/wait", wait},
    {"POST", "/defer", defer},  {"POST", "/timeout", timeout},
};

void http_site_init(struct http_site *site) {
    *site = (struct http_site){
        .options = {.bind_address = "127.0.0.1:0",
                    .routes = ROUTES,
                    .n_routes = COUNT_OF(ROUTES),
                    .context = site,
                    .workers = 2,
                    .connections_max = 1000,
                    .body_max = 32 * 1024 * 1024,
                    .bodies_max = 96 * 1024 * 1024,
                    .head_timeout_ms = 10000,
                    .body_timeout_ms = 10000,
                    .idle_timeout_ms = 130000},
    };
}

void http_site_start(struct http_site *site) {
    struct error error;
    if (!http_start(&site->options, &site->server, &error)) {
        fail_msg("%s", error.text);
    }
    site->port = http_port(site->server);
}

void http_site_stop(struct http_site *site) {
    http_stop(site->server);
    site->server = NULL;
}

struct http_counts http_site_count(const struct http_site *site) {
    struct http_counts counts;
    http_count(site->server, &counts);
    return counts;
}

void http_site_wait_(const struct http_site *site, size_t offset, uint64_t value) {
    int64_t until_ms = http_now_ms() + PATIENCE_MS;
    uint64_t found = 0;
    do {
        struct http_counts counts = http_site_count(site);
        memcpy(&found, (const char *)&counts + offset, sizeof found);
        if (found == value) {
            return;
        }
        http_sleep_ms(1);
    } while (http_now_ms() < until_ms);
    fail_msg("the counter at %zu is %llu", offset, (unsigned long long)found);
}

void http_site_wait_for_arrival(const struct http_site *site) {
    int64_t until_ms = http_now_ms() + PATIENCE_MS;
    while (!atomic_load(&site->has_arrived)) {
        assert_true(http_now_ms() < until_ms);
        http_sleep_ms(1);
    }
}

X509 *http_read_certificate(const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(certificate);
    return certificate;
}

void http_identity_init(struct http_identity *identity) {
    *identity = (struct http_identity){.client = SSL_CTX_new(TLS_client_method())};
    const char *const names[] = {"localhost"};
    const int64_t now = clock_wall_seconds();
    struct error error;
    if (!x509_make_ca("test", now, 3600, &identity->ca, &error) ||
        !x509_make_leaf(&identity->ca, names, 1, now, 3600, &identity->leaf, &error)) {
        fail_msg("%s", error.text);
    }
    X509 *ca = http_read_certificate(identity->ca.certificate_pem);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(identity->client), ca), 1);
    X509_free(ca);
    SSL_CTX_set_verify(identity->client, SSL_VERIFY_PEER, NULL);
}

void http_identity_fini(struct http_identity *identity) {
    SSL_CTX_free(identity->client);
    x509_pair_fini(&identity->leaf);
    x509_pair_fini(&identity->ca);
}

void http_identity_serve(const struct http_identity *identity, struct http_site *site) {
    struct error error;
    if (!http_set_key_pair(site->server, identity->leaf.certificate_pem, identity->leaf.key_pem,
                           &error)) {
        fail_msg("%s", error.text);
    }
}

static int64_t read_ms(clockid_t clock) {
    struct timespec at;
    assert_int_equal(clock_gettime(clock, &at), 0);
    return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

int64_t http_now_ms(void) {
    return read_ms(CLOCK_MONOTONIC);
}

void http_sleep_ms(int64_t ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static int64_t measure_cpu_ms(int64_t window_ms) {
    int64_t before_ms = read_ms(CLOCK_PROCESS_CPUTIME_ID);
    http_sleep_ms(window_ms);
    return read_ms(CLOCK_PROCESS_CPUTIME_ID) - before_ms;
}

void http_assert_asleep(int64_t window_ms) {
    int64_t least_ms = INT64_MAX;
    for (int i = 0; i < 3 && least_ms >= window_ms / 10; i++) {
        int64_t used_ms = measure_cpu_ms(window_ms);
        least_ms = used_ms < least_ms ? used_ms : least_ms;
    }
    assert_true(least_ms < window_ms / 10);
}

void http_site_start_tls(struct http_site *site) {
    http_site_init(site);
    site->options.is_tls = true;
    http_site_start(site);
}

bool http_identity_is_served(const struct http_identity *identity, const struct http_site *site) {
    struct http_client client;
    struct http_answer answer;
    bool is_open = http_client_open_tls(&client, site->port, identity->client);
    if (is_open) {
        http_client_ask(&client, HTTP_GET_HEALTHZ, &answer);
        assert_int_equal(answer.status, 200);
    }
    http_client_close(&client);
    return is_open;
}
