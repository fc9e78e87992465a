// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_LINGER_H
#define EDGE_HTTP_HTTP_LINGER_H

/*
 * Connections that were answered before their body was read. If the descriptor were closed while
 * the peer still sends, the kernel would reset the connection, and the peer, who reads only once it
 * has sent, would never see the answer (RFC 9112, 9.6). So what still comes is thrown away for a
 * while: bounded in number, time and bytes.
 *
 * Workers add; the accept thread does the rest.
 */

#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_LINGER_MAX = 32, /* further ones are closed at once */
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

/* Closes what is there. */
void http_linger_fini(struct http_linger *linger);

/* Keeps the connection, whose descriptor is about to be closed, and ends our half of it. */
void http_linger_add(struct http_linger *linger, int fd, int64_t now_ms);

/* For poll(): fills in what to wait for, and returns how many; lowers the time until when. */
size_t http_linger_poll(struct http_linger *linger, struct pollfd polled[HTTP_LINGER_MAX],
                        int64_t *until_ms);

/* Throws away what has come, and closes what has ended or had its time. */
void http_linger_drain(struct http_linger *linger, int64_t now_ms);

#endif
