// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_CHECKUP_H
#define CORE_DOCTOR_CHECKUP_H

/*
 * The checks of `capstan doctor`: each judges objects as the API server sends them, and gives a
 * finding with a remedy. docs/doctor.md lists them. An answer whose JSON cannot be read counts as
 * an object without members.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/buffer.h"

enum finding_level {
    FINDING_OK,
    FINDING_NOTE,    /* good to know, or doctor could not look */
    FINDING_PROBLEM, /* somebody has to repair this */
};

enum { FINDING_MESSAGE_SIZE = 1024, FINDING_OTHER_SIZE = 1024 };

struct finding {
    const char *check; /* the name of the check, a literal */
    enum finding_level level;
    char message[FINDING_MESSAGE_SIZE]; /* cut if it is longer */
    const char *remedy; /* a literal for checkup_add_named(); NULL if there is nothing to do */
    char other[FINDING_OTHER_SIZE]; /* for the word OTHER in the remedy: names of objects */
};

/* Sets all but the check; `other` becomes empty. Returns false, so that a check can end with it. */
bool finding_set(struct finding *finding, enum finding_level level, const char *remedy,
                 const char *format, ...) PRINTF_LIKE(4, 5);

enum { CHECKUP_ANSWER_MAX = 16 << 20 };

/* The outcome of a request. */
struct checkup_answer {
    int status;       /* of HTTP; 0 without an answer */
    const char *json; /* if the status is 200: at most CHECKUP_ANSWER_MAX bytes */
    size_t size;
};

/* True if the status is 200. Else the finding says why there is no object: 404 is a problem with
   this remedy, all else a note. `what` is "the Service x". */
bool checkup_has(const struct checkup_answer *answer, const char *what, const char *remedy,
                 struct finding *finding);

/* The names in this installation. */
struct checkup_names {
    const char *namespace;
    const char *service;
    const char *configuration;
    const char *other; /* of a finding; NULL outside of a remedy */
};

/* Adds the text with these names in place of the words NAMESPACE, SERVICE, CONFIGURATION and OTHER.
 */
void checkup_add_named(const char *text, const struct checkup_names *names, struct buffer *out);

/* The answer to /version. */
void checkup_server(const struct checkup_answer *version, struct finding *finding);

/* The entries of the webhook configuration: none is missing, each is as this version expects it,
   and calls a port that the Service has. */
void checkup_registration(const struct checkup_answer *configuration,
                          const struct checkup_answer *service, const struct checkup_names *names,
                          struct finding *finding);

/* Checks that no other configuration in the list leads to our Service. Nobody keeps its caBundle.
   Such a one is left behind when the name of ours changes. */
void checkup_leftover(const struct checkup_answer *configurations,
                      const struct checkup_names *names, struct finding *finding);

/* Lists of all that changes objects during admission. */
struct checkup_neighbours {
    const struct checkup_answer *configurations; /* MutatingWebhookConfigurations */
    const struct checkup_answer *policies; /* MutatingAdmissionPolicies; 404: there are none */
    const struct checkup_answer *bindings; /* MutatingAdmissionPolicyBindings */
};

/* Names those that see the same objects as our entries and are called after the last call of ours.
   They may undo what Capstan does. */
void checkup_last_word(const struct checkup_neighbours *neighbours,
                       const struct checkup_names *names, struct finding *finding);

/* Objects of namespaces. */
struct checkup_namespaces {
    const struct checkup_answer *system; /* kube-system */
    const struct checkup_answer *home;   /* Capstan's own */
    const struct checkup_answer *all;    /* the list */
};

/* Checks that the entries exclude kube-system, Capstan's own namespace and foreign kinds, since
   Capstan could otherwise lock out the cluster and itself; and that they select any namespace. */
void checkup_scope(const struct checkup_answer *configuration, const struct checkup_names *names,
                   const struct checkup_namespaces *namespaces, struct finding *finding);

/* Checks that the API server can call the Service, and that ready pods are behind it. `endpoints`
   is an Endpoints object. */
void checkup_service(const struct checkup_answer *service, const struct checkup_answer *endpoints,
                     struct finding *finding);

/* Checks that all replicas are ready. If an entry says Fail, the Deployment must want at least two.
 */
void checkup_deployment(const struct checkup_answer *deployment,
                        const struct checkup_answer *configuration, struct finding *finding);

/* True if the Deployment, if it is known, leaves certificates to Capstan: it has no
   --webhook-cert-path. */
bool checkup_makes_certificates(const struct checkup_answer *deployment);

/* Adds the name of the Secret that holds the certificate: the one that the Deployment mounts if
   certificates come from elsewhere, else Capstan's own. */
void checkup_add_secret(const struct checkup_answer *deployment, struct buffer *out);

/* Checks that the CustomResourceDefinition of MCPServers serves a version that Capstan knows. */
void checkup_definition(const struct checkup_answer *definition, struct finding *finding);

/* Checks that the Lease is held and was renewed lately. `now` is in seconds since 1970. */
void checkup_lease(const struct checkup_answer *lease, int64_t now, struct finding *finding);

/* The list of Deployments with the label of ToolHive's operator. */
void checkup_operator(const struct checkup_answer *deployments, struct finding *finding);

/* Judges the time that the certificate is still valid, as core/certificates/expiry does. Times are
   in seconds since 1970. */
void checkup_certificate(int64_t not_before, int64_t not_after, int64_t now,
                         struct finding *finding);

/* A right that the program needs. */
struct checkup_right {
    const char *verb;
    const char *group;
    const char *resource;
    const char *subresource;  /* "" for none */
    const char *name;         /* "" for any, "*" for the webhook configuration's */
    bool is_namespaced;       /* in Capstan's own namespace; else in all */
    bool is_for_certificates; /* only needed if Capstan makes its own */
};

extern const struct checkup_right checkup_rights[];
extern const size_t checkup_n_rights;

/* True if a (Self)SubjectAccessReview grants what it asked about. */
bool checkup_allows(const struct checkup_answer *review);

#endif
