// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_CHECKUP_H
#define CORE_DOCTOR_CHECKUP_H

/*
 * The checks of `capstan doctor`: each judges answers of the API server, and gives a finding with a
 * remedy. docs/doctor.md lists them. Where `serve` judges the same thing, the check calls the same
 * function.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/admission/policy.h"
#include "core/doctor/finding.h"
#include "core/doctor/question.h"
#include "core/facts/kind.h"

enum { CHECKUP_FINDINGS_MAX = 24, CHECKUP_ASKS_MAX = 2304, CHECKUP_NAME_SIZE = 254 };

/* A right that the program needs. */
struct checkup_right {
    const char *verb;
    enum object_kind kind; /* OBJECT_OTHER: `group` and `resource` tell */
    const char *group;
    const char *resource;
    const char *subresource;  /* "" for none */
    const char *name;         /* "" for any, "*" for the webhook configuration's */
    bool is_namespaced;       /* in Capstan's own namespace; else in all */
    bool is_for_certificates; /* only needed if Capstan makes its own */
};

/* A right in one namespace. */
struct checkup_ask {
    const struct checkup_right *right;
    char namespace[CHECKUP_NAME_SIZE]; /* "" for all */
};

enum checkup_grant { CHECKUP_UNASKED, CHECKUP_GRANTED, CHECKUP_REFUSED };

/* Functions of other floors. */
struct checkup_tools {
    /* As x509_verify(). */
    bool (*verify)(const char *chain_pem, const char *bundle_pem, const char *dns_name, int64_t now,
                   struct error *error);
    /* The life of the first certificate, in seconds since 1970. */
    bool (*read_life)(const char *chain_pem, int64_t *ret_not_before, int64_t *ret_not_after,
                      struct error *error);
    /* Reads a policy as `serve` reads its file. */
    bool (*read_policy)(const char *yaml, struct policy **ret_policy, struct error *error);
};

/* An installation, as its API server describes it. */
struct patient {
    struct finding_names names;
    int64_t now;         /* seconds since 1970 */
    const char *version; /* of this program */
    const struct checkup_tools *tools;
    struct answer answers[QUESTION_COUNT];
    enum checkup_grant grants[CHECKUP_ASKS_MAX]; /* in the order of checkup_list_asks() */
    int grants_status; /* of HTTP, where asking about rights ended early */
};

/* Makes all checks, in a fixed order. If the API server does not answer, there is one finding.
   Returns the number of findings, which is at most CHECKUP_FINDINGS_MAX. */
size_t checkup_run(const struct patient *patient,
                   struct finding ret_findings[CHECKUP_FINDINGS_MAX]);

/* The rights to ask about: those that the Deployment's flags make necessary. The Deployment's
   answer comes first. Returns their number. Of many watched namespaces it takes the first 32; the
   check then says that the others are unknown. */
size_t checkup_list_asks(const struct patient *patient,
                         struct checkup_ask ret_asks[CHECKUP_ASKS_MAX]);

/* Adds the user name of the ServiceAccount that the rights are about. */
void checkup_add_account(const struct patient *patient, struct buffer *out);

/* Reads a (Self)SubjectAccessReview. */
enum checkup_grant checkup_read_grant(const struct answer *review);

/* True if a SelfSubjectReview names this user. */
bool checkup_is_user(const struct answer *review, const char *user);

const char *checkup_group_of(const struct checkup_right *right);
const char *checkup_resource_of(const struct checkup_right *right);

extern const struct checkup_right checkup_rights[];
extern const size_t checkup_n_rights;

#endif
