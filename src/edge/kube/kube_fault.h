// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_FAULT_H
#define EDGE_KUBE_KUBE_FAULT_H

/*
 * Makes the errors of requests: their kind and their text.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "edge/kube.h"

/* "GET", "WATCH", "POST", "PUT", "PATCH". */
const char *kube_fault_verb(enum kube_verb verb);

/* An error names the verb, and the path without its query. */
struct kube_subject {
    enum kube_verb verb;
    const char *path;
};

/* The answer came whole, with another status than 2xx. Its body may be a Status, or anything. */
void kube_fault_refused(const struct kube_subject *subject, int status, const char *body,
                        size_t body_size, struct error *ret_error);

/* The answer did not come, or broke off. `status` is 0 if nothing came. */
void kube_fault_broken(const struct kube_subject *subject, int status, const char *reason,
                       struct error *ret_error);

/* The timeout passed. `status` is 0 if nothing came. */
void kube_fault_late(const struct kube_subject *subject, int status, int64_t timeout_ms,
                     struct error *ret_error);

/* The answer, or a line of the watch, is larger than `answer_max` bytes. */
void kube_fault_too_large(const struct kube_subject *subject, size_t answer_max,
                          struct error *ret_error);

/* Puts the subject before an error that another function made. */
void kube_fault_wrap(const struct kube_subject *subject, struct error *error);

#endif
