// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_READINESS_H
#define APP_SERVE_READINESS_H

/*
 * The answer of /readyz: a table of checks, each with its reasons, or without one if it is ready.
 * The loop's thread sets the checks, and any thread may print them.
 */

#include <stdbool.h>

#include "base/buffer.h"

enum readiness_check {
    READINESS_FACTS,       /* MCPServers and Deployments have been listed once; then for ever */
    READINESS_CERTIFICATE, /* there is one, it is valid, and each caBundle trusts it */
    READINESS_ROOM,        /* the webhook port has room for connections; whoever prints says it */
    READINESS_DRAINING,    /* the process is about to end */
    READINESS_COUNT,
};

struct readiness;

/* No check is ready before it is set, but READINESS_DRAINING. */
struct readiness *readiness_new(void);

/* NULL is none. */
void readiness_free(struct readiness *readiness);

/* The reasons are lines, each ended by '\n'; "" means ready. One thread at a time sets. */
void readiness_set(struct readiness *readiness, enum readiness_check check, const char *reasons);

bool readiness_is_ready(struct readiness *readiness);

/* Appends the reasons of all checks, without their names. */
void readiness_print_reasons(struct readiness *readiness, struct buffer *out);

/* Prints what /readyz answers, as kube-apiserver does if it is verbose. `room` are the reasons of
   READINESS_ROOM, "" for none. Returns whether it is ready. */
bool readiness_print(struct readiness *readiness, const char *room, bool is_verbose,
                     struct buffer *out);

#endif
