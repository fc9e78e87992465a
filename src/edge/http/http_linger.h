// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_LINGER_H
#define EDGE_HTTP_HTTP_LINGER_H

/*
 * Connections that were answered before their body was read. If we closed such a descriptor while
 * the peer still sends, the kernel would reset the connection. A peer that reads only after sending
 * would never see the answer (RFC 9112, 9.6). So the accept thread reads and drops what still
 * arrives, within limits of number, time and bytes.
 *
 * Workers add connections; the accept thread does the rest.
 */

#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_LINGER_MAX = 32, /* one more closes the oldest */
    HTTP_LINGER_MS = 5000,
    HTTP_LINGER_BYTES = 64 << 20, /* twice the largest body that is read */
};

struct http_linger_item {
    int fd;
    int64_t until_ms;
    size_t n_left; /* bytes */
};

struct http_linger {
    int wake_fd; /* eventfd that the accept thread polls */
    pthread_mutex_t mutex;
    struct http_linger_item items[HTTP_LINGER_MAX];
    size_t n_items;
};

void http_linger_init(struct http_linger *linger, int wake_fd);

void http_linger_fini(struct http_linger *linger);

/* Keeps the connection open and shuts down our sending half. Call it just before the descriptor is
   closed: it duplicates it. */
void http_linger_add(struct http_linger *linger, int fd, int64_t now_ms);

/* Fills the entries for poll() and returns their number. Lowers *until_ms to the earliest end. */
size_t http_linger_poll(struct http_linger *linger, struct pollfd polled[HTTP_LINGER_MAX],
                        int64_t *until_ms);

/* Reads and drops what has arrived. Closes connections that have ended or are out of time. */
void http_linger_drain(struct http_linger *linger, int64_t now_ms);

#endif
