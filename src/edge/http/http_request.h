// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_HTTP_HTTP_REQUEST_H
#define EDGE_HTTP_HTTP_REQUEST_H

/*
 * One request, from its first line to the end of its answer. These are MHD's callbacks. They run on
 * a worker's thread. `server` is the struct http_server; the context of a request is its struct
 * http_connection.
 */

#include <microhttpd.h>
#include <stdarg.h>

struct http_connection;
struct http_server;

/* The request line was read. Returns the context of the request. */
void *http_request_on_line(void *server, const char *uri, struct MHD_Connection *mhd);

/* Called after the headers, for each piece of the body, and after the body. */
enum MHD_Result http_request_on_piece(void *server, struct MHD_Connection *mhd, const char *path,
                                      const char *method, const char *version, const char *piece,
                                      size_t *piece_size, void **context);

/* The connection is about to close. MHD drops some requests without http_request_on_end(). */
void http_request_drop(struct http_server *server, struct http_connection *connection);

/* MHD tells what it does. Counts the answers that it gives by itself. */
void http_request_on_log(void *server, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The answer was sent, or will never be. */
void http_request_on_end(void *server, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code);

/* Leaves the path as it was sent. */
size_t http_request_on_unescape(void *server, struct MHD_Connection *mhd, char *text);

#endif
