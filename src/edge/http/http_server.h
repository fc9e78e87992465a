// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_SERVER_H
#define EDGE_HTTP_HTTP_SERVER_H

/*
 * The server, which the files of edge/http share. One thread accepts and enforces deadlines
 * (http_accept). Each worker is one MHD daemon that runs the callbacks of http_request.
 */

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "edge/http.h"
#include "http_connections.h"
#include "http_linger.h"
#include "http_tls.h"

struct http_server {
    struct http_options options; /* without bind_address */
    struct http_tls *tls;        /* NULL for plain HTTP */
    struct http_budget budget;
    struct http_connections connections;
    struct http_linger linger;
    atomic_uint_fast64_t n_too_large;
    atomic_uint_fast64_t n_over_budget;
    atomic_uint_fast64_t n_malformed;
    _Atomic(int64_t) full_since_ms; /* since when newcomers find no room; 0: they find it */
    atomic_bool is_draining;
    atomic_bool is_stopping;
    int listen_fd;
    int wake_fd; /* eventfd that wakes the accept thread */
    struct MHD_Daemon **workers;
    bool is_accepting; /* accept_thread runs */
    pthread_t accept_thread;
};

#endif
