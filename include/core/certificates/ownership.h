// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_OWNERSHIP_H
#define CORE_CERTIFICATES_OWNERSHIP_H

/*
 * Capstan's Namespace owns its webhook configuration: when somebody deletes the Namespace, the
 * cluster deletes the configuration too. Otherwise a configuration with failurePolicy Fail would
 * refuse writes, since nobody answers any more. No manifest can say so, because an ownerReference
 * has the uid of its owner.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "base/error.h"
#include "core/certificates/registration.h"

struct ownership_namespace {
    const char *name;
    char uid[REGISTRATION_ID_SIZE]; /* empty: unknown, so it owns nothing */
};

struct ownership_view {
    char uid[REGISTRATION_ID_SIZE]; /* of the configuration */
    bool is_ours;                   /* it has entries, and all of them lead to our Service */
    bool is_owned;                  /* by the Namespace */
};

/* Reads the uid of a Namespace from the API server. ERROR_INVALID if it has none. */
bool ownership_read_namespace(const char *json, size_t size, struct ownership_namespace *namespace,
                              struct error *error) MUST_CHECK;

/* Reads a webhook configuration from the API server. ERROR_INVALID if it is none. */
bool ownership_read(const char *json, size_t size, const struct ownership_namespace *namespace,
                    const char *service_name, struct ownership_view *ret_view,
                    struct error *error) MUST_CHECK;

/* Appends the body of a server-side apply that makes the Namespace an owner of the configuration
   with this uid. Other owners stay. It names nothing else of the configuration. */
void ownership_write(const struct ownership_namespace *namespace, const char *config_name,
                     const char *config_uid, struct buffer *out);

struct ownership { /* zero to begin with */
    /* The implementation's own. */
    int64_t wait_ms;
};

/* True if it is time to write. If not, `ret_at_ms` says when to look again: somebody may replace
   the configuration. */
bool ownership_step(struct ownership *ownership, const struct ownership_view *view, int64_t now_ms,
                    int64_t *ret_at_ms);

/* Something could not be read or written. Returns when to look again, and says whether the failure
   has lasted so long that the log should tell it. */
int64_t ownership_fail(struct ownership *ownership, int64_t now_ms, bool *ret_is_overdue);

#endif
