// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_SOURCES_H
#define APP_SERVE_SOURCES_H

/*
 * The things that are read from files and read again when they change: the policy, the objects, the
 * serving certificate. What is good is taken up; what is bad is refused, said once, tried again,
 * and the last good one stays in force.
 */

#include <stdbool.h>

#include "admit.h"
#include "base/attribute.h"
#include "base/error.h"
#include "serve_options.h"

enum source_kind { SOURCE_POLICY, SOURCE_CERTIFICATE, SOURCE_OBJECTS, SOURCE_COUNT };

struct sources;

/* All borrowed, until sources_free(). */
struct sources *sources_new(const struct serve_options *options, struct facts *facts,
                            struct admit *admit, struct log *log, struct metrics *metrics);
void sources_free(struct sources *sources);

/* Where certificates go to. Set before the first load of SOURCE_CERTIFICATE. */
void sources_set_server(struct sources *sources, struct http_server *server);

/* How the API server calls this, in a cluster: a certificate for another name is warned about. */
void sources_set_service(struct sources *sources, const char *service, const char *namespace);

/* The first reading, in which an error ends the program. */
bool sources_load(struct sources *sources, enum source_kind kind, struct error *error) MUST_CHECK;

/* The next sources_refresh() reads everything again, whether it changed or not. */
void sources_expire(struct sources *sources);

/* How many objects of kinds that mean nothing here the files hold. */
size_t sources_count_other_objects(const struct sources *sources);

/* Readable when something may have changed; for poll(). May be -1. */
int sources_descriptor(const struct sources *sources, enum source_kind kind);

/* Reads again what changed or expired, and what was refused last time. Returns whether anything new
   was taken up. */
bool sources_refresh(struct sources *sources);

#endif
