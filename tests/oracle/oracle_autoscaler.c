// SPDX-License-Identifier: Apache-2.0

/*
 * The rows about autoscalers: DESIGN.md 1, rows 14 and 15. An HPA and a ScaledObject differ in the
 * name of the maximum, and in what is there if it is missing.
 */

#include <string.h>

#include "limits.h"
#include "oracle_parts.h"
#include "tree.h"

enum { KEDA_MAXIMUM = 100 }; /* of a ScaledObject that names none */

struct aim {
    enum state state;
    bool is_deployment;
    struct text name;
};

static bool is_absent(struct text text) {
    return text.state == ABSENT || (text.state == SET && text.value[0] == '\0');
}

/* A missing apiVersion is apps/v1, and a missing kind is Deployment. */
static struct aim target_of(const cJSON *object) {
    const cJSON *node = tree_at(object, "spec", "scaleTargetRef", NULL);
    struct text version = oracle_text(tree_at(node, "apiVersion", NULL), LIMIT_API_VERSION);
    struct text kind = oracle_text(tree_at(node, "kind", NULL), LIMIT_KIND);
    struct aim target = {.state = oracle_object(node),
                         .name = oracle_text(tree_at(node, "name", NULL), LIMIT_NAME)};
    if (version.state == UNUSABLE || kind.state == UNUSABLE || target.name.state == UNUSABLE ||
        oracle_object(tree_at(object, "spec", NULL)) == UNUSABLE) {
        target.state = UNUSABLE;
    }
    target.is_deployment = (is_absent(version) || oracle_is_group(version.value, "apps")) &&
                           (is_absent(kind) || strcmp(kind.value, "Deployment") == 0);
    return target;
}

static struct integer maximum_of(const cJSON *object, bool is_keda) {
    struct integer maximum = oracle_integer(
        tree_at(object, "spec", is_keda ? "maxReplicaCount" : "maxReplicas", NULL), 0, INT32_MAX);
    return is_keda && maximum.state == ABSENT ? (struct integer){SET, KEDA_MAXIMUM} : maximum;
}

static bool changes_target(const struct request *request) {
    struct aim now = target_of(request->object);
    struct aim old = target_of(request->old);
    return now.is_deployment != old.is_deployment || strcmp(now.name.value, old.name.value) != 0;
}

static bool changes_maximum(const struct request *request, bool is_keda) {
    struct integer now = maximum_of(request->object, is_keda);
    struct integer old = maximum_of(request->old, is_keda);
    return now.state != old.state || now.value != old.value;
}

/* The marks of a finding stand side by side: warned about, refused, refused but broken before. */
static void find(const struct request *request, bool is_new, enum mark first,
                 struct answer *answer) {
    enum rule_mode mode = oracle_mode(request, AUTOSCALER);
    if (mode == DENY && is_new) {
        oracle_mark(request, first + 1);
        oracle_deny(answer, AUTOSCALER);
    } else if (mode != OFF) {
        oracle_mark(request, mode == DENY ? first + 2 : first);
        oracle_warn(answer, AUTOSCALER);
    }
}

static void rows(const struct request *request, bool is_keda, const struct server *server,
                 struct answer *answer) {
    bool is_update_to = request->operation == UPDATE && request->old != NULL;
    bool has_new_target = request->operation == CREATE || (is_update_to && changes_target(request));
    if (server->is_stdio && oracle_exceeds(maximum_of(request->object, is_keda), 1)) {
        find(request, has_new_target || (is_update_to && changes_maximum(request, is_keda)),
             is_keda ? MARK_ROW14_KEDA_WARN : MARK_ROW14_HPA_WARN, answer);
    } else if (!server->is_stdio && server->replicas.state == SET) {
        find(request, has_new_target, is_keda ? MARK_ROW15_KEDA_WARN : MARK_ROW15_HPA_WARN, answer);
        oracle_mark_kind(request, MARK_ROW15_SERVER, server->kind);
    } else {
        oracle_mark(request, MARK_SCALER_FREE);
    }
}

void oracle_judge_autoscaler(const struct request *asked, bool is_keda, struct answer *answer) {
    struct request request = *asked;
    struct aim target = target_of(request.object);
    if (oracle_is_ending(asked)) {
        oracle_mark(asked, MARK_ROW13_SCALER_ENDING);
        return;
    }
    if (target.state == UNUSABLE || maximum_of(request.object, is_keda).state == UNUSABLE) {
        oracle_mark(asked, MARK_ROW13_SCALER_WRONG_TYPE);
        return;
    }
    if (!target.is_deployment || is_absent(target.name)) {
        oracle_mark(asked, MARK_SCALER_OF_OTHERS);
        return;
    }
    struct server server = oracle_recorded(asked, target.name.value);
    if (!server.is_there || server.is_deleting) {
        oracle_mark(asked, server.is_there ? MARK_SCALER_SERVER_ENDING : MARK_SCALER_NOT_OURS);
        return;
    }
    request.kind = server.kind;
    request.name = server.name;
    asked->marks->is_resolved = true;
    rows(&request, is_keda, &server, answer);
}
