// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_IDENTITY_H
#define CORE_FACTS_IDENTITY_H

/*
 * The two signs of whose a Deployment is: its controller, and its selector. Reading either one has
 * three outcomes. It names nobody, it names one of the family, or it is there and cannot be read:
 * it is too long, or of another type. An identity that cannot be read must not pass for none.
 */

#include <stdbool.h>

#include "base/json_fields.h"
#include "core/facts/kind.h"

#define LABEL_NAME     "app.kubernetes.io/name"
#define LABEL_INSTANCE "app.kubernetes.io/instance"

enum {
    OBJECT_NAME_SIZE = 254, /* RFC 1123 subdomain, 253 bytes */
    OBJECT_UID_SIZE = 129,  /* an API server makes uids of 36 bytes, and admits any in references */
};

/* The ownerReference with `controller: true`. A valid object has one at most. */
struct owner {
    bool is_controlled;    /* there is a controller, whatever its kind */
    bool is_unusable;      /* it is one of the family or may be one, and cannot be read */
    enum object_kind kind; /* of the family, of any version; OBJECT_OTHER: it is none of them, or,
                              if it is unusable, it may be any */
    char name[OBJECT_NAME_SIZE];
    char uid[OBJECT_UID_SIZE];
};

/* The values that a label selector asks of the two labels of a Deployment of the family. */
struct selection {
    enum object_kind kind;           /* by app.kubernetes.io/name; OBJECT_OTHER: another value */
    bool is_unusable;                /* it may select for one of the family, and cannot be read */
    char instance[OBJECT_NAME_SIZE]; /* app.kubernetes.io/instance; may be empty */
};

/* True if both labels name the object of that kind and name. */
bool selection_names(const struct selection *selection, enum object_kind kind, const char *name);

/* A reader for json_fields: the value of app.kubernetes.io/name into an enum object_kind. */
void identity_read_label(struct json_walk *walk, void *kind);

/* Readers for json_fields: metadata.ownerReferences into a struct owner, spec.selector into a
   struct selection (only its matchLabels count), and a selector in the form of status.selector of a
   Scale: "key=value,key=value". */
void identity_read_owners(struct json_walk *walk, void *owner);
void identity_read_match_labels(struct json_walk *walk, void *selection);
void identity_read_selector(struct json_walk *walk, void *selection);

#endif
