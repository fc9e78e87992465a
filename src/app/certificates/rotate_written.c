// SPDX-License-Identifier: Apache-2.0
#include "rotate_written.h"

#include "answer.h"
#include "base/memory.h"

enum { BUNDLE_MAX = 1 << 20 };

void rotate_written_fini(struct rotate_written *written) {
    keyring_fini(&written->keyring);
    registration_fini(&written->before);
    buffer_fini(&written->bundle);
    *written = (struct rotate_written){.is_secret = false};
}

void rotate_written_note_secret(struct rotate_written *written, struct keyring *owned_keyring,
                                enum renewal_phase phase) {
    rotate_written_fini(written);
    written->is_secret = true;
    written->phase = phase;
    written->keyring = TAKE(*owned_keyring);
}

void rotate_written_note_registration(struct rotate_written *written,
                                      const struct registration *before, const char *bundle_pem,
                                      bool fails) {
    rotate_written_fini(written);
    written->before = registration_copy(before);
    buffer_init(&written->bundle, BUNDLE_MAX);
    buffer_add_text(&written->bundle, bundle_pem);
    written->fails = fails;
}

static bool shows_keyring(const struct rotate_written *written, const struct kube_answer *answer) {
    AUTO(keyring_fini) struct keyring keyring = {.ca_crt = NULL};
    struct error ignored;
    return keyring_read(answer->body, answer->body_size, &keyring, &ignored) &&
           keyring_is_as(&keyring, &written->keyring);
}

static bool shows_registration(struct rotate_written *written, const struct kube_answer *answer) {
    AUTO(registration_fini) struct registration registration = {.n_entries = 0};
    struct error ignored;
    return registration_read(answer->body, answer->body_size, &registration, &ignored) &&
           registration_shows(&registration, &written->before, buffer_text(&written->bundle),
                              written->fails);
}

const char *rotate_written_problem(struct rotate_written *written, const char *config_name,
                                   const struct kube_answer *answer) {
    bool is_secret = written->is_secret;
    if (!answer_shows(answer, is_secret ? "Secret" : REGISTRATION_KIND,
                      is_secret ? KEYRING_SECRET_NAME : config_name)) {
        return ANSWER_FOREIGN;
    }
    bool is_shown =
        is_secret ? shows_keyring(written, answer) : shows_registration(written, answer);
    return is_shown ? NULL : ANSWER_UNCHANGED;
}
