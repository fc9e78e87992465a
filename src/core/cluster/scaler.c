// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/scaler.h"

#include <string.h>

#include "base/json_fields.h"

struct item {
    struct scaler scaler;
    bool is_of_deployment;
    char target[OBJECT_NAME_SIZE];
};

/* https://keda.sh/docs/latest/concepts/scaling-deployments/: the HPA bears its ScaledObject's name.
 */
static const struct json_field label_rows[] = {
    JSON_TEXT("scaledobject.keda.sh/name", struct item, scaler.scaled_object),
};
static const struct json_fields label_fields = JSON_FIELDS(label_rows);

static const struct json_field metadata_rows[] = {
    JSON_TEXT("name", struct item, scaler.name),
    JSON_INSIDE("labels", &label_fields),
};
static const struct json_fields metadata_fields = JSON_FIELDS(metadata_rows);

static const struct json_field target_rows[] = {
    JSON_IS("kind", struct item, is_of_deployment, "Deployment"),
    JSON_TEXT("name", struct item, target),
};
static const struct json_fields target_fields = JSON_FIELDS(target_rows);

static const struct json_field spec_rows[] = {
    JSON_INSIDE("scaleTargetRef", &target_fields),
};
static const struct json_fields spec_fields = JSON_FIELDS(spec_rows);

static const struct json_field item_rows[] = {
    JSON_INSIDE("metadata", &metadata_fields),
    JSON_INSIDE("spec", &spec_fields),
};
static const struct json_fields item_fields = JSON_FIELDS(item_rows);

struct search {
    const char *deployment;
    bool is_found;
    struct scaler *ret_scaler;
};

static void read_item(struct json_walk *walk, void *at) {
    struct search *search = at;
    struct item item = {.is_of_deployment = false};
    (void)json_walk_object(walk, &item_fields, &item);
    bool is_it = item.is_of_deployment && item.scaler.name[0] != '\0' &&
                 strcmp(item.target, search->deployment) == 0;
    if (is_it && !search->is_found) {
        search->is_found = true;
        *search->ret_scaler = item.scaler;
    }
}

bool scaler_find(const char *json, size_t size, const char *deployment, struct scaler *ret_scaler) {
    static const struct json_field rows[] = {JSON_LIST_WHOLE("items", read_item)};
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct search search = {.deployment = deployment, .ret_scaler = ret_scaler};
    enum presence presence;
    struct error ignored;
    return json_read_document(json, size, &fields, &search, &presence, &ignored) && search.is_found;
}
