// SPDX-License-Identifier: Apache-2.0
#include "edge/http.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "edge/clock.h"
#include "http_accept.h"
#include "http_address.h"
#include "http_request.h"
#include "http_server.h"

/* MHD uses half of it for the request line and the headers. */
enum { CONNECTION_MEMORY = 32 * 1024 };

enum { STOP_PATIENCE_MS = 2000 };

static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    struct http_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        struct http_connection *connection = http_connections_start(&server->connections, fd);
        connection->mhd = mhd;
        if (server->tls != NULL) {
            void *session =
                MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
            http_tls_open(server->tls, &connection->session, session);
        }
        *socket_context = connection;
    } else {
        struct http_connection *connection = *socket_context;
        http_tls_close(&connection->session);
        http_request_drop(server, connection);
        if (connection->lingers) {
            http_linger_add(&server->linger, connection->fd, clock_boot_ms());
        }
        http_connections_end(&server->connections, connection->fd);
    }
}

/* MHD's own timeout starts again with each byte. It comes after every deadline, and matters only if
   the accept thread fails. */
static unsigned backstop_s(const struct http_options *options) {
    int64_t request_ms = MAX(options->head_timeout_ms, options->body_timeout_ms);
    int64_t longest_ms = MAX(options->idle_timeout_ms, request_ms);
    return (unsigned)(longest_ms / 1000 + 2);
}

/* One polling thread. With epoll, MHD spins while a TLS handshake stalls. MHD's own thread pool
   gives all pending connections to the thread that wakes first. */
static struct MHD_Daemon *start_worker(struct http_server *server) {
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    unsigned limit = (unsigned)server->options.connections_max + HTTP_CONNECTIONS_LEAVING_MAX + 1;
    struct MHD_OptionItem tls[HTTP_TLS_N_OPTIONS] = {{.option = MHD_OPTION_END}};
    if (server->tls != NULL) {
        flags |= MHD_USE_TLS;
        http_tls_fill_options(tls);
    }
    /* The accept thread holds the limit of connections for all workers together. */
    return MHD_start_daemon(
        flags, 0, NULL, NULL, http_request_on_piece, server, MHD_OPTION_EXTERNAL_LOGGER,
        http_request_on_log, server, MHD_OPTION_URI_LOG_CALLBACK, http_request_on_line, server,
        MHD_OPTION_NOTIFY_COMPLETED, http_request_on_end, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_UNESCAPE_CALLBACK, http_request_on_unescape, server,
        MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, backstop_s(&server->options),
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static bool start_workers(struct http_server *server, struct error *error) {
    for (unsigned i = 0; i < server->options.workers; i++) {
        server->workers[i] = start_worker(server);
        if (server->workers[i] == NULL) {
            return error_set(error, ERROR_INTERNAL, "libmicrohttpd does not start");
        }
    }
    return true;
}

/* The program's own threads take the signals, so the server's threads start with all signals
   blocked. */
static bool start_threads(struct http_server *server,
                          bool (*start)(struct http_server *server, struct error *error),
                          struct error *error) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = start(server, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

static struct http_server *server_new(const struct http_options *options) {
    struct http_server *server = memory_new(1, sizeof *server);
    server->options = *options;
    server->options.bind_address = NULL;
    if (server->options.workers == 0) {
        server->options.workers = 1;
    }
    server->budget.max = options->bodies_max;
    server->tls = options->is_tls ? http_tls_new() : NULL;
    server->listen_fd = -1;
    server->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    server->workers = memory_new(server->options.workers, sizeof *server->workers);
    http_connections_init(&server->connections, options->connections_max, server->options.workers,
                          server->wake_fd);
    http_linger_init(&server->linger, server->wake_fd);
    return server;
}

static void server_free(struct http_server *server) {
    if (server == NULL) {
        return;
    }
    http_accept_stop(server);
    if (server->listen_fd >= 0) {
        close(server->listen_fd);
    }
    http_connections_wait_until_idle(&server->connections, STOP_PATIENCE_MS);
    for (unsigned i = 0; i < server->options.workers; i++) {
        MHD_stop_daemon(server->workers[i]);
    }
    http_connections_fini(&server->connections);
    http_linger_fini(&server->linger);
    http_tls_free(server->tls);
    if (server->wake_fd >= 0) {
        close(server->wake_fd);
    }
    free(server->workers);
    free(server);
}

static void server_auto_free(struct http_server **server) {
    server_free(*server);
}

bool http_start(const struct http_options *options, struct http_server **ret_server,
                struct error *error) {
    AUTO(server_auto_free) struct http_server *server = server_new(options);
    if (server->wake_fd < 0) {
        return error_set(error, ERROR_UNAVAILABLE, "no descriptor for an eventfd");
    }
    if (!http_address_listen(options->bind_address, &server->listen_fd, error) ||
        !start_threads(server, start_workers, error)) {
        return false;
    }
    /* With TLS, connections wait in the listen queue until the first key pair. */
    if (server->tls == NULL && !start_threads(server, http_accept_start, error)) {
        return false;
    }
    *ret_server = TAKE(server);
    return true;
}

uint16_t http_port(const struct http_server *server) {
    return http_address_port(server->listen_fd);
}

bool http_set_key_pair(struct http_server *server, const char *chain_pem, const char *key_pem,
                       struct error *error) {
    if (server->tls == NULL) {
        return error_set(error, ERROR_INVALID, "a server without TLS takes no key pair");
    }
    return http_tls_set_key_pair(server->tls, chain_pem, key_pem, error) &&
           (server->is_accepting || start_threads(server, http_accept_start, error));
}

void http_drain(struct http_server *server) {
    atomic_store(&server->is_draining, true);
}

void http_stop(struct http_server *server) {
    if (server != NULL) {
        http_drain(server);
        server_free(server);
    }
}

int64_t http_full_ms(const struct http_server *server) {
    int64_t since_ms = atomic_load(&server->full_since_ms);
    return since_ms == 0 ? 0 : clock_boot_ms() - since_ms;
}

static uint64_t get(const atomic_uint_fast64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void http_count(const struct http_server *server, struct http_counts *ret_counts) {
    const struct http_connections *connections = &server->connections;
    *ret_counts = (struct http_counts){
        .connections = atomic_load_explicit(&connections->n_open, memory_order_relaxed),
        .accepted = get(&connections->n_accepted),
        .without_request = get(&connections->n_without_request),
        .timeouts = get(&connections->n_timeouts),
        .evicted = get(&connections->n_evicted),
        .malformed = get(&server->n_malformed),
        .too_large = get(&server->n_too_large),
        .over_budget = get(&server->n_over_budget),
    };
}
