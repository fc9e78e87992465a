// SPDX-License-Identifier: Apache-2.0
#include "http_linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attribute.h"

/* Limits one turn, so that a fast peer does not hold up the accept thread. */
enum { PIECE = 1 << 15, PIECES_AT_ONCE = 32 };

void http_linger_init(struct http_linger *linger, int wake_fd) {
    linger->wake_fd = wake_fd;
    linger->n_items = 0;
    pthread_mutex_init(&linger->mutex, NULL);
}

void http_linger_fini(struct http_linger *linger) {
    for (size_t i = 0; i < linger->n_items; i++) {
        close(linger->items[i].fd);
    }
    pthread_mutex_destroy(&linger->mutex);
}

/* The items stand in the order of their ends. */
static void close_oldest(struct http_linger *linger) {
    close(linger->items[0].fd);
    linger->n_items--;
    memmove(linger->items, linger->items + 1, linger->n_items * sizeof(linger->items[0]));
}

void http_linger_add(struct http_linger *linger, int fd, int64_t now_ms) {
    pthread_mutex_lock(&linger->mutex);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0 && linger->n_items == HTTP_LINGER_MAX) {
        close_oldest(linger);
    }
    if (copy >= 0) {
        shutdown(copy, SHUT_WR);
        linger->items[linger->n_items++] =
            (struct http_linger_item){copy, now_ms + HTTP_LINGER_MS, HTTP_LINGER_BYTES};
        eventfd_write(linger->wake_fd, 1);
    }
    pthread_mutex_unlock(&linger->mutex);
}

size_t http_linger_poll(struct http_linger *linger, struct pollfd polled[HTTP_LINGER_MAX],
                        int64_t *until_ms) {
    pthread_mutex_lock(&linger->mutex);
    size_t n = linger->n_items;
    for (size_t i = 0; i < n; i++) {
        const struct http_linger_item *item = &linger->items[i];
        polled[i] = (struct pollfd){.fd = item->fd, .events = POLLIN};
        *until_ms = MIN(*until_ms, item->until_ms);
    }
    pthread_mutex_unlock(&linger->mutex);
    return n;
}

/* Returns false when the connection can be closed. */
static bool drain(struct http_linger_item *item) {
    char nowhere[PIECE];
    for (int i = 0; i < PIECES_AT_ONCE; i++) {
        ssize_t n = recv(item->fd, nowhere, sizeof(nowhere), MSG_DONTWAIT);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        if (n == 0 || (size_t)n >= item->n_left) {
            return false;
        }
        item->n_left -= (size_t)n;
    }
    return true;
}

void http_linger_drain(struct http_linger *linger, int64_t now_ms) {
    pthread_mutex_lock(&linger->mutex);
    size_t n_kept = 0;
    for (size_t i = 0; i < linger->n_items; i++) {
        struct http_linger_item item = linger->items[i];
        if (now_ms < item.until_ms && drain(&item)) {
            linger->items[n_kept++] = item;
        } else {
            close(item.fd);
        }
    }
    linger->n_items = n_kept;
    pthread_mutex_unlock(&linger->mutex);
}
