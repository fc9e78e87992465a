// SPDX-License-Identifier: Apache-2.0
#include "script_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"

enum {
    CONNECTIONS_MAX = 256,
    REQUESTS_MAX = 1024,
    REPLIES_MAX = 64,
    REQUEST_SIZE_MAX = 4 * 1024 * 1024,
};

struct reply {
    const char *path;
    unsigned n_left;
    bool is_for_ever;
    char *owned_text;        /* a copy made by script_server_answer() */
    struct script_step text; /* the step that sends this copy */
    const struct script_step *steps;
    size_t n_steps;
};

struct peer {
    struct script_server *server;
    pthread_t thread;
    int fd;
    SSL *ssl;
    struct buffer received; /* not yet read as a request */
};

struct script_server {
    int fd;
    uint16_t port;
    SSL_CTX *tls;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards all members below */
    pthread_cond_t changed;
    bool is_stopping;
    unsigned n_released;
    struct reply replies[REPLIES_MAX];
    size_t n_replies;
    char *requests[REQUESTS_MAX];
    size_t n_requests;
    struct peer peers[CONNECTIONS_MAX];
    size_t n_peers;
};

/* Bytes in and out. */

static ssize_t receive(struct peer *peer, char *bytes, size_t size) {
    return peer->ssl == NULL ? recv(peer->fd, bytes, size, 0)
                             : SSL_read(peer->ssl, bytes, (int)size);
}

static bool transmit(struct peer *peer, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = peer->ssl == NULL ? send(peer->fd, bytes, size, MSG_NOSIGNAL)
                                      : SSL_write(peer->ssl, bytes, (int)size);
        if (n <= 0) {
            return false;
        }
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

static void pause_ms(int64_t ms) {
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static bool drip(struct peer *peer, const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (!transmit(peer, bytes + i, 1)) {
            return false;
        }
        pause_ms(1);
    }
    return true;
}

/* Requests. */

static size_t content_length(const char *head) {
    const char *line = strcasestr(head, "\r\ncontent-length:");
    return line == NULL ? 0 : (size_t)strtoul(strchr(line, ':') + 1, NULL, 10);
}

/* The size of the first request in the text, or 0 if it is not complete. */
static size_t request_size(const char *text, size_t size) {
    const char *end = strstr(text, "\r\n\r\n");
    size_t whole = end == NULL ? 0 : (size_t)(end + 4 - text) + content_length(text);
    return size >= whole ? whole : 0;
}

/* The text of one request, or NULL once the client has closed. */
static char *read_request(struct peer *peer) {
    struct buffer *received = &peer->received;
    size_t size;
    while ((size = request_size(buffer_text(received), received->size)) == 0) {
        char bytes[16384];
        ssize_t n = receive(peer, bytes, sizeof(bytes));
        if (n <= 0) {
            return NULL;
        }
        buffer_add(received, bytes, (size_t)n);
        if (received->is_cut) {
            abort();
        }
    }
    char *request = memory_copy(received->bytes, size);
    memmove(received->bytes, received->bytes + size, received->size - size);
    received->size -= size;
    return request;
}

static bool fits(const struct reply *reply, const char *request) {
    const char *target = strchr(request, ' ') + 1;
    size_t size = strcspn(target, " ?");
    return (reply->is_for_ever || reply->n_left > 0) &&
           (reply->path == NULL ||
            (strlen(reply->path) == size && memcmp(reply->path, target, size) == 0));
}

/* Keeps the request and finds its reply. */
static const struct reply *note(struct script_server *server, char *request) {
    const struct reply *found = NULL;
    pthread_mutex_lock(&server->mutex);
    if (server->n_requests < REQUESTS_MAX) {
        server->requests[server->n_requests++] = request;
    } else {
        abort();
    }
    for (size_t i = 0; i < server->n_replies && found == NULL; i++) {
        if (fits(&server->replies[i], request)) {
            server->replies[i].n_left--;
            found = &server->replies[i];
        }
    }
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
    return found;
}

/* Replies. */

static void wait_for_release(struct script_server *server) {
    pthread_mutex_lock(&server->mutex);
    while (server->n_released == 0 && !server->is_stopping) {
        pthread_cond_wait(&server->changed, &server->mutex);
    }
    server->n_released -= server->n_released > 0;
    pthread_mutex_unlock(&server->mutex);
}

static void hang(struct peer *peer) {
    char bytes[256];
    while (receive(peer, bytes, sizeof(bytes)) > 0) {
    }
}

static void reset(struct peer *peer) {
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Returns false at the end of the connection. */
static bool play_step(struct peer *peer, const struct script_step *step) {
    size_t size = step->size == 0 && step->bytes != NULL ? strlen(step->bytes) : step->size;
    switch (step->what) {
    case SCRIPT_SEND:
        return transmit(peer, step->bytes, size);
    case SCRIPT_DRIP:
        return drip(peer, step->bytes, size);
    case SCRIPT_DELAY:
        pause_ms(step->ms);
        return true;
    case SCRIPT_WAIT:
        wait_for_release(peer->server);
        return true;
    case SCRIPT_HANG:
        hang(peer);
        return false;
    case SCRIPT_RESET:
        reset(peer);
        return false;
    case SCRIPT_CLOSE:
        return false;
    }
    return false;
}

static bool play(struct peer *peer, const struct reply *reply) {
    if (reply == NULL) {
        static const char none[] = "HTTP/1.1 599 Not in the script\r\nContent-Length: 0\r\n\r\n";
        return transmit(peer, none, sizeof(none) - 1);
    }
    for (size_t i = 0; i < reply->n_steps; i++) {
        if (!play_step(peer, &reply->steps[i])) {
            return false;
        }
    }
    return true;
}

/* Connections. */

static bool shake_hands(struct peer *peer) {
    if (peer->server->tls == NULL) {
        return true;
    }
    peer->ssl = SSL_new(peer->server->tls);
    SSL_set_fd(peer->ssl, peer->fd);
    return SSL_accept(peer->ssl) == 1;
}

static void *serve(void *context) {
    struct peer *peer = context;
    buffer_init(&peer->received, REQUEST_SIZE_MAX);
    bool is_open = shake_hands(peer);
    while (is_open) {
        char *request = read_request(peer);
        is_open = request != NULL && play(peer, note(peer->server, request));
    }
    buffer_fini(&peer->received);
    SSL_free(peer->ssl);
    /* Closes the descriptor under the mutex: script_server_free() may be about to use it. */
    pthread_mutex_lock(&peer->server->mutex);
    close(peer->fd);
    peer->fd = -1;
    pthread_mutex_unlock(&peer->server->mutex);
    return NULL;
}

static void *accept_peers(void *context) {
    struct script_server *server = context;
    int fd;
    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        pthread_mutex_lock(&server->mutex);
        if (server->is_stopping || server->n_peers == CONNECTIONS_MAX) {
            close(fd);
        } else {
            struct peer *peer = &server->peers[server->n_peers++];
            *peer = (struct peer){.server = server, .fd = fd};
            pthread_create(&peer->thread, NULL, serve, peer);
        }
        pthread_mutex_unlock(&server->mutex);
    }
    return NULL;
}

static void listen_on_loopback(struct script_server *server, int family) {
    struct sockaddr_in6 address = {0};
    socklen_t size = sizeof(address);
    if (family == AF_INET6) {
        address.sin6_family = AF_INET6;
        address.sin6_addr = in6addr_loopback;
    } else {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)&address;
        ipv4->sin_family = AF_INET;
        ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        size = sizeof(*ipv4);
    }
    server->fd = socket(family == AF_INET6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (const struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->fd, CONNECTIONS_MAX), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin6_port); /* the same offset as sin_port */
}

