// SPDX-License-Identifier: Apache-2.0
#ifndef APP_DOCTOR_DOCTOR_ASK_H
#define APP_DOCTOR_DOCTOR_ASK_H

/*
 * Requests to the API server, one after the other. Each call waits for the answer.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "core/doctor/checkup.h"
#include "edge/kube.h"

struct doctor_reply {
    struct checkup_answer answer; /* its JSON is borrowed from the body; any status 2xx is 200 */
    struct buffer body;
    struct error error; /* if the status is not 200 */
};

void doctor_reply_fini(struct doctor_reply *reply);

/* A GET, or with a body a POST. Fills the reply in any case. False if its status is not 200. */
bool doctor_ask(struct kube *kube, const char *path, const struct buffer *body,
                struct doctor_reply *ret_reply);

/* Adds the rights that the user lacks to `out`: "verb resource, verb resource". A NULL user is the
   one who asks. False if the API server gives no answer about rights. */
bool doctor_ask_rights(struct kube *kube, const char *user, const struct checkup_names *names,
                       bool makes_certificates, struct buffer *out) MUST_CHECK;

#endif
