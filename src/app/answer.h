// SPDX-License-Identifier: Apache-2.0
#ifndef APP_ANSWER_H
#define APP_ANSWER_H

/*
 * An answer of the API server counts only if it shows the object that was asked for. A proxy in
 * between may answer 200 with a page for a login.
 */

#include <stdbool.h>

#include "edge/kube.h"

/* True if the answer is good and its body is an object of this kind and name; NULL: any name. */
bool answer_shows(const struct kube_answer *answer, const char *kind, const char *name);

/* True for a good answer to a DELETE: a Status that says Success, or the object. */
bool answer_shows_deletion(const struct kube_answer *answer, const char *kind, const char *name);

/* The problem of a good answer that is no such object. */
#define ANSWER_FOREIGN                                                                             \
    "the answer to a request has status 2xx and is not the object; see whether a proxy between "   \
    "Capstan and the API server answers in its place"

/* The problem of a good answer to a write that shows other content. */
#define ANSWER_UNCHANGED                                                                           \
    "the answer to a write has status 2xx and does not show what was written; see whether a "      \
    "proxy answers in place of the API server, or somebody undoes it at once"

#endif
