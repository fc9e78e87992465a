// SPDX-License-Identifier: Apache-2.0
#include "fake_http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

enum { REQUEST_MAX = 8 << 20, READ_SIZE = 16 * 1024, CHUNK_HEAD_SIZE = 16 };

void fake_http_open(struct fake_connection *connection, int fd) {
    const int yes = 1;
    *connection = (struct fake_connection){.fd = fd};
    buffer_init(&connection->received, REQUEST_MAX);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

void fake_http_close(struct fake_connection *connection) {
    buffer_fini(&connection->received);
    close(connection->fd);
}

bool fake_http_is_left(const struct fake_connection *connection) {
    char byte;
    return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void fake_http_reset(struct fake_connection *connection) {
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    connection->is_over = true;
}

static bool receive(struct fake_connection *connection) {
    char bytes[READ_SIZE];
    ssize_t size = recv(connection->fd, bytes, sizeof(bytes), 0);
    if (size <= 0) {
        return false;
    }
    buffer_add(&connection->received, bytes, (size_t)size);
    return !connection->received.is_cut;
}

/* The value of "Name: value" in the head, cut to the size; "" if there is none. */
static void find_header(const char *head, const char *name, char *out, size_t size) {
    size_t name_size = strlen(name);
    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_size) == 0 && line[name_size] == ':') {
            const char *value = line + name_size + 1;
            value += strspn(value, " ");
            snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
            return;
        }
    }
}

static void consume(struct fake_connection *connection, size_t size) {
    struct buffer *received = &connection->received;
    memmove(received->bytes, received->bytes + size, received->size - size);
    received->size -= size;
}

static bool read_head(struct fake_connection *connection, char **ret_head) {
    for (;;) {
        struct buffer *received = &connection->received;
        const char *end =
            received->size == 0 ? NULL : memmem(received->bytes, received->size, "\r\n\r\n", 4);
        if (end != NULL) {
            size_t size = (size_t)(end - received->bytes) + 4;
            *ret_head = memory_copy(received->bytes, size);
            consume(connection, size);
            return true;
        }
        if (!receive(connection)) {
            return false;
        }
    }
}

bool fake_http_read(struct fake_connection *connection, struct fake_message *ret_message) {
    AUTO_FREE char *head = NULL;
    char length[32];
    if (connection->is_over || !read_head(connection, &head)) {
        return false;
    }
    if (sscanf(head, "%7s %16383s", ret_message->method, ret_message->path) != 2) {
        return false;
    }
    find_header(head, "Content-Type", ret_message->content_type, sizeof(ret_message->content_type));
    find_header(head, "Authorization", ret_message->authorization,
                sizeof(ret_message->authorization));
    find_header(head, "Content-Length", length, sizeof(length));
    size_t size = strtoul(length, NULL, 10);
    while (connection->received.size < size) {
        if (!receive(connection)) {
            return false;
        }
    }
    buffer_init(&ret_message->body, REQUEST_MAX);
    buffer_add(&ret_message->body, connection->received.bytes, size);
    if (size > 0) {
        consume(connection, size);
    }
    connection->n_sent = 0;
    return true;
}

static void send_all(struct fake_connection *connection, const char *bytes, size_t size) {
    while (size > 0 && !connection->is_over) {
        ssize_t sent = send(connection->fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            connection->is_over = true;
            return;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
}

/* Pauses between two segments, so that the peer reads them one by one. */
static void drip(struct fake_connection *connection, const char *bytes, size_t size) {
    const struct timespec moment = {.tv_nsec = 100 * 1000};
    size_t step = connection->fault.n_bytes;
    for (size_t at = 0; at < size && !connection->is_over; at += step) {
        send_all(connection, bytes + at, size - at < step ? size - at : step);
        nanosleep(&moment, NULL);
    }
}

static void send_body(struct fake_connection *connection, const char *bytes, size_t size) {
    bool is_cut = connection->is_faulty && connection->fault.kind == FAKE_CUT;
    size_t left = is_cut ? connection->fault.n_bytes - connection->n_sent : size;
    size_t n = size < left ? size : left;
    if (connection->is_faulty && connection->fault.kind == FAKE_DRIP) {
        drip(connection, bytes, n);
    } else {
        send_all(connection, bytes, n);
    }
    connection->n_sent += n;
    connection->is_over |= is_cut && connection->n_sent == connection->fault.n_bytes;
}

void fake_http_answer(struct fake_connection *connection, int status, const char *headers,
                      const char *body, size_t size) {
    char head[2048];
    int head_size =
        snprintf(head, sizeof(head), "HTTP/1.1 %d Whatever\r\n%s%sContent-Length: %zu\r\n\r\n",
                 status, connection->date, headers, size);
    send_all(connection, head, (size_t)head_size);
    send_body(connection, body, size);
}

void fake_http_begin(struct fake_connection *connection) {
    char head[256];
    int head_size = snprintf(head, sizeof(head),
                             "HTTP/1.1 200 OK\r\n%sContent-Type: application/json\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n",
                             connection->date);
    send_all(connection, head, (size_t)head_size);
}

/* Chunks may end anywhere in a line. The peer must not take a chunk for a line. */
void fake_http_send(struct fake_connection *connection, const char *bytes, size_t size) {
    char head[CHUNK_HEAD_SIZE];
    int head_size = snprintf(head, sizeof(head), "%zx\r\n", size);
    if (size > 0) {
        send_all(connection, head, (size_t)head_size);
        send_body(connection, bytes, size);
        send_all(connection, "\r\n", 2);
    }
}

void fake_http_end(struct fake_connection *connection) {
    send_all(connection, "0\r\n\r\n", 5);
}
