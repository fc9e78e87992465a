// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ROTATE_WRITTEN_H
#define APP_CERTIFICATES_ROTATE_WRITTEN_H

/*
 * Remembers the write that is under way, since its answer counts only if it shows the object as
 * written.
 */

#include <stdbool.h>

#include "base/buffer.h"
#include "core/certificates/keyring.h"
#include "core/certificates/registration.h"
#include "core/certificates/renewal.h"
#include "edge/kube.h"

struct rotate_written {
    bool is_secret;
    enum renewal_phase phase;   /* of the Secret */
    struct keyring keyring;     /* of the Secret; ca_crt is NULL: none */
    struct registration before; /* the webhook configuration that the patch was made for ... */
    struct buffer bundle;       /* ... and what each caBundle should be */
    bool fails;
};

void rotate_written_fini(struct rotate_written *written);

/* Each remembers a new write in place of the last one. */
void rotate_written_note_secret(struct rotate_written *written, struct keyring *owned_keyring,
                                enum renewal_phase phase);
void rotate_written_note_registration(struct rotate_written *written,
                                      const struct registration *before, const char *bundle_pem,
                                      bool fails);

/* NULL if the answer, which is good, shows what was written; else what is wrong with it. */
const char *rotate_written_problem(struct rotate_written *written, const char *config_name,
                                   const struct kube_answer *answer);

#endif
