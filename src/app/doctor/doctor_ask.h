// SPDX-License-Identifier: Apache-2.0
#ifndef APP_DOCTOR_DOCTOR_ASK_H
#define APP_DOCTOR_DOCTOR_ASK_H

/*
 * One question to the API server after the other, each waited for.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "core/doctor/checkup.h"
#include "edge/kube.h"

struct doctor_reply {
    struct checkup_answer answer; /* its JSON is that of the body */
    struct buffer body;
    struct error error; /* if it is not good */
};

void doctor_reply_fini(struct doctor_reply *reply);

/* A GET; or, with a body, a POST. Fills the reply in any case; false if it is not good. */
bool doctor_ask(struct kube *kube, const char *path, const struct buffer *body,
                struct doctor_reply *ret_reply);

/* Which of the rights are missing: of the user, or, if `user` is NULL, of whoever asks. Writes them
   to `out`, "verb resource" after "verb resource". False if it may not be asked. */
bool doctor_ask_rights(struct kube *kube, const char *user, const struct checkup_names *names,
                       bool makes_certificates, struct buffer *out) MUST_CHECK;

#endif
