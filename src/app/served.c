// SPDX-License-Identifier: Apache-2.0
#include "served.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rotate_view.h"

void served_fini(struct served *served) {
    free(served->issuer.pem);
    *served = (struct served){.id = ""};
}

bool served_is_trusted(const struct served *served, const struct registration *registration) {
    return served->issuer.pem != NULL && rotate_view_is_trusted(registration, served->issuer.id);
}

static bool may_take_up(const struct served *served, const struct served_offer *offer) {
    const struct renewal_view *view = offer->view;
    if (served->id[0] == '\0' || view->webhook == RENEWAL_WEBHOOK_ABSENT) {
        return true;
    }
    if (view->webhook == RENEWAL_WEBHOOK_UNKNOWN) {
        return false;
    }
    bool is_trusted = view->has_issuer && view->cas[view->leaf_issuer].is_trusted;
    return is_trusted || !served_is_trusted(served, offer->registration);
}

static void remember(struct served *served, const struct served_offer *offer,
                     const struct x509_certificate *leaf) {
    served_fini(served);
    memcpy(served->id, leaf->id, sizeof(served->id));
    served->not_after = leaf->not_after;
    if (offer->view->has_issuer) {
        const struct x509_certificate *issuer = &offer->cas->items[offer->view->leaf_issuer];
        served->issuer = *issuer;
        served->issuer.pem = memory_copy(issuer->pem, strlen(issuer->pem));
    }
}

bool served_take_up(struct served *served, const struct served_offer *offer,
                    struct http_server *server, struct error *error) {
    AUTO(x509_bundle_fini) struct x509_bundle chain = {.n_items = 0};
    const struct keyring *keyring = offer->keyring;
    struct error ignored;
    if (offer->view->secret != RENEWAL_SECRET_USABLE || !offer->view->has_leaf ||
        !x509_read_bundle(keyring->tls_crt, &chain, &ignored) ||
        strcmp(chain.items[0].id, served->id) == 0 || !may_take_up(served, offer)) {
        return true;
    }
    if (!http_set_key_pair(server, keyring->tls_crt, keyring->tls_key, error)) {
        return false;
    }
    remember(served, offer, &chain.items[0]);
    return true;
}

void served_write_bundle(const struct served *served, const struct x509_bundle *cas,
                         struct buffer *out) {
    for (size_t i = 0; i < cas->n_items; i++) {
        buffer_add_text(out, cas->items[i].pem);
    }
    if (served->issuer.pem != NULL && !x509_bundle_has(cas, served->issuer.id)) {
        buffer_add_text(out, served->issuer.pem);
    }
}
