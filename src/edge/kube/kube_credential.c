// SPDX-License-Identifier: Apache-2.0
#include "kube_credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "kube_pair.h"
#include "kube_plugin.h"
#include "kube_plugin_text.h"
#include "kube_text.h"

enum {
    TOKEN_FILE_MAX = 65536,
    FILE_AGE_MAX_MS = 50000, /* client-go: one minute less 10 s */
    PLUGIN_REST_MS = 5000,
    EXPIRY_LEEWAY_MS = 10000,
};

struct kube_credential {
    const struct kube_access *access;
    bool is_refused; /* the API server refused the current credential; use another one if there is
                        one */

    char *token; /* from the file or, at first, from the access; NULL: none yet */
    int64_t token_read_ms;
    bool is_token_read; /* at least once */

    struct kube_pair pair;

    struct kube_plugin_run *run;          /* NULL if no plugin runs */
    struct kube_plugin_credential issued; /* what the plugin printed */
    bool is_issued;
    int64_t stale_ms; /* when to renew what was issued; INT64_MAX: never */
    bool has_failed;
    int64_t failed_ms;
    struct error failure;
};

/* A token wins over a plugin, as in client-go. */
static bool uses_plugin(const struct kube_credential *credential) {
    const struct kube_access *access = credential->access;
    return access->plugin != NULL && access->token == NULL && access->token_file == NULL;
}

struct kube_credential *kube_credential_new(const struct kube_access *access) {
    struct kube_credential *credential = memory_new(1, sizeof(*credential));
    credential->access = access;
    kube_pair_init(&credential->pair, access);
    if (access->token != NULL) {
        credential->token = memory_copy(access->token, strlen(access->token));
    }
    return credential;
}

void kube_credential_free(struct kube_credential *credential) {
    if (credential != NULL) {
        kube_plugin_free(credential->run);
        kube_plugin_credential_fini(&credential->issued);
        kube_pair_fini(&credential->pair);
        memory_free_secret(credential->token);
        free(credential);
    }
}

static bool read_token(struct kube_credential *credential, struct error *error) {
    AUTO(buffer_fini) struct buffer content;
    const char *path = credential->access->token_file;
    buffer_init_secret(&content, TOKEN_FILE_MAX);
    if (!file_read(path, &content, error)) {
        return false;
    }
    AUTO_FREE_SECRET char *token = memory_copy(content.bytes, content.size);
    bool is_text = strlen(token) == content.size;
    kube_text_trim(token);
    if (*token == '\0' && is_text) {
        return error_set(error, ERROR_INVALID, "the token file '%.128s' is empty", path);
    }
    if (!is_text || !kube_text_is_token(token)) {
        return error_set(error, ERROR_INVALID, "what is in '%.128s' is not a token", path);
    }
    memory_free_secret(credential->token);
    credential->token = TAKE(token);
    return true;
}

static enum kube_credential_state get_token(struct kube_credential *credential, int64_t now_ms,
                                            struct error *error) {
    struct error problem;
    bool is_fresh = credential->is_token_read && !credential->is_refused &&
                    now_ms - credential->token_read_ms <= FILE_AGE_MAX_MS;
    if (is_fresh) {
        return KUBE_CREDENTIAL_READY;
    }
    if (read_token(credential, &problem)) {
        credential->token_read_ms = now_ms;
        credential->is_token_read = true;
        credential->is_refused = false;
    } else if (credential->token == NULL) {
        *error = problem;
        return KUBE_CREDENTIAL_FAILED;
    }
    return KUBE_CREDENTIAL_READY;
}

static enum kube_credential_state fail(struct kube_credential *credential, int64_t now_ms,
                                       struct error *error) {
    error_wrap(error, "credential plugin '%.64s'", credential->access->plugin->command[0]);
    credential->has_failed = true;
    credential->failed_ms = now_ms;
    credential->failure = *error;
    return KUBE_CREDENTIAL_FAILED;
}

