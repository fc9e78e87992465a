// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_CHECKUP_H
#define CORE_DOCTOR_CHECKUP_H

/*
 * What is wrong with an installation: judgements about objects as the API server sends them, each
 * on its own, with what to do. docs/doctor.md lists them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"

enum finding_level {
    FINDING_OK,
    FINDING_NOTE,    /* to be known; nothing has to be done, or it could not be looked at */
    FINDING_PROBLEM, /* to be mended */
};

struct finding {
    const char *check; /* a literal: the name of the check */
    enum finding_level level;
    char message[240];
    /* A literal, or NULL: there is nothing to do. NAMESPACE and CONFIGURATION in it stand for the
       names of struct checkup_names. */
    const char *remedy;
};

bool finding_set(struct finding *finding, enum finding_level level, const char *remedy,
                 const char *format, ...) PRINTF_LIKE(4, 5);

/* What came of a GET. */
struct checkup_answer {
    int status;       /* of HTTP; 0: there was none */
    const char *json; /* of an answer 200 */
    size_t size;
};

/* True if there is an object to look at. Else the finding says why not: what is not there is a
   problem with this remedy, what may not be looked at a note. `what` is "the Service x". */
bool checkup_has(const struct checkup_answer *answer, const char *what, const char *remedy,
                 struct finding *finding);

/* What this version expects, of those who call it. */
struct checkup_names {
    const char *namespace;
    const char *service;
    const char *configuration;
};

/* The entries of the webhook configuration: all there, as this version has to be asked, and leading
   to a port of the Service. */
void checkup_registration(const struct checkup_answer *configuration,
                          const struct checkup_answer *service, const struct checkup_names *names,
                          struct finding *finding);

/* What GETs of namespaces answer. */
struct checkup_namespaces {
    const struct checkup_answer *system; /* kube-system */
    const struct checkup_answer *home;   /* Capstan's own */
    const struct checkup_answer *all;    /* the list */
};

/* Whether the entries keep away from kube-system and Capstan's own namespace, and from kinds that
   are none of their business: else it may lock out the cluster, and itself. And whether they are
   asked about any namespace at all. */
void checkup_scope(const struct checkup_answer *configuration, const struct checkup_names *names,
                   const struct checkup_namespaces *namespaces, struct finding *finding);

/* The Service, and whether anybody is behind it. `endpoints` is an Endpoints object. */
void checkup_service(const struct checkup_answer *service, const struct checkup_answer *endpoints,
                     struct finding *finding);

/* The Deployment: replicas, of which some are ready; two at least where an entry says Fail. */
void checkup_deployment(const struct checkup_answer *deployment,
                        const struct checkup_answer *configuration, struct finding *finding);

/* The CustomResourceDefinition of MCPServers. */
void checkup_definition(const struct checkup_answer *definition, struct finding *finding);

/* The Lease: held, and renewed lately (`now` in seconds since 1970). */
void checkup_lease(const struct checkup_answer *lease, int64_t now, struct finding *finding);

/* A list of Deployments that are, by their label, ToolHive's operator. */
void checkup_operator(const struct checkup_answer *deployments, struct finding *finding);

/* The certificate's life: its end, in seconds since 1970. */
void checkup_certificate(int64_t not_after, int64_t now, struct finding *finding);

/* A right that the program needs. */
struct checkup_right {
    const char *verb;
    const char *group;
    const char *resource;
    const char *subresource;  /* or "" */
    const char *name;         /* or "" */
    bool is_namespaced;       /* in Capstan's own namespace; else in all */
    bool is_for_certificates; /* needed only where it makes its own */
};

extern const struct checkup_right checkup_rights[];
extern const size_t checkup_n_rights;

#endif
