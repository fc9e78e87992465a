// SPDX-License-Identifier: Apache-2.0
#ifndef APP_AUDIT_AUDIT_LIST_H
#define APP_AUDIT_AUDIT_LIST_H

/*
 * Lists what `capstan audit` judges: the family, its Deployments, and the autoscalers of these.
 * Only these objects are kept, so memory grows with the family and not with the cluster. It reads
 * and writes nothing.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/facts/facts.h"
#include "edge/kube.h"
#include "options.h"
#include "report/progress.h"

/* An object as the API server listed it, without its managedFields. */
struct audit_object {
    enum object_kind kind;
    char *api_version;
    char *namespace;
    char *name;
    char *json;
};

struct audit_list {
    struct kube *kube;
    const struct option_texts *namespaces; /* none: all */
    struct facts *facts;                   /* gets the family and its Deployments */
    struct progress *progress;
    struct audit_object *objects;
    size_t n_objects;
    bool is_incomplete;            /* a list failed; a line on standard error says which */
    bool lacks[OBJECT_KIND_COUNT]; /* the lists that failed or were not asked for */
    bool has_family;               /* the cluster serves a kind of the family */
    bool is_silent;                /* the API server gave no answer */
};

/* Lists everything. Sorts the objects by namespace, kind and name. */
void audit_list_read(struct audit_list *list);

/* True if a list of the family failed. */
bool audit_list_lacks_family(const struct audit_list *list);

/* Says on standard error what cannot be judged as it should be, or that there is nothing. */
void audit_list_complain(const struct audit_list *list);

void audit_list_fini(struct audit_list *list);

#endif
