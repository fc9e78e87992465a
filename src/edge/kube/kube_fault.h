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

/* Each error names the verb ("GET", "WATCH", "POST", "PUT", "PATCH"), and the path without its
   query. */
const char *kube_fault_verb(enum kube_verb verb);

/* The answer came whole, with another status than 2xx. Its body may be a Status, or anything. */
void kube_fault_refused(const struct kube_request *request, int status, const char *body,
                        size_t body_size, struct error *ret_error);

/* The answer did not come, or broke off. `status` is 0 if nothing came. */
void kube_fault_broken(const struct kube_request *request, int status, const char *reason,
                       struct error *ret_error);

/* The timeout passed. `status` is 0 if nothing came. */
void kube_fault_late(const struct kube_request *request, int status, struct error *ret_error);

/* The answer, or a line of the watch, is larger than answer_max. */
void kube_fault_too_large(const struct kube_request *request, struct error *ret_error);

/* Puts the verb and the path before an error that another function made. */
void kube_fault_wrap(const struct kube_request *request, struct error *error);

#endif
