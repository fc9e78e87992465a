// SPDX-License-Identifier: Apache-2.0
#include "fake_api.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "edge/clock.h"
#include "fake_inside.h"

enum { BACKLOG = 128, REPLY_MAX = 256 << 20 };

#define JSON_HEADERS "Content-Type: application/json\r\n"

static void check(bool is_good, const char *what) {
    if (!is_good) {
        perror(what);
        abort();
    }
}

void fake_wait_for_change(struct fake_api *api, int64_t until_ms) {
    int64_t left_ms = until_ms - clock_boot_ms();
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    left_ms = left_ms < 0 ? 0 : left_ms > 3600000 ? 3600000 : left_ms;
    until.tv_nsec += (long)(left_ms % 1000) * 1000000;
    until.tv_sec += (time_t)(left_ms / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&api->changed, &api->mutex, &until);
}

static void wait_while_frozen(struct fake_api *api) {
    while (api->is_frozen && !api->is_stopping && !api->is_away) {
        fake_wait_for_change(api, INT64_MAX);
    }
}

/* Takes the first fault that matches, or one by chance. */
static void take_fault(struct fake_api *api, struct fake_connection *connection,
                       const struct fake_route *route, const char *path) {
    connection->is_faulty = false;
    for (size_t i = 0; i < api->n_faults; i++) {
        struct fake_active *active = &api->faults[i];
        if (fake_matches(route->verb, path, active->fault.verb, active->fault.path)) {
            connection->fault = active->fault;
            connection->is_faulty = true;
            if (active->n_left > 0 && --active->n_left == 0) {
                memmove(active, active + 1,
                        (size_t)(&api->faults[--api->n_faults] - active) * sizeof(*active));
            }
            return;
        }
    }
    connection->is_faulty = fake_chaos_draw(&api->chaos, &connection->fault);
}

static bool is_faulty(const struct fake_connection *connection, enum fake_fault_kind kind) {
    return connection->is_faulty && connection->fault.kind == kind;
}

/* Writes a fault's own answer. */
static void reply_by_fault(const struct fake_fault *fault, struct fake_reply *reply) {
    if (fault->body == NULL) {
        fake_reply_status(reply, fault->status, "Whatever", "as the test wants it");
    } else {
        reply->status = fault->status;
        buffer_add_text(&reply->body, fault->body);
    }
    reply->headers = fault->headers;
}

static bool is_known(const struct fake_api *api, const struct fake_message *message) {
    return api->authorization[0] == '\0' || strcmp(api->authorization, message->authorization) == 0;
}

static void wait_out(struct fake_api *api, const struct fake_connection *connection) {
    unsigned n_heals = api->n_heals;
    unsigned n_releases = api->n_releases;
    bool is_held = is_faulty(connection, FAKE_HELD);
    int64_t until_ms = INT64_MAX;
    if (is_faulty(connection, FAKE_LATE)) {
        until_ms = clock_boot_ms() + connection->fault.delay_ms;
    }
    while (!api->is_stopping && !api->is_away && api->n_heals == n_heals &&
           !(is_held && api->n_releases != n_releases) && clock_boot_ms() < until_ms) {
        fake_wait_for_change(api, until_ms);
    }
}

/* Needs the lock. */
static void set_date(const struct fake_api *api, struct fake_connection *connection) {
    time_t now = time(NULL) + (time_t)api->ahead_s;
    struct tm parts;
    connection->date[0] = '\0';
    if (api->date[0] != '\0') {
        snprintf(connection->date, sizeof(connection->date), "Date: %s\r\n", api->date);
    } else if (api->has_clock) {
        strftime(connection->date, sizeof(connection->date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
                 gmtime_r(&now, &parts));
    }
}

/* Needs the lock. Returns false for a watch, which it does not answer. */
static bool make_reply(struct fake_api *api, struct fake_connection *connection,
                       const struct fake_route *route, const struct fake_message *message,
                       struct fake_reply *reply) {
    wait_while_frozen(api);
    take_fault(api, connection, route, message->path);
    if (is_faulty(connection, FAKE_LATE) || is_faulty(connection, FAKE_HELD) ||
        is_faulty(connection, FAKE_SILENT)) {
        wait_out(api, connection);
    }
    if (is_faulty(connection, FAKE_RESET) || is_faulty(connection, FAKE_SILENT)) {
        fake_http_reset(connection);
    } else if (is_faulty(connection, FAKE_ANSWER)) {
        reply_by_fault(&connection->fault, reply);
    } else if (!is_known(api, message)) {
        fake_reply_status(reply, 401, "Unauthorized", "Unauthorized");
    } else if (strcmp(route->verb, "WATCH") == 0 && fake_is_served(api, route)) {
        return false;
    } else {
        fake_do(api, route, message, reply);
    }
    return true;
}

static void send_reply(struct fake_connection *connection, const struct fake_route *route,
                       struct fake_reply *reply) {
    if (reply->status == 200 && strcmp(route->verb, "LIST") == 0 && reply->headers == NULL) {
        fake_http_begin(connection);
        fake_http_send(connection, reply->body.bytes, reply->body.size);
        fake_http_end(connection);
    } else {
        fake_http_answer(connection, reply->status,
                         reply->headers == NULL ? JSON_HEADERS : reply->headers,
                         reply->body.size == 0 ? "" : reply->body.bytes, reply->body.size);
    }
}

static void serve(struct fake_api *api, struct fake_connection *connection,
                  const struct fake_message *message) {
    struct fake_route route;
    AUTO(buffer_fini) struct buffer body;
    struct fake_reply reply = {.status = 0};
    buffer_init(&reply.body, REPLY_MAX);
    fake_route_read(message, &route);
    pthread_mutex_lock(&api->mutex);
    size_t index = fake_log_add(api, &route, message);
    pthread_cond_broadcast(&api->changed);
    bool is_reply = make_reply(api, connection, &route, message, &reply);
    set_date(api, connection);
    if (index < api->n_requests) {
        api->requests[index].status = is_reply ? reply.status : 200;
    }
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->mutex);
    body = reply.body;
    if (!is_reply) {
        fake_watch(api, connection, &route);
    } else if (!connection->is_over) {
        send_reply(connection, &route, &reply);
    }
}

