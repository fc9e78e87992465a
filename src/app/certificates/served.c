// SPDX-License-Identifier: Apache-2.0
#include "served.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rotate_view.h"
#include "validity.h"

void served_fini(struct served *served) {
    free(served->issuer.pem);
    free(served->former.pem);
    *served = (struct served){.id = ""};
}

bool served_is_trusted(const struct served *served, const struct registration *registration) {
    return served->issuer.pem != NULL && rotate_view_is_trusted(registration, served->issuer.id);
}

bool served_is_trusted_by(const struct served *served, const struct registration_entry *entry) {
    return served->issuer.pem != NULL && rotate_view_trusts(entry, served->issuer.id);
}

static bool is_within(int64_t not_before, int64_t not_after, int64_t wall_s) {
    return wall_s >= not_before && wall_s < not_after;
}

static bool is_valid(const struct served *served, int64_t wall_s) {
    const struct x509_certificate *issuer = &served->issuer;
    return is_within(served->not_before, served->not_after, wall_s) &&
           (issuer->pem == NULL || is_within(issuer->not_before, issuer->not_after, wall_s));
}

bool served_explain_dates(const struct served *served, int64_t wall_s, struct buffer *out) {
    const struct x509_certificate *issuer = &served->issuer;
    bool is_leaf_valid = validity_explain("certificate that is served", served->not_before,
                                          served->not_after, wall_s, out);
    bool is_issuer_valid =
        issuer->pem == NULL || validity_explain("CA of the certificate that is served",
                                                issuer->not_before, issuer->not_after, wall_s, out);
    return is_leaf_valid && is_issuer_valid;
}

static bool is_offer_valid(const struct served_offer *offer) {
    const struct renewal_view *view = offer->view;
    const struct renewal_ca *issuer = &view->cas[view->leaf_issuer];
    return is_within(view->leaf_not_before, view->leaf_not_after, offer->wall_s) &&
           (!view->has_issuer || is_within(issuer->not_before, issuer->not_after, offer->wall_s));
}

static bool may_take_up(const struct served *served, const struct served_offer *offer) {
    const struct renewal_view *view = offer->view;
    if (served->id[0] == '\0') {
        return true;
    }
    if (is_valid(served, offer->wall_s) && !is_offer_valid(offer)) {
        return false;
    }
    if (view->webhook != RENEWAL_WEBHOOK_PRESENT) {
        return view->webhook == RENEWAL_WEBHOOK_ABSENT;
    }
    if (!served_is_trusted(served, offer->registration)) {
        return true;
    }
    bool is_new = view->has_issuer && view->leaf_issuer == view->signer &&
                  strcmp(offer->cas->items[view->leaf_issuer].id, served->issuer.id) != 0;
    return view->has_issuer && view->cas[view->leaf_issuer].is_trusted &&
           (!is_new || offer->is_trusted_long);
}

/* Copies the text, too. */
static void copy_certificate(struct x509_certificate *certificate,
                             const struct x509_certificate *other) {
    free(certificate->pem);
    *certificate = *other;
    if (other->pem != NULL) {
        certificate->pem = memory_copy(other->pem, strlen(other->pem));
    }
}

static void remember(struct served *served, const struct served_offer *offer,
                     const struct x509_certificate *leaf) {
    static const struct x509_certificate unknown = {.pem = NULL};
    const struct renewal_view *view = offer->view;
    const struct x509_certificate *issuer =
        view->has_issuer ? &offer->cas->items[view->leaf_issuer] : &unknown;
    if (strcmp(served->issuer.id, issuer->id) != 0) {
        copy_certificate(&served->former, &served->issuer);
        served->former_until_ms = offer->now_ms + offer->trust_delay_ms;
    }
    copy_certificate(&served->issuer, issuer);
    memcpy(served->id, leaf->id, sizeof(served->id));
    served->not_before = leaf->not_before;
    served->not_after = leaf->not_after;
}

static bool read_leaf(const struct keyring *keyring, struct x509_bundle *ret_chain) {
    struct error ignored;
    return keyring->tls_crt != NULL && x509_read_bundle(keyring->tls_crt, ret_chain, &ignored);
}

bool served_is_of(const struct served *served, const struct keyring *keyring) {
    AUTO(x509_bundle_fini) struct x509_bundle chain = {.n_items = 0};
    return read_leaf(keyring, &chain) && strcmp(chain.items[0].id, served->id) == 0;
}

bool served_take_up(struct served *served, const struct served_offer *offer,
                    struct http_server *server, struct error *error) {
    AUTO(x509_bundle_fini) struct x509_bundle chain = {.n_items = 0};
    const struct keyring *keyring = offer->keyring;
    if (offer->view->secret != RENEWAL_SECRET_USABLE || !offer->view->has_leaf ||
        !read_leaf(keyring, &chain) || strcmp(chain.items[0].id, served->id) == 0 ||
        !may_take_up(served, offer)) {
        return true;
    }
    if (!http_set_key_pair(server, keyring->tls_crt, keyring->tls_key, error)) {
        return false;
    }
    remember(served, offer, &chain.items[0]);
    return true;
}

void served_write_bundle(const struct served *served, const struct x509_bundle *cas, int64_t now_ms,
                         struct buffer *out) {
    const struct x509_certificate *issuer = &served->issuer;
    const struct x509_certificate *former = &served->former;
    for (size_t i = 0; i < cas->n_items; i++) {
        buffer_add_text(out, cas->items[i].pem);
    }
    if (issuer->pem != NULL && !x509_bundle_has(cas, issuer->id)) {
        buffer_add_text(out, issuer->pem);
    }
    if (former->pem != NULL && now_ms < served->former_until_ms &&
        !x509_bundle_has(cas, former->id)) {
        buffer_add_text(out, former->pem);
    }
}
