// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_KIND_H
#define CORE_FACTS_KIND_H

/*
 * The kinds that anything is decided or known about. Everything that differs from kind to kind
 * stands in this table, and all else asks it: reading, facts, discovery, watches, look-ups, doctor,
 * review, audit, explain. src/README.md names the few places that a new row needs beside.
 *
 * KIND(ID, group, kind, plural, label, transport, traits)
 *
 *   ID         makes OBJECT_ID, and ON_ID in core/admission/rule_table.h
 *   group      the API group; the version is found out (core/cluster/discovery)
 *   kind       as objects have it
 *   plural     the resource in paths, in RBAC and in webhook rules
 *   label      of the family: the value of app.kubernetes.io/name on its Deployment and in that
 *              Deployment's selector; else NULL
 *   transport  the value that an absent spec.transport stands for; NULL where stdio cannot be
 *   traits     KIND_ flags, below
 *
 * The family stands first. https://github.com/stacklok/toolhive, cmd/thv-operator/api/v1beta1
 */

#include <stdbool.h>
#include <stddef.h>

#define TOOLHIVE_GROUP "toolhive.stacklok.dev"

enum {
    KIND_IN_FAMILY = 1,      /* the operator makes one Deployment of it, of the same name */
    KIND_HAS_BACKENDS = 2,   /* spec.backendReplicas */
    KIND_HAS_CONDITIONS = 4, /* Capstan writes its two conditions */
    KIND_IS_AUTOSCALER = 8,  /* it sets the count of another object */
};

#define KIND_TABLE(KIND)                                                                           \
    KIND(MCPSERVER, TOOLHIVE_GROUP, "MCPServer", "mcpservers", "mcpserver", "stdio",               \
         KIND_IN_FAMILY | KIND_HAS_BACKENDS | KIND_HAS_CONDITIONS)                                 \
    KIND(MCPREMOTEPROXY, TOOLHIVE_GROUP, "MCPRemoteProxy", "mcpremoteproxies", "mcpremoteproxy",   \
         NULL, KIND_IN_FAMILY)                                                                     \
    KIND(VIRTUALMCPSERVER, TOOLHIVE_GROUP, "VirtualMCPServer", "virtualmcpservers",                \
         "virtualmcpserver", NULL, KIND_IN_FAMILY)                                                 \
    KIND(DEPLOYMENT, "apps", "Deployment", "deployments", NULL, NULL, 0)                           \
    KIND(SCALE, "autoscaling", "Scale", "deployments/scale", NULL, NULL, 0)                        \
    KIND(HPA, "autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", NULL, NULL,    \
         KIND_IS_AUTOSCALER)                                                                       \
    KIND(SCALEDOBJECT, "keda.sh", "ScaledObject", "scaledobjects", NULL, NULL, KIND_IS_AUTOSCALER)

#define KIND_ENUMERATOR(ID, ...) OBJECT_##ID,

/* OBJECT_OTHER: no rule is about it. */
enum object_kind { OBJECT_OTHER, KIND_TABLE(KIND_ENUMERATOR) OBJECT_KIND_COUNT };

/* The family is OBJECT_FAMILY_FIRST up to OBJECT_FAMILY_LAST. */
enum {
    OBJECT_FAMILY_FIRST = OBJECT_MCPSERVER,
    OBJECT_FAMILY_LAST = OBJECT_VIRTUALMCPSERVER,
    OBJECT_FAMILY_COUNT = OBJECT_FAMILY_LAST - OBJECT_FAMILY_FIRST + 1,
};

struct kind {
    const char *group;
    const char *kind;
    const char *plural;
    const char *label;
    const char *transport;
    unsigned traits;
};

/* By enum object_kind. Of OBJECT_OTHER all texts are "" or NULL. */
extern const struct kind kind_rows[OBJECT_KIND_COUNT];

/* The kind that an API group and a kind name together, in any version. */
enum object_kind kind_find(const char *group, const char *kind);

/* The member of the family that a value of app.kubernetes.io/name stands for. `label` need not end
   in a NUL. */
enum object_kind kind_of_label(const char *label, size_t size);

/* The member of the family that is called so ("MCPServer"), or OBJECT_OTHER. */
enum object_kind kind_of_family(const char *kind);

bool kind_has(enum object_kind kind, unsigned trait);
bool kind_is_family(enum object_kind kind);
bool kind_is_autoscaler(enum object_kind kind);

#endif
