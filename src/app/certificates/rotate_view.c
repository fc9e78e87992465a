// SPDX-License-Identifier: Apache-2.0
#include "rotate_view.h"

#include <string.h>

#include "base/memory.h"

static bool find_signer(const struct keyring *keyring, const struct x509_bundle *cas,
                        size_t *ret_signer) {
    for (size_t i = cas->n_items; i > 0; i--) {
        const struct x509_certificate *ca = &cas->items[i - 1];
        if (ca->is_ca && x509_is_key_of(ca->pem, keyring->ca_key)) {
            *ret_signer = i - 1;
            return true;
        }
    }
    return false;
}

/* Tries the signer first: a CA may stand there twice, or be renewed with the same key. */
static const struct x509_certificate *find_issuer(const struct x509_bundle *cas, size_t signer,
                                                  const char *chain_pem) {
    if (x509_is_issued_by(chain_pem, cas->items[signer].pem)) {
        return &cas->items[signer];
    }
    for (size_t i = 0; i < cas->n_items; i++) {
        if (x509_is_issued_by(chain_pem, cas->items[i].pem)) {
            return &cas->items[i];
        }
    }
    return NULL;
}

/* True if a client that trusts the issuer accepts the leaf, while both are valid. */
static bool is_acceptable(const char *chain_pem, const struct x509_certificate *leaf,
                          const struct x509_certificate *issuer) {
    bool is_younger = leaf->not_before > issuer->not_before;
    struct error error;
    return x509_verify(chain_pem, issuer->pem, NULL,
                       is_younger ? leaf->not_before : issuer->not_before, &error);
}

static void look_at_leaf(const struct keyring *keyring, const char *const *names, size_t n_names,
                         const struct x509_bundle *cas, struct renewal_view *view) {
    AUTO(x509_bundle_fini) struct x509_bundle chain = {.n_items = 0};
    struct error error;
    if (!x509_read_bundle(keyring->tls_crt, &chain, &error) ||
        !x509_is_key_of(keyring->tls_crt, keyring->tls_key)) {
        return;
    }
    const struct x509_certificate *issuer = find_issuer(cas, view->signer, keyring->tls_crt);
    if (issuer != NULL && !is_acceptable(keyring->tls_crt, &chain.items[0], issuer)) {
        return;
    }
    view->has_leaf = true;
    view->leaf_not_before = chain.items[0].not_before;
    view->leaf_not_after = chain.items[0].not_after;
    view->leaf_has_names = true;
    for (size_t i = 0; i < n_names; i++) {
        view->leaf_has_names = view->leaf_has_names && x509_has_name(keyring->tls_crt, names[i]);
    }
    view->has_issuer = issuer != NULL;
    view->leaf_issuer = issuer != NULL ? (size_t)(issuer - cas->items) : 0;
}

void rotate_view_secret(const struct keyring *keyring, const char *const *names, size_t n_names,
                        struct renewal_view *view, struct x509_bundle *ret_cas) {
    AUTO(x509_bundle_fini) struct x509_bundle cas = {.n_items = 0};
    struct error error;
    *ret_cas = (struct x509_bundle){.n_items = 0};
    *view = (struct renewal_view){
        .leads = view->leads,
        .is_clock_disputed = view->is_clock_disputed,
        .has_memory = view->has_memory,
        .webhook = view->webhook,
        .is_bundle_current = view->is_bundle_current,
        .secret = keyring == NULL ? RENEWAL_SECRET_ABSENT : RENEWAL_SECRET_UNUSABLE,
    };
    if (keyring == NULL || !x509_read_bundle(keyring->ca_crt, &cas, &error) ||
        cas.n_items > RENEWAL_CAS_MAX || !find_signer(keyring, &cas, &view->signer)) {
        return;
    }
    view->secret = RENEWAL_SECRET_USABLE;
    view->asked = keyring->asked;
    view->n_cas = cas.n_items;
    for (size_t i = 0; i < cas.n_items; i++) {
        view->cas[i].not_before = cas.items[i].not_before;
        view->cas[i].not_after = cas.items[i].not_after;
    }
    look_at_leaf(keyring, names, n_names, &cas, view);
    *ret_cas = TAKE(cas);
}

bool rotate_view_trusts(const struct registration_entry *entry, const char *id) {
    AUTO(x509_bundle_fini) struct x509_bundle bundle = {.n_items = 0};
    struct error error;
    return x509_read_bundle(entry->bundle_pem, &bundle, &error) && x509_bundle_has(&bundle, id);
}

bool rotate_view_is_trusted(const struct registration *registration, const char *id) {
    for (size_t i = 0; i < registration->n_entries; i++) {
        if (!rotate_view_trusts(&registration->entries[i], id)) {
            return false;
        }
    }
    return registration->n_entries > 0;
}

static int64_t latest_begin(const struct x509_bundle *bundle, int64_t latest) {
    for (size_t i = 0; i < bundle->n_items; i++) {
        latest = MAX(latest, bundle->items[i].not_before);
    }
    return latest;
}

int64_t rotate_view_latest_begin(const struct registration *registration,
                                 const struct x509_bundle *cas, const struct renewal_view *view) {
    int64_t latest = latest_begin(cas, view->has_leaf ? view->leaf_not_before : 0);
    for (size_t i = 0; i < registration->n_entries; i++) {
        AUTO(x509_bundle_fini) struct x509_bundle bundle = {.n_items = 0};
        struct error error;
        if (x509_read_bundle(registration->entries[i].bundle_pem, &bundle, &error)) {
            latest = latest_begin(&bundle, latest);
        }
    }
    return latest;
}

static bool trusts_others(const struct registration *registration, const struct x509_bundle *cas,
                          int64_t now) {
    for (size_t i = 0; i < registration->n_entries; i++) {
        AUTO(x509_bundle_fini) struct x509_bundle bundle = {.n_items = 0};
        struct error error;
        if (!x509_read_bundle(registration->entries[i].bundle_pem, &bundle, &error)) {
            continue;
        }
        for (size_t k = 0; k < bundle.n_items; k++) {
            if (bundle.items[k].not_after > now && !x509_bundle_has(cas, bundle.items[k].id)) {
                return true;
            }
        }
    }
    return false;
}

void rotate_view_trust(const struct registration *registration, const struct x509_bundle *cas,
                       int64_t now, struct renewal_view *view) {
    for (size_t i = 0; i < cas->n_items && i < RENEWAL_CAS_MAX; i++) {
        view->cas[i].is_trusted = rotate_view_is_trusted(registration, cas->items[i].id);
    }
    view->trusts_others = trusts_others(registration, cas, now);
}
