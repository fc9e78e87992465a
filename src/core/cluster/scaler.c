// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/scaler.h"

#include <string.h>

#include "base/json_edit.h"
#include "base/json_fields.h"
#include "base/text.h"

struct search {
    const char *deployment;
    bool is_found;
    struct scaler *ret_scaler;
};

/* https://keda.sh/docs/latest/concepts/scaling-deployments/: the HPA bears its ScaledObject's name.
 */
static void read_scaled_object(const struct json_text *hpa, struct scaler *scaler) {
    static const char *const path[] = {"metadata", "labels", "scaledobject.keda.sh/name"};
    struct json_text name;
    scaler->scaled_object[0] = '\0';
    if (json_edit_find_text(hpa->at, hpa->size, path, COUNT_OF(path), &name)) {
        (void)json_text_copy(&name, scaler->scaled_object, sizeof(scaler->scaled_object));
    }
}

static void read_item(struct json_walk *walk, void *at) {
    struct search *search = at;
    struct json_text hpa;
    struct object object;
    if (!json_read_raw(walk->reader, &hpa) || search->is_found ||
        !object_decode(hpa.at, hpa.size, &object) || object.name[0] == '\0') {
        return;
    }
    const char *target = object_scaled_deployment(&object);
    if (target != NULL && strcmp(target, search->deployment) == 0) {
        search->is_found = true;
        text_copy(search->ret_scaler->name, sizeof(search->ret_scaler->name), object.name);
        read_scaled_object(&hpa, search->ret_scaler);
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