static void leave(struct fake_thread *thread) {
    struct fake_api *api = thread->api;
    pthread_mutex_lock(&api->mutex);
    struct fake_thread **link = &api->threads;
    while (*link != thread) {
        link = &(*link)->next;
    }
    *link = thread->next;
    fake_http_close(&thread->connection);
    free(thread);
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->mutex);
}

static void *run_connection(void *argument) {
    struct fake_thread *thread = argument;
    struct fake_message *message = memory_new(1, sizeof(*message));
    while (fake_http_read(&thread->connection, message)) {
        serve(thread->api, &thread->connection, message);
        buffer_fini(&message->body);
    }
    free(message);
    leave(thread);
    return NULL;
}

static void start_connection(struct fake_api *api, int fd) {
    pthread_t id;
    pthread_attr_t detached;
    struct fake_thread *thread = memory_new(1, sizeof(*thread));
    thread->api = api;
    fake_http_open(&thread->connection, fd);
    thread->next = api->threads;
    api->threads = thread;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    check(pthread_create(&id, &detached, run_connection, thread) == 0, "pthread_create");
    pthread_attr_destroy(&detached);
}

static void *run_acceptor(void *argument) {
    struct fake_api *api = argument;
    for (;;) {
        int fd = accept4(api->listener, NULL, NULL, SOCK_CLOEXEC);
        pthread_mutex_lock(&api->mutex);
        if (fd >= 0 && !api->is_away && !api->is_stopping) {
            start_connection(api, fd);
        } else if (fd >= 0) {
            close(fd);
        }
        while (api->is_away && !api->is_stopping) {
            fake_wait_for_change(api, INT64_MAX);
        }
        bool is_stopping = api->is_stopping;
        pthread_mutex_unlock(&api->mutex);
        if (is_stopping) {
            return NULL;
        }
    }
}

/* Binds port 0 to any free port, and writes its number into the address. */
static int bind_socket(struct sockaddr_in *address) {
    socklen_t size = sizeof(*address);
    const int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    check(bind(fd, (struct sockaddr *)address, size) == 0, "bind");
    check(getsockname(fd, (struct sockaddr *)address, &size) == 0, "getsockname");
    return fd;
}

/* A shutdown keeps a port only if it was bound by its number. So this binds twice. */
static void open_listener(struct fake_api *api) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    close(bind_socket(&address));
    api->listener = bind_socket(&address);
    api->port = ntohs(address.sin_port);
    check(listen(api->listener, BACKLOG) == 0, "listen");
}

struct fake_api *fake_new(void) {
    struct fake_api *api = memory_new(1, sizeof(*api));
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&api->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&api->mutex, NULL);
    fake_store_init(&api->store);
    fake_set_versions(api, "v1beta1,v1alpha1");
    api->is_list_map = true;
    open_listener(api);
    check(pthread_create(&api->acceptor, NULL, run_acceptor, api) == 0, "pthread_create");
    return api;
}

/* Needs the lock. Shuts down all connections, and waits until all their threads have ended. */
static void end_connections(struct fake_api *api) {
    shutdown(api->listener, SHUT_RDWR);
    pthread_cond_broadcast(&api->changed);
    while (api->threads != NULL) {
        for (struct fake_thread *thread = api->threads; thread != NULL; thread = thread->next) {
            shutdown(thread->connection.fd, SHUT_RDWR);
        }
        fake_wait_for_change(api, INT64_MAX);
    }
}

void fake_free(struct fake_api *api) {
    pthread_mutex_lock(&api->mutex);
    api->is_stopping = true;
    end_connections(api);
    pthread_mutex_unlock(&api->mutex);
    pthread_join(api->acceptor, NULL);
    close(api->listener);
    fake_store_fini(&api->store);
    free(api->requests);
    pthread_cond_destroy(&api->changed);
    pthread_mutex_destroy(&api->mutex);
    free(api);
}

uint16_t fake_port(const struct fake_api *api) {
    return api->port;
}

void fake_go_away(struct fake_api *api) {
    pthread_mutex_lock(&api->mutex);
    api->is_away = true;
    end_connections(api);
    pthread_mutex_unlock(&api->mutex);
}

void fake_come_back(struct fake_api *api) {
    pthread_mutex_lock(&api->mutex);
    check(listen(api->listener, BACKLOG) == 0, "listen");
    api->is_away = false;
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->mutex);
}
