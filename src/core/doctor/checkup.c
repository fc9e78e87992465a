// SPDX-License-Identifier: Apache-2.0
#include "core/doctor/checkup.h"

#include <assert.h>
#include <string.h>

#include "base/http_status.h"
#include "base/text.h"
#include "checkup_inside.h"
#include "question_table.h"

/* All checks, in the order of the report. Names are stable: pipelines select by them. */
static const struct {
    const char *name;
    checkup_function *look;
} checks[] = {
    {"api-server", checkup_server},
    {"crd", checkup_definition},
    {"webhook-configuration", checkup_registration},
    {"leftover", checkup_leftover},
    {"last-word", checkup_last_word},
    {"scope", checkup_scope},
    {"ca-bundle", checkup_bundle},
    {"certificate", checkup_life},
    {"owner", checkup_owner},
    {"service", checkup_service},
    {"deployment", checkup_deployment},
    {"pods", checkup_pods},
    {"flags", checkup_flags},
    {"version", checkup_image},
    {"rbac", checkup_grants},
    {"leader", checkup_leader},
    {"operator", checkup_operator},
    {"operator-users", checkup_operator_users},
};

static_assert(COUNT_OF(checks) <= CHECKUP_FINDINGS_MAX, "there is room for each check");

size_t checkup_run(const struct patient *patient,
                   struct finding ret_findings[CHECKUP_FINDINGS_MAX]) {
    bool is_silent = patient->answers[QUESTION_VERSION].status == 0;
    size_t n_checks = is_silent ? 1 : COUNT_OF(checks);
    for (size_t i = 0; i < n_checks; i++) {
        ret_findings[i].check = checks[i].name;
        checks[i].look(patient, &ret_findings[i]);
    }
    return n_checks;
}

bool checkup_is_absent(const struct patient *patient, enum question question) {
    return patient->answers[question].status == HTTP_STATUS_NOT_FOUND;
}

/* Says why there is no tree. */
static void explain(const struct patient *patient, enum question question, const char *if_absent,
                    struct finding *finding) {
    static const char grant[] =
        "ask a cluster admin for the right to OTHER; docs/doctor.md has a role for doctor";
    const struct question_row *row = &question_rows[question];
    const char *reason = patient->answers[question].reason;
    int status = patient->answers[question].status;
    if (status == HTTP_STATUS_NOT_FOUND && if_absent != NULL) {
        finding_set(finding, FINDING_PROBLEM, if_absent, "%s is not there", row->what);
    } else if (status == HTTP_STATUS_FORBIDDEN) {
        finding_set(finding, FINDING_UNKNOWN, grant,
                    "%s may not be looked at: the right to %s%s%s is missing", row->what,
                    row->right, row->is_in_home ? " in namespace " : "",
                    row->is_in_home ? patient->names.namespace : "");
        (void)text_copy(finding->other, sizeof(finding->other), row->right);
    } else if (status == HTTP_STATUS_UNAUTHORIZED) {
        finding_set(
            finding, FINDING_UNKNOWN,
            "log in again, or give another --kubeconfig; kubectl auth whoami tells who asks",
            "%s could not be looked at: the API server does not accept the credentials", row->what);
    } else if (status == 0) {
        finding_set(finding, FINDING_UNKNOWN, CHECKUP_ASK_AGAIN,
                    "%s could not be looked at: %.400s", row->what,
                    reason != NULL ? reason : "no answer");
    } else if (status != HTTP_STATUS_OK) {
        finding_set(finding, FINDING_UNKNOWN, CHECKUP_ASK_AGAIN,
                    "%s could not be looked at: HTTP status %d", row->what, status);
    } else {
        finding_set(finding, FINDING_UNKNOWN, CHECKUP_ASK_AGAIN,
                    "%s could not be looked at: the answer cannot be read", row->what);
    }
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* True if the tree is what the question asked for. The items of an empty list may be null. */
static bool is_of_kind(const cJSON *tree, const char *kind) {
    if (kind == NULL) {
        return cJSON_IsObject(tree);
    }
    bool is_of_resources = strcmp(kind, "APIResourceList") == 0;
    const cJSON *items = tree_at(tree, is_of_resources ? "resources" : "items");
    return strcmp(tree_text(tree, "kind"), kind) == 0 &&
           (!ends_with(kind, "List") || cJSON_IsArray(items) || cJSON_IsNull(items));
}

cJSON *checkup_see(const struct patient *patient, enum question question, const char *if_absent,
                   struct finding *finding) {
    AUTO(tree_fini) cJSON *tree = tree_read(&patient->answers[question]);
    if (!is_of_kind(tree, question_rows[question].kind)) {
        explain(patient, question, if_absent, finding);
        return NULL;
    }
    return TAKE(tree);
}

cJSON *checkup_see_if_there(const struct patient *patient, enum question question,
                            struct finding *finding) {
    if (checkup_is_absent(patient, question)) {
        finding_set(finding, FINDING_NOTE, NULL, "%s is not there, so nothing is to be judged here",
                    question_rows[question].what);
        return NULL;
    }
    return checkup_see(patient, question, NULL, finding);
}
