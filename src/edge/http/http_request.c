// SPDX-License-Identifier: Apache-2.0
#include "http_request.h"

#include <string.h>

#include "base/text.h"
#include "edge/clock.h"
#include "http_framing.h"
#include "http_server.h"

/* Far above any answer of ours. A handler that passes it is at fault. */
enum { ANSWER_MAX = 64 * 1024 * 1024 };

static enum MHD_Result answer(struct http_server *server, struct MHD_Connection *mhd,
                              unsigned status, const char *content_type,
                              struct MHD_Response *response) {
    if (response == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    /* The peer may have lost the request boundaries, so it must start a new connection. */
    bool is_lost = status == MHD_HTTP_BAD_REQUEST || status == MHD_HTTP_CONTENT_TOO_LARGE;
    if (is_lost || atomic_load(&server->is_draining)) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    enum MHD_Result result = MHD_queue_response(mhd, status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *refusal_text(unsigned status) {
    switch (status) {
    case MHD_HTTP_BAD_REQUEST:
        return "the headers are not clear\n";
    case MHD_HTTP_NOT_FOUND:
        return "not found\n";
    case MHD_HTTP_METHOD_NOT_ALLOWED:
        return "method not allowed\n";
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return "the body is too large\n";
    case MHD_HTTP_SERVICE_UNAVAILABLE:
        return "too many bodies at once\n";
    default:
        return "internal error\n";
    }
}

static void add_allow(const struct http_server *server, const char *path,
                      struct MHD_Response *response) {
    struct buffer methods;
    buffer_init(&methods, 256);
    for (size_t i = 0; i < server->options.n_routes; i++) {
        const struct http_route *route = &server->options.routes[i];
        if (strcmp(route->path, path) == 0) {
            bool is_get = strcmp(route->method, MHD_HTTP_METHOD_GET) == 0;
            buffer_add_format(&methods, "%s%s%s", methods.size > 0 ? ", " : "", route->method,
                              is_get ? ", HEAD" : "");
        }
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, buffer_text(&methods));
    buffer_fini(&methods);
}

static enum MHD_Result refuse(struct http_server *server, struct MHD_Connection *mhd,
                              const char *path, unsigned status) {
    const char *text = refusal_text(status);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (response != NULL && status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        add_allow(server, path, response);
    }
    if (status == MHD_HTTP_CONTENT_TOO_LARGE) {
        atomic_fetch_add_explicit(&server->n_too_large, 1, memory_order_relaxed);
    }
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        atomic_fetch_add_explicit(&server->n_over_budget, 1, memory_order_relaxed);
    }
    if (status == MHD_HTTP_BAD_REQUEST) {
        atomic_fetch_add_explicit(&server->n_malformed, 1, memory_order_relaxed);
    }
    return answer(server, mhd, status, "text/plain", response);
}

static enum MHD_Result deliver(struct http_server *server, struct http_connection *connection,
                               struct http_response *owned_response) {
    struct MHD_Connection *mhd = connection->mhd;
    if (owned_response->body.is_cut) {
        buffer_fini(&owned_response->body);
        return refuse(server, mhd, connection->exchange.route->path,
                      MHD_HTTP_INTERNAL_SERVER_ERROR);
    }
    struct MHD_Response *owner = MHD_create_response_from_buffer(
        owned_response->body.size, owned_response->body.bytes, MHD_RESPMEM_MUST_FREE);
    if (owner == NULL) {
        buffer_fini(&owned_response->body);
    }
    return answer(server, mhd, owned_response->status, owned_response->content_type, owner);
}

void http_response_init(struct http_response *ret_response) {
    *ret_response = (struct http_response){.status = MHD_HTTP_OK, .content_type = "text/plain"};
    buffer_init(&ret_response->body, ANSWER_MAX);
}

static enum MHD_Result handle(struct http_server *server, struct http_connection *connection) {
    struct http_exchange *exchange = &connection->exchange;
    if (exchange->is_deferred) {
        exchange->is_deferred = false;
        return deliver(server, connection, &exchange->answer);
    }
    struct http_request request = {
        .path = exchange->route->path,
        .body = exchange->body.bytes != NULL ? exchange->body.bytes : "",
        .body_size = exchange->body.size,
        .timeout_ms = exchange->timeout_ms,
        .connection = connection,
    };
    struct http_response response;
    http_response_init(&response);
    exchange->route->handle(server->options.context, &request, &response);
    http_body_fini(&exchange->body, &server->budget);
    if (exchange->is_deferred) {
        buffer_fini(&response.body);
        return MHD_YES;
    }
    return deliver(server, connection, &response);
}

/* Suspends here and not after the handler has returned: http_answer() may come before that. */
void http_defer(const struct http_request *request) {
    request->connection->exchange.is_deferred = true;
    MHD_suspend_connection(request->connection->mhd);
}

void http_answer(struct http_connection *connection, struct http_response *owned_response) {
    connection->exchange.answer = *owned_response;
    MHD_resume_connection(connection->mhd);
}

/* Compares paths first, then methods. Returns a status to refuse with, or 0. */
static unsigned find_route(const struct http_server *server, const char *path, const char *method,
                           const struct http_route **ret_route) {
    unsigned refusal = MHD_HTTP_NOT_FOUND;
    if (strcmp(method, MHD_HTTP_METHOD_HEAD) == 0) {
        method = MHD_HTTP_METHOD_GET;
    }
    for (size_t i = 0; i < server->options.n_routes; i++) {
        const struct http_route *route = &server->options.routes[i];
        if (strcmp(route->path, path) != 0) {
            continue;
        }
        refusal = MHD_HTTP_METHOD_NOT_ALLOWED;
        if (strcmp(route->method, method) == 0) {
            *ret_route = route;
            return 0;
        }
    }
    return refusal;
}

static int64_t asked_timeout_ms(struct MHD_Connection *mhd) {
    const char *asked = MHD_lookup_connection_value(mhd, MHD_GET_ARGUMENT_KIND, "timeout");
    int64_t timeout_ms;
    return asked != NULL && text_parse_duration_ms(asked, &timeout_ms) ? timeout_ms : 0;
}

bool http_has_query(const struct http_request *request, const char *key) {
    return MHD_lookup_connection_value_n(request->connection->mhd, MHD_GET_ARGUMENT_KIND, key,
                                         strlen(key), NULL, NULL) == MHD_YES;
}

static int64_t body_deadline(const struct http_server *server, int64_t asked_ms) {
    int64_t timeout_ms = server->options.body_timeout_ms;
    bool is_shorter = asked_ms > 0 && asked_ms < timeout_ms;
    return clock_boot_ms() + (is_shorter ? asked_ms : timeout_ms);
}

/* Called after the headers. A refusal here is sent before the body is read. MHD then closes the
   connection, so it must linger. Without a body, the refusal waits for the end of the request. */
static enum MHD_Result begin_body(struct http_server *server, struct http_connection *connection,
                                  struct MHD_Connection *mhd, const char *path, const char *method,
                                  const char *version) {
    struct http_exchange *exchange = &connection->exchange;
    struct http_framing framing;
    bool is_clear = http_framing_read(mhd, version, &framing);
    exchange->is_begun = true;
    exchange->refusal = find_route(server, path, method, &exchange->route);
    if (is_clear && !framing.has_body) {
        return MHD_YES;
    }
    if (!is_clear) {
        exchange->refusal = MHD_HTTP_BAD_REQUEST;
    } else if (exchange->refusal == 0 && framing.announced > server->options.body_max) {
        exchange->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
    }
    if (exchange->refusal != 0) {
        connection->lingers = true;
        return refuse(server, mhd, path, exchange->refusal);
    }
    exchange->body.announced = (size_t)framing.announced;
    exchange->timeout_ms = asked_timeout_ms(mhd);
    http_connections_set_deadline(&server->connections, connection,
                                  body_deadline(server, exchange->timeout_ms));
    return MHD_YES;
}

static enum MHD_Result end_body(struct http_server *server, struct http_connection *connection,
                                struct MHD_Connection *mhd, const char *path) {
    static const unsigned refusals[] = {
        [HTTP_BODY_TOO_LARGE] = MHD_HTTP_CONTENT_TOO_LARGE,
        [HTTP_BODY_OVER_BUDGET] = MHD_HTTP_SERVICE_UNAVAILABLE,
    };
    struct http_exchange *exchange = &connection->exchange;
    http_connections_answer(&server->connections, connection);
    if (exchange->refusal == 0) {
        exchange->refusal = refusals[exchange->body.state];
    }
    enum MHD_Result result;
    if (exchange->refusal != 0) {
        result = refuse(server, mhd, path, exchange->refusal);
    } else {
        result = handle(server, connection);
    }
    if (!exchange->is_deferred) {
        http_connections_send(&server->connections, connection,
                              clock_boot_ms() + server->options.idle_timeout_ms);
    }
    return result;
}

void *http_request_on_line(void *server, const char *uri, struct MHD_Connection *mhd) {
    (void)uri;
    struct http_server *self = server;
    struct http_connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    http_connections_begin_request(&self->connections, connection,
                                   clock_boot_ms() + self->options.head_timeout_ms);
    return connection;
}

enum MHD_Result http_request_on_piece(void *server, struct MHD_Connection *mhd, const char *path,
                                      const char *method, const char *version, const char *piece,
                                      size_t *piece_size, void **context) {
    struct http_server *self = server;
    struct http_connection *connection = *context;
    struct http_exchange *exchange = &connection->exchange;
    if (!exchange->is_begun) {
        return begin_body(self, connection, mhd, path, method, version);
    }
    if (*piece_size > 0) {
        size_t size = *piece_size;
        *piece_size = 0;
        bool is_wanted =
            http_body_add(&exchange->body, &self->budget, self->options.body_max, piece, size);
        return is_wanted ? MHD_YES : MHD_NO;
    }
    return end_body(self, connection, mhd, path);
}

void http_request_drop(struct http_server *server, struct http_connection *connection) {
    http_body_fini(&connection->exchange.body, &server->budget);
    if (connection->exchange.is_deferred) {
        /* The connection ended before the answer was sent. */
        buffer_fini(&connection->exchange.answer.body);
    }
    connection->exchange = (struct http_exchange){0};
}

/* MHD has no other way to tell which answers it gives by itself. */
void http_request_on_log(void *server, const char *format, va_list arguments) {
    static const char answers[] = "Error processing request (HTTP response code is %u";
    struct http_server *self = server;
    if (strncmp(format, answers, strlen(answers)) == 0) {
        unsigned status = va_arg(arguments, unsigned);
        atomic_fetch_add_explicit(status == MHD_HTTP_CONTENT_TOO_LARGE ? &self->n_too_large
                                                                       : &self->n_malformed,
                                  1, memory_order_relaxed);
    }
}

void http_request_on_end(void *server, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code) {
    (void)mhd;
    (void)code;
    struct http_server *self = server;
    struct http_connection *connection = *context;
    http_request_drop(self, connection);
    http_connections_end_request(&self->connections, connection,
                                 clock_boot_ms() + self->options.idle_timeout_ms);
}

size_t http_request_on_unescape(void *server, struct MHD_Connection *mhd, char *text) {
    (void)server;
    (void)mhd;
    return strlen(text);
}
