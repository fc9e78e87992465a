// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_OBJECT_H
#define CORE_FACTS_OBJECT_H

/*
 * The few fields of an object that anything here reads, taken from its JSON in one pass. One struct
 * serves all kinds of kind.h. The kind tells which fields mean something. It need not be known
 * while reading: in an AdmissionReview it may come later.
 *
 * Nothing is borrowed: texts are copied, decoded, into fixed arrays as large as Kubernetes lets
 * them be. A text that is too long, or of another type, reads as empty. If it identifies an object,
 * an enum presence beside it tells that apart from one that is absent: an identity that cannot be
 * read must not pass for none.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/json_fields.h"
#include "core/facts/condition.h"
#include "core/facts/identity.h"
#include "core/facts/kind.h"

enum {
    OBJECT_NAMESPACE_SIZE = 64, /* RFC 1123 label, 63 bytes */
    OBJECT_VERSION_SIZE = 64,
    OBJECT_KIND_SIZE = 64,
    OBJECT_GROUP_SIZE = 254,
    OBJECT_WORD_SIZE = 32, /* a value of an enum: transport, provider */
};

/* The apiVersion and the kind that an object or an ownerReference gives itself. */
struct object_type {
    char api_version[OBJECT_GROUP_SIZE + OBJECT_KIND_SIZE];
    char kind[OBJECT_KIND_SIZE];
};

/* A number that must be an integer within a range to count. `null` is absent, as for Kubernetes. */
struct number {
    enum presence state;
    int64_t value; /* if PRESENCE_SET */
};

bool number_is(const struct number *number, int64_t value);
bool number_exceeds(const struct number *number, int64_t value);
bool number_equals(const struct number *one, const struct number *other);

/* The object that an autoscaler scales. */
struct target {
    enum presence state;
    enum presence version_presence;
    enum presence kind_presence;
    enum presence name_presence;
    bool is_of_apps;    /* its apiVersion is of the group apps */
    bool is_deployment; /* its kind is Deployment */
    char name[OBJECT_NAME_SIZE];
};

/* The name under which Capstan writes fields of an MCPServer. */
#define FIELD_MANAGER "capstan"

struct object {
    struct object_type type;
    enum object_kind kind; /* by its type */
    enum presence name_presence;
    char name[OBJECT_NAME_SIZE];
    enum presence namespace_presence;
    char namespace[OBJECT_NAMESPACE_SIZE];
    enum presence uid_presence;
    char uid[OBJECT_UID_SIZE];
    char resource_version[OBJECT_VERSION_SIZE]; /* opaque: only ever equal or not */
    int64_t generation;                         /* 0 where it is missing */
    bool generates_name;                        /* metadata.generateName is set */
    bool is_deleting;                           /* metadata.deletionTimestamp is set */
    enum object_kind labelled;                  /* by app.kubernetes.io/name; see kind.h */
    enum presence instance_presence;
    char instance[OBJECT_NAME_SIZE]; /* app.kubernetes.io/instance */
    struct owner owner;

    struct number replicas; /* spec.replicas: 0 to 2147483647 */

    /* The family */
    enum presence transport_presence;
    char transport[OBJECT_WORD_SIZE]; /* ask object_transport() */
    struct number backend_replicas;   /* spec.backendReplicas: 0 to 2147483647 */
    enum presence affinity_presence;
    char affinity[OBJECT_WORD_SIZE]; /* spec.sessionAffinity: "ClientIP", "None" */
    enum presence session_storage;   /* spec.sessionStorage */
    enum presence provider_presence;
    char provider[OBJECT_WORD_SIZE]; /* spec.sessionStorage.provider */
    struct condition conditions[CONDITION_TYPE_COUNT];
    int64_t others_wrote;  /* when a writer other than Capstan last changed the status, by the
                              managedFields: seconds since 1970; 0: none did */
    bool others_condition; /* such a writer has written a condition of ours */

    /* Deployment */
    enum presence pod_spec;        /* spec.template.spec */
    struct number grace_period;    /* its terminationGracePeriodSeconds, any integer */
    enum presence generation_note; /* the pod template's generation annotation ... */
    int64_t noted_generation;      /* ... and its value, if it is a number */
    enum presence strategy;        /* spec.strategy */
    enum presence rolling_update;  /* spec.strategy.rollingUpdate */
    char strategy_type[OBJECT_WORD_SIZE];
    struct number max_surge; /* PRESENCE_UNUSABLE for a percentage, which is legal */
    struct number max_unavailable;
    struct selection selection; /* spec.selector.matchLabels, which nobody can change */

    /* Autoscalers */
    struct target target;            /* spec.scaleTargetRef */
    struct number max_replicas;      /* of an HPA */
    struct number max_replica_count; /* of a ScaledObject */

    /* Scale */
    struct selection scaled; /* status.selector, which the Deployment's selector makes */
};

/* Reads the value that stands next. False if it is no object: it is skipped, and `ret_object` is as
   for an empty one. Faults of the JSON itself stay in the reader. */
bool object_read(struct json_reader *reader, struct object *ret_object);

/* The same with what the managedFields tell: others_wrote and others_condition. object_read()
   leaves them 0. */
bool object_read_watched(struct json_reader *reader, struct object *ret_object);

/* object_read() from text that is one object and nothing else. False if it is not. */
bool object_decode(const char *json, size_t size, struct object *ret_object) MUST_CHECK;

/* spec.transport, or what its absence stands for by the table of kinds; "" where stdio cannot be.
 */
const char *object_transport(const struct object *object);

bool object_is_stdio(const struct object *object);
bool object_is_redis(const struct object *object);

/* Its strategy is Recreate: no two pods side by side, and no rolling update to set. */
bool object_is_recreate(const struct object *object);

/* True if a Deployment's controller is one of the family, or its selector names an MCPServer of the
   Deployment's name. False if the kind of the controller cannot be read. */
bool object_names_family(const struct object *deployment);

/* The name of the Deployment that an autoscaler scales, or NULL: it scales something else, or its
   target cannot be read. An apiVersion that is missing stands for apps/v1, and a kind for
   Deployment: KEDA's defaults, and the only sense that an HPA without them can have. */
const char *object_scaled_deployment(const struct object *autoscaler);

/* The most replicas that an autoscaler may ask for. */
struct number object_maximum(const struct object *autoscaler);

/* True if its name, namespace and uid are absent or can be read. */
bool object_is_identified(const struct object *object);
#endif
