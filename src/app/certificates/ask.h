// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ASK_H
#define APP_CERTIFICATES_ASK_H

/*
 * Sends one request of this room. A write ends before the Lease does.
 */

#include "base/buffer.h"
#include "cluster/elect.h"
#include "edge/kube.h"

/* All borrowed for the call of ask_begin(), except `context`. */
struct ask {
    struct kube *kube;
    const struct elect *elect;
    enum kube_verb verb;
    const char *path;
    const struct buffer *body; /* NULL: it reads */
    kube_done *done;
    void *context; /* given to `done` */
};

void ask_begin(const struct ask *ask);

#endif