/* A credential that expires within EXPIRY_LEEWAY_MS is used until it expires. */
static bool accept(struct kube_credential *credential, struct kube_plugin_credential *issued,
                   int64_t now_ms, struct error *error) {
    int64_t stale_ms = INT64_MAX;
    if (issued->expires != INT64_MAX) {
        int64_t left_ms = (issued->expires - clock_wall_seconds()) * 1000;
        if (left_ms <= 0) {
            return error_set(error, ERROR_INVALID, "what it printed has expired already");
        }
        stale_ms = now_ms + left_ms - (left_ms > EXPIRY_LEEWAY_MS ? EXPIRY_LEEWAY_MS : 0);
    }
    kube_plugin_credential_fini(&credential->issued);
    credential->issued = TAKE(*issued);
    credential->is_issued = true;
    credential->stale_ms = stale_ms;
    credential->is_refused = false;
    return true;
}

static enum kube_credential_state finish(struct kube_credential *credential, const char *output,
                                         size_t size, int64_t now_ms, struct error *error) {
    AUTO(kube_plugin_credential_fini) struct kube_plugin_credential issued = {.token = NULL};
    const char *api_version = credential->access->plugin->api_version;
    if (!kube_plugin_read_output(output, size, api_version, &issued, error) ||
        !accept(credential, &issued, now_ms, error)) {
        return fail(credential, now_ms, error);
    }
    credential->has_failed = false;
    return KUBE_CREDENTIAL_READY;
}

static enum kube_credential_state step_plugin(struct kube_credential *credential, int64_t now_ms,
                                              struct error *error) {
    const char *output = NULL;
    size_t size = 0;
    enum kube_credential_state state = KUBE_CREDENTIAL_PENDING;
    switch (kube_plugin_step(credential->run, now_ms, &output, &size, error)) {
    case KUBE_PLUGIN_RUNS:
        return KUBE_CREDENTIAL_PENDING;
    case KUBE_PLUGIN_ENDED:
        state = finish(credential, output, size, now_ms, error);
        break;
    case KUBE_PLUGIN_FAILED:
        state = fail(credential, now_ms, error);
        break;
    }
    kube_plugin_free(TAKE(credential->run));
    return state;
}

static enum kube_credential_state get_issued(struct kube_credential *credential, int64_t now_ms,
                                             struct error *error) {
    if (credential->run != NULL) {
        return step_plugin(credential, now_ms, error);
    }
    if (credential->is_issued && !credential->is_refused && now_ms < credential->stale_ms) {
        return KUBE_CREDENTIAL_READY;
    }
    if (credential->has_failed && now_ms - credential->failed_ms < PLUGIN_REST_MS) {
        *error = credential->failure;
        return KUBE_CREDENTIAL_FAILED;
    }
    if (!kube_plugin_start(credential->access, now_ms, &credential->run, error)) {
        return fail(credential, now_ms, error);
    }
    return KUBE_CREDENTIAL_PENDING;
}

static void fill_identity(const struct kube_credential *credential,
                          struct kube_identity *ret_identity) {
    const struct kube_plugin_credential *issued = &credential->issued;
    const struct kube_pair *pair = &credential->pair;
    bool is_issued = issued->certificate_pem != NULL;
    *ret_identity = (struct kube_identity){
        .token = uses_plugin(credential) ? issued->token : credential->token,
        .certificate_pem = is_issued ? issued->certificate_pem : pair->certificate_pem,
        .key_pem = is_issued ? issued->key_pem : pair->key_pem,
    };
}

enum kube_credential_state kube_credential_get(struct kube_credential *credential, int64_t now_ms,
                                               struct kube_identity *ret_identity,
                                               struct error *error) {
    enum kube_credential_state state = KUBE_CREDENTIAL_READY;
    *ret_identity = (struct kube_identity){.token = NULL};
    if (!kube_pair_refresh(&credential->pair, error)) {
        return KUBE_CREDENTIAL_FAILED;
    }
    if (credential->access->token_file != NULL) {
        state = get_token(credential, now_ms, error);
    } else if (uses_plugin(credential)) {
        state = get_issued(credential, now_ms, error);
    }
    if (state == KUBE_CREDENTIAL_READY) {
        fill_identity(credential, ret_identity);
    }
    return state;
}

bool kube_credential_refuse(struct kube_credential *credential) {
    bool can_change = credential->access->token_file != NULL || uses_plugin(credential);
    credential->is_refused = can_change;
    return can_change;
}

int kube_credential_descriptor(const struct kube_credential *credential) {
    return credential->run == NULL ? -1 : kube_plugin_descriptor(credential->run);
}
