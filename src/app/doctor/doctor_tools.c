// SPDX-License-Identifier: Apache-2.0
#include "doctor_tools.h"

#include "document.h"
#include "edge/x509.h"

enum { POLICY_MAX = 4 << 20 };

static bool read_life(const char *chain_pem, int64_t *ret_not_before, int64_t *ret_not_after,
                      struct error *error) {
    AUTO(x509_bundle_fini) struct x509_bundle chain = {.n_items = 0};
    if (!x509_read_bundle(chain_pem, &chain, error)) {
        return false;
    }
    *ret_not_before = chain.items[0].not_before;
    *ret_not_after = chain.items[0].not_after;
    return true;
}

static bool read_policy(const char *yaml, struct policy **ret_policy, struct error *error) {
    AUTO(buffer_fini) struct buffer content;
    buffer_init(&content, POLICY_MAX);
    buffer_add_text(&content, yaml);
    return document_parse_policy("policy", &content, ret_policy, error);
}

const struct checkup_tools doctor_tools = {
    .verify = x509_verify, .read_life = read_life, .read_policy = read_policy};
