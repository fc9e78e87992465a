// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_EDGE_KUBE_SITE_H
#define TESTS_EDGE_KUBE_SITE_H

/*
 * For the tests of edge/kube: a scripted server, a kube that talks to it, and a record of the
 * callbacks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "edge/kube.h"
#include "edge/x509.h"
#include "script_server.h"

struct kube_site {
    struct script_server *server;
    char url[64];
    struct kube_access access; /* borrows its texts; change them before kube_site_start() */
    size_t connections_max;
    struct kube *kube;
};

/* Starts a server on the loopback and fills in an access to it. */
void kube_site_init(struct kube_site *site, const struct script_options *options);
void kube_site_start(struct kube_site *site);
void kube_site_stop(struct kube_site *site);

/* Does kube_site_init() and kube_site_start() for a plain server on 127.0.0.1. */
void kube_site_open(struct kube_site *site);

/* A certificate from PEM, and a server's context with a pair. Free with X509_free() and
   SSL_CTX_free(). */
X509 *kube_site_certificate(const char *pem);
SSL_CTX *kube_site_tls(const struct x509_pair *pair);

/* Records the callbacks of one request. */
struct kube_heard {
    unsigned n_done;
    bool is_good;
    int status;
    struct error error;
    char *body; /* NULL if there was none */
    size_t body_size;
    int64_t retry_after_ms;
    unsigned n_lines;
    struct buffer lines; /* each with a newline */
    struct kube *kube;   /* the kube of the request */
    struct kube_call *call;
    unsigned cancel_at_line; /* the request cancels itself at that line; 0: never */
    bool is_to_be_cancelled; /* the request cancels itself in `done` */
};

void kube_heard_fini(struct kube_heard *heard);

/* Makes a request with 30 s and 1 MiB. Clears `heard`; the callbacks write to it. */
struct kube_request kube_site_request(enum kube_verb verb, const char *path,
                                      struct kube_heard *heard);

void kube_site_begin(struct kube_site *site, const struct kube_request *request,
                     struct kube_heard *heard);

/* Waits until it is done, at most 60 s. */
void kube_site_finish(struct kube_site *site, struct kube_heard *heard);

/* Begins a request and waits until it is done. */
void kube_site_ask(struct kube_site *site, enum kube_verb verb, const char *path,
                   struct kube_heard *heard);

/* Calls kube_wait() until `condition` holds, at most 60 s. */
#define KUBE_SITE_UNTIL(site, condition)                                                           \
    do {                                                                                           \
        int64_t until_ms_ = kube_site_now_ms() + 60000;                                            \
        while (!(condition)) {                                                                     \
            assert_true(kube_site_now_ms() < until_ms_);                                           \
            kube_wait((site)->kube, NULL, 0, 100);                                                 \
        }                                                                                          \
    } while (false)

int64_t kube_site_now_ms(void);

/* "HTTP/1.1 <status and headers>\r\nContent-Length: ...\r\n\r\n<body>". Free with free(). */
char *kube_site_text(const char *status_and_headers, const char *body);

#endif
