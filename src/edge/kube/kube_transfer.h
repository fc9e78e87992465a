// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_TRANSFER_H
#define EDGE_KUBE_KUBE_TRANSFER_H

/*
 * Tells libcurl about one transfer.
 */

#include <stdbool.h>

#include "base/attribute.h"
#include "kube_call.h"
#include "kube_credential.h"
#include "kube_curl.h"
#include "kube_target.h"

/* Shared by all transfers. Borrowed. */
struct kube_transfer_options {
    const struct kube_access *access;
    const struct kube_target *target;
    const char *user_agent;
};

/* Prepares the handle, which is new or reset. Returns false if libcurl refuses; call->reason says
   why. */
bool kube_transfer_prepare(struct kube_call *call, const struct kube_transfer_options *options,
                           const struct kube_identity *identity, CURL *easy) MUST_CHECK;

#endif
