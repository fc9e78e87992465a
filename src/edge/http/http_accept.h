// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_ACCEPT_H
#define EDGE_HTTP_HTTP_ACCEPT_H

/*
 * The accept thread. It hands each new connection to the worker that has the fewest, holds the
 * limit of connections, and ends connections that are overdue. At the limit, and without a free
 * descriptor, it ends the connection that has idled longest for each newcomer. It sleeps while
 * nothing is due.
 */

#include "base/attribute.h"
#include "base/error.h"

struct http_server;

bool http_accept_start(struct http_server *server, struct error *error) MUST_CHECK;

/* Ends the thread if it was started. The connections stay open, without deadlines. */
void http_accept_stop(struct http_server *server);

#endif
