// SPDX-License-Identifier: Apache-2.0
#include "answer.h"

#include <string.h>

#include "base/json_fields.h"
#include "core/facts/object.h"

bool answer_shows(const struct kube_answer *answer, const char *kind, const char *name) {
    struct object object;
    return answer->is_good && object_decode(answer->body, answer->body_size, &object) &&
           strcmp(object.type.kind, kind) == 0 && (name == NULL || strcmp(object.name, name) == 0);
}

struct deletion {
    bool is_status;
    bool is_success;
};

bool answer_shows_deletion(const struct kube_answer *answer, const char *kind, const char *name) {
    static const struct json_field rows[] = {
        JSON_IS("kind", struct deletion, is_status, "Status"),
        JSON_IS("status", struct deletion, is_success, "Success"),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct deletion deletion = {.is_status = false};
    enum presence presence;
    struct error ignored;
    bool is_confirmed = answer->is_good &&
                        json_read_document(answer->body, answer->body_size, &fields, &deletion,
                                           &presence, &ignored) &&
                        deletion.is_status && deletion.is_success;
    return is_confirmed || answer_shows(answer, kind, name);
}
