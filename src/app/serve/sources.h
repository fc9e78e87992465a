// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_SOURCES_H
#define APP_SERVE_SOURCES_H

/*
 * Reads the policy, the objects and the serving certificate from files, and reads them again when
 * they change. While a new version is bad, the last good one stays in force; the log says so once a
 * minute, and every refresh tries it again. A version with the same content is not taken up again.
 */

#include <stdbool.h>

#include "admit.h"
#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "cluster.h"
#include "serve_options.h"

enum source_kind { SOURCE_POLICY, SOURCE_CERTIFICATE, SOURCE_OBJECTS, SOURCE_COUNT };

struct sources;

/* All borrowed, until sources_free(). */
struct sources *sources_new(const struct serve_options *options, struct facts *facts,
                            struct admit *admit, struct log *log, struct metrics *metrics);
void sources_free(struct sources *sources);

/* The server gets the certificates. Set it before the first load of SOURCE_CERTIFICATE. In a
   cluster, `namespace` is that of the Service, and the log warns of a certificate for another name;
   else it is NULL. */
void sources_set_server(struct sources *sources, struct http_server *server, const char *namespace);

/* The certificate is judged by the API server's clock, if that is known. NULL is none. */
void sources_set_cluster(struct sources *sources, const struct cluster *cluster);

/* Appends one line for each reason why this replica is not ready, each ended by a newline: the
   certificate from files is not valid now, or its issuer is not. Appends nothing if it is ready. */
void sources_why_unready(const struct sources *sources, struct buffer *out);

/* Reads a source for the first time. An error should end the program. */
bool sources_load(struct sources *sources, enum source_kind kind, struct error *error) MUST_CHECK;

/* The next sources_refresh() reads everything again, whether it changed or not. */
void sources_expire(struct sources *sources);

/* The number of objects in the files whose kinds mean nothing here. */
size_t sources_count_other_objects(const struct sources *sources);

/* Readable when something may have changed; for poll(). May be -1. */
int sources_descriptor(const struct sources *sources, enum source_kind kind);

/* Reads the sources again that changed, expired or were refused last time. Returns whether a new
   version of any is in force. */
bool sources_refresh(struct sources *sources);

#endif
