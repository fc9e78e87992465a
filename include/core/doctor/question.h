// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_QUESTION_H
#define CORE_DOCTOR_QUESTION_H

/*
 * The questions of `capstan doctor` to the API server: GETs, in the order of the enum. Some depend
 * on the answer to an earlier one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"
#include "core/cluster/discovery.h"
#include "core/doctor/finding.h"

enum question {
    QUESTION_VERSION, /* of the API server */
    QUESTION_CONFIGURATION,
    QUESTION_CONFIGURATIONS, /* of everybody */
    QUESTION_GROUP,          /* the versions of toolhive.stacklok.dev */
    QUESTION_RESOURCES,      /* of these versions, in the order in which `serve` asks for them */
    QUESTION_RESOURCES_LAST = QUESTION_RESOURCES + DISCOVERY_VERSIONS_MAX - 1,
    QUESTION_DEFINITION,
    QUESTION_OPERATORS,
    QUESTION_HOME, /* the Namespace of Capstan */
    QUESTION_NAMESPACES,
    QUESTION_SERVICE,
    QUESTION_SLICES, /* the EndpointSlices of the Service */
    QUESTION_DEPLOYMENT,
    QUESTION_PODS,
    QUESTION_LEASE,
    QUESTION_SECRET,    /* its name is in the Deployment */
    QUESTION_POLICY,    /* a ConfigMap; its name is in the Deployment */
    QUESTION_MUTATIONS, /* MutatingAdmissionPolicies; 404 if the cluster knows none */
    QUESTION_BINDINGS,  /* of these */
    QUESTION_COUNT,
};

enum { QUESTION_ANSWER_MAX = 16 << 20 };

/* The outcome of a request. */
struct answer {
    int status;       /* of HTTP, any 2xx as 200; 0 without an answer */
    const char *json; /* if the status is 200: at most QUESTION_ANSWER_MAX bytes */
    size_t size;
    const char *reason; /* why there is none, if the status is 0; NULL: not known */
};

/* Adds the path of a question. `answers` has those to earlier questions; for the policies, the
   `version` of their API. False if there is nothing to ask: the Deployment names no such object, or
   no further version of the family has to be looked at. */
bool question_add_path(enum question question, const struct finding_names *names,
                       const struct answer *answers, const char *version,
                       struct buffer *out) MUST_CHECK;

/* Finds the kinds of the family in the answers to QUESTION_GROUP and to the first `n_lists`
   questions about resources. True if a kind that `ret_discovery` does not have is not installed;
   false if it may be, since an answer is missing or cannot be read. */
bool question_discover(const struct answer *answers, size_t n_lists,
                       struct discovery *ret_discovery);

/* The versions of the API of MutatingAdmissionPolicies, best first. NULL ends them. */
extern const char *const question_versions[];

#endif
