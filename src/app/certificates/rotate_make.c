// SPDX-License-Identifier: Apache-2.0
#include "rotate_make.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

enum { BUNDLE_MAX = 1 << 20 };

static char *copy(const char *text) {
    return memory_copy(text, strlen(text));
}

struct keyring rotate_make_copy(const struct keyring *keyring) {
    return (struct keyring){
        .ca_crt = copy(keyring->ca_crt),
        .ca_key = copy(keyring->ca_key),
        .tls_crt = copy(keyring->tls_crt),
        .tls_key = copy(keyring->tls_key),
    };
}

/* Adds the CAs of the entry's caBundle that are still valid and stand neither in the Secret nor in
   `bundle`. Returns how many. */
static size_t add_others(const struct rotate_sources *sources,
                         const struct registration_entry *entry, size_t room,
                         struct buffer *bundle) {
    AUTO(x509_bundle_fini) struct x509_bundle others = {.n_items = 0};
    struct error error;
    size_t n_added = 0;
    if (!x509_read_bundle(entry->bundle_pem, &others, &error)) {
        return 0;
    }
    for (size_t i = 0; i < others.n_items && n_added < room; i++) {
        const struct x509_certificate *other = &others.items[i];
        if (other->not_after > sources->now && !x509_bundle_has(sources->cas, other->id) &&
            strstr(buffer_text(bundle), other->pem) == NULL) {
            buffer_add_text(bundle, other->pem);
            n_added++;
        }
    }
    return n_added;
}

static size_t add_kept(const struct renewal_order *order, const struct rotate_sources *sources,
                       struct buffer *bundle) {
    size_t n_kept = 0;
    for (size_t i = 0; i < sources->cas->n_items && i < RENEWAL_CAS_MAX; i++) {
        if (order->keeps[i]) {
            buffer_add_text(bundle, sources->cas->items[i].pem);
            n_kept++;
        }
    }
    return n_kept;
}

static bool make_ca(const struct rotate_sources *sources, struct x509_pair *ret_ca,
                    struct error *error) {
    char time[TEXT_TIME_SIZE];
    char name[64];
    text_format_time(time, sources->now);
    snprintf(name, sizeof(name), "Capstan CA %s", time);
    return x509_make_ca(name, sources->now, RENEWAL_CA_LIFETIME, ret_ca, error);
}

/* Makes the CAs of the new content, and the pair that signs: a new one, or a copy of the present
   one. */
static bool make_cas(const struct renewal_order *order, const struct rotate_sources *sources,
                     struct x509_pair *ret_signer, struct keyring *made, struct error *error) {
    AUTO(buffer_fini) struct buffer bundle;
    buffer_init(&bundle, BUNDLE_MAX);
    size_t n_cas = add_kept(order, sources, &bundle) + (order->makes_ca ? 1 : 0);
    for (size_t i = 0; order->takes_over_others && i < sources->registration->n_entries; i++) {
        size_t room = n_cas < RENEWAL_CAS_MAX ? RENEWAL_CAS_MAX - n_cas : 0;
        n_cas += add_others(sources, &sources->registration->entries[i], room, &bundle);
    }
    if (order->makes_ca) {
        if (!make_ca(sources, ret_signer, error)) {
            return false;
        }
        buffer_add_text(&bundle, ret_signer->certificate_pem);
    } else {
        ret_signer->certificate_pem = copy(sources->cas->items[sources->signer].pem);
        ret_signer->key_pem = copy(sources->present->ca_key);
    }
    made->ca_crt = copy(buffer_text(&bundle));
    made->ca_key = copy(ret_signer->key_pem);
    return true;
}

static bool make_leaf(const struct renewal_order *order, const struct rotate_sources *sources,
                      const struct x509_pair *signer, struct keyring *made, struct error *error) {
    AUTO(x509_pair_fini) struct x509_pair leaf = {.key_pem = NULL};
    if (!order->makes_leaf) {
        made->tls_crt = copy(sources->present != NULL ? sources->present->tls_crt : "");
        made->tls_key = copy(sources->present != NULL ? sources->present->tls_key : "");
        return true;
    }
    if (!x509_make_leaf(signer, sources->names, sources->n_names, sources->now,
                        RENEWAL_LEAF_LIFETIME, &leaf, error)) {
        return false;
    }
    made->tls_crt = TAKE(leaf.certificate_pem);
    made->tls_key = TAKE(leaf.key_pem);
    return true;
}

/* The request that the new content does not fulfil. */
static enum renewal_request leftover(const struct renewal_order *order,
                                     enum renewal_request asked) {
    bool is_done = (asked == RENEWAL_ASKS_CA && order->makes_ca) ||
                   (asked == RENEWAL_ASKS_LEAF && order->makes_leaf);
    return is_done ? RENEWAL_ASKS_NOTHING : asked;
}

bool rotate_make(const struct renewal_order *order, const struct rotate_sources *sources,
                 struct keyring *ret_keyring, struct error *error) {
    AUTO(x509_pair_fini) struct x509_pair signer = {.key_pem = NULL};
    AUTO(keyring_fini) struct keyring made = {.ca_crt = NULL};
    if (order->phase == RENEWAL_RESTORE) {
        made = rotate_make_copy(sources->memory);
    } else if (!make_cas(order, sources, &signer, &made, error) ||
               !make_leaf(order, sources, &signer, &made, error)) {
        return false;
    }
    if (sources->present != NULL) {
        memcpy(made.uid, sources->present->uid, sizeof(made.uid));
        memcpy(made.resource_version, sources->present->resource_version,
               sizeof(made.resource_version));
        made.asked = leftover(order, sources->present->asked);
    }
    *ret_keyring = TAKE(made);
    return true;
}