struct script_server *script_server_new(const struct script_options *options) {
    struct script_server *server = memory_new(1, sizeof(*server));
    server->tls = options->tls;
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->changed, NULL);
    listen_on_loopback(server, options->family);
    assert_int_equal(pthread_create(&server->thread, NULL, accept_peers, server), 0);
    return server;
}

void script_server_free(struct script_server *server) {
    pthread_mutex_lock(&server->mutex);
    server->is_stopping = true;
    shutdown(server->fd, SHUT_RDWR);
    for (size_t i = 0; i < server->n_peers; i++) {
        if (server->peers[i].fd >= 0) {
            shutdown(server->peers[i].fd, SHUT_RDWR);
        }
    }
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < server->n_peers; i++) {
        pthread_join(server->peers[i].thread, NULL);
    }
    for (size_t i = 0; i < server->n_requests; i++) {
        free(server->requests[i]);
    }
    for (size_t i = 0; i < server->n_replies; i++) {
        free(server->replies[i].owned_text);
    }
    close(server->fd);
    pthread_mutex_destroy(&server->mutex);
    pthread_cond_destroy(&server->changed);
    free(server);
}

uint16_t script_server_port(const struct script_server *server) {
    return server->port;
}

/* The interface for tests. */

void script_server_play(struct script_server *server, const char *path, unsigned n_times,
                        const struct script_step *steps, size_t n_steps) {
    pthread_mutex_lock(&server->mutex);
    assert_true(server->n_replies < REPLIES_MAX);
    server->replies[server->n_replies++] = (struct reply){.path = path,
                                                          .n_left = n_times,
                                                          .is_for_ever = n_times == 0,
                                                          .steps = steps,
                                                          .n_steps = n_steps};
    pthread_mutex_unlock(&server->mutex);
}

void script_server_answer(struct script_server *server, const char *path, unsigned n_times,
                          const char *text) {
    pthread_mutex_lock(&server->mutex);
    assert_true(server->n_replies < REPLIES_MAX);
    struct reply *reply = &server->replies[server->n_replies++];
    *reply = (struct reply){.path = path, .n_left = n_times, .is_for_ever = n_times == 0};
    reply->owned_text = memory_copy(text, strlen(text));
    reply->text = (struct script_step){.what = SCRIPT_SEND, .bytes = reply->owned_text};
    reply->steps = &reply->text;
    reply->n_steps = 1;
    pthread_mutex_unlock(&server->mutex);
}

void script_server_release(struct script_server *server) {
    pthread_mutex_lock(&server->mutex);
    server->n_released++;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

size_t script_server_n_requests(struct script_server *server) {
    pthread_mutex_lock(&server->mutex);
    size_t n = server->n_requests;
    pthread_mutex_unlock(&server->mutex);
    return n;
}

const char *script_server_request(struct script_server *server, size_t index) {
    assert_true(index < script_server_n_requests(server));
    pthread_mutex_lock(&server->mutex);
    const char *request = server->requests[index];
    pthread_mutex_unlock(&server->mutex);
    return request;
}

size_t script_server_n_connections(struct script_server *server) {
    pthread_mutex_lock(&server->mutex);
    size_t n = server->n_peers;
    pthread_mutex_unlock(&server->mutex);
    return n;
}
