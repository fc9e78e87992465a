// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CLUSTER_FAKE_HTTP_H
#define TESTS_CLUSTER_FAKE_HTTP_H

/*
 * HTTP/1.1 of the fake API server: one connection with one request after the other. An answer can
 * end in the middle or come drop by drop. All functions block. To end one, shut the descriptor
 * down.
 */

#include "base/buffer.h"
#include "fake_api.h"

struct fake_connection {
    int fd;
    struct buffer received; /* not yet consumed */
    struct fake_fault fault;
    bool is_faulty; /* `fault` holds for the current answer */
    bool is_over;
    size_t n_sent; /* of the current body */
    char date[96]; /* a header line of each answer, or "" */
    bool is_watch; /* the current answer is a watch of this kind */
    enum fake_kind kind;
};

struct fake_message {
    char method[8];
    char path[16 * 1024]; /* with its query */
    char content_type[64];
    char authorization[128];
    struct buffer body;
};

void fake_http_open(struct fake_connection *connection, int fd);
void fake_http_close(struct fake_connection *connection);

/* The peer has closed its side. */
bool fake_http_is_left(const struct fake_connection *connection);

/* Lets the connection end with a reset. */
void fake_http_reset(struct fake_connection *connection);

/* Reads the next request; false if there is none. The body is to be freed. */
bool fake_http_read(struct fake_connection *connection, struct fake_message *ret_message);

/* Sends a whole answer. `headers` are lines that end with \r\n. */
void fake_http_answer(struct fake_connection *connection, int status, const char *headers,
                      const char *body, size_t size);

/* Sends an answer in chunks, each as one segment. */
void fake_http_begin(struct fake_connection *connection);
void fake_http_send(struct fake_connection *connection, const char *bytes, size_t size);
void fake_http_end(struct fake_connection *connection);

#endif
