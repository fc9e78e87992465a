// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "audit_list.h"
#include "base/memory.h"
#include "base/text.h"
#include "commands.h"
#include "exit_status.h"
#include "options.h"
#include "report/session.h"

enum { CONNECTIONS_MAX = 2 };

struct audit_options {
    const char *kubeconfig;
    struct option_texts namespaces;
    struct report_options report;
};

static const struct option audit_option_list[] = {
    REPORT_OPTION(TEXT, "kubeconfig", 0, "FILE", offsetof(struct audit_options, kubeconfig),
                  "the cluster; default: KUBECONFIG, the pod, ~/.kube/config"),
    REPORT_OPTION(TEXTS, "namespace", 'n', "NAME", offsetof(struct audit_options, namespaces),
                  "only this namespace; repeatable; default: all"),
    REPORT_OPTION_POLICY(struct audit_options, report),
    REPORT_OPTION_FORMS(struct audit_options, report),
    REPORT_OPTION(SWITCH, "verbose", 'v', NULL, offsetof(struct audit_options, report.is_verbose),
                  "list also objects without findings, and those being deleted"),
};

static bool check(void *target, struct error *error) {
    struct audit_options *options = target;
    for (size_t i = 0; i < options->namespaces.n_items; i++) {
        if (!text_is_dns_label(options->namespaces.items[i])) {
            return error_set(error, ERROR_INVALID,
                             "--namespace: '%.64s' is not the name of a namespace",
                             options->namespaces.items[i]);
        }
    }
    return report_options_check(&options->report, error);
}

static const struct option_table audit_table = {
    .usage = "capstan audit [--kubeconfig FILE] [option]...",
    .summary = "Judges what is in a cluster now by a policy, as if each object were submitted\n"
               "again. It only reads.",
    .options = audit_option_list,
    .n_options = COUNT_OF(audit_option_list),
    .check = check,
    .epilogue =
        "Exit status: 0 all is well; 1 denied, or over --fail-on, or unresolved where the\n"
        "policy says onUnresolved: fail; 2 not everything could be judged (a right is\n"
        "missing, or the API server did not answer), or wrong options. docs/audit.md has a\n"
        "role for audit.",
};

/* A Deployment is judged as an update that changes nothing: only rules about what is stored speak.
   All else is judged as if it were created now. */
static const struct object *find_old(const void *old, const struct object *object) {
    (void)old;
    return object->kind == OBJECT_DEPLOYMENT ? object : NULL;
}

static bool judge(struct session *session, const struct audit_object *object, struct error *error) {
    const struct kind *row = &kind_rows[object->kind];
    AUTO_FREE char *path = memory_format("%s/%s/%s", object->namespace, row->plural, object->name);
    struct manifest_item item = {
        .raw = {.at = object->json, .size = strlen(object->json)},
        .is_typed_by_list = true,
    };
    (void)text_copy(item.api_version, sizeof(item.api_version), object->api_version);
    (void)text_copy(item.kind, sizeof(item.kind), row->kind);
    const struct session_object given = {.path = path, .line = 1, .column = 1, .item = &item};
    return session_judge(session, &given, error);
}

static int judge_all(struct session *session, const struct audit_list *list) {
    struct error error;
    struct error end;
    bool is_judged = true;
    session->context.find_old = find_old;
    session->context.is_live = true;
    session->context.has_cluster = !audit_list_lacks_family(list);
    session_begin(session);
    for (size_t i = 0; is_judged && i < list->n_objects; i++) {
        is_judged = judge(session, &list->objects[i], &error);
    }
    if (!session_end(session, &end)) {
        return session_give_up(&end);
    }
    audit_list_complain(list);
    if (!is_judged) {
        return session_give_up(&error);
    }
    /* An object that cannot be judged is never well. */
    return list->is_incomplete ? STATUS_USAGE : session_status(session);
}

static int run(const struct audit_options *options, struct session *session) {
    AUTO(kube_access_fini) struct kube_access access = {.server = NULL};
    struct audit_list list = {.namespaces = &options->namespaces,
                              .facts = session->facts,
                              .progress = &session->progress};
    const struct kube_options kube_options = {
        .access = &access,
        .user_agent = "capstan-audit/" CAPSTAN_VERSION,
        .connections_max = CONNECTIONS_MAX,
    };
    struct error error;
    if (!session_read_policy(session, &error) ||
        !kubeconfig_find(options->kubeconfig, NULL, &access, &error) ||
        !kube_new(&kube_options, &list.kube, &error)) {
        return session_give_up(&error);
    }
    signal(SIGPIPE, SIG_IGN);
    progress_turn(&session->progress, true);
    audit_list_read(&list);
    progress_wipe(&session->progress);
    kube_free(list.kube);
    /* Without any answer there is nothing to report, and one line has said so. */
    bool is_empty = list.is_silent && list.n_objects == 0;
    int status = is_empty ? STATUS_USAGE : judge_all(session, &list);
    audit_list_fini(&list);
    return status;
}

int audit_command(int argc, char **argv) {
    struct audit_options options = {.report = REPORT_OPTIONS_DEFAULT};
    int status;
    if (options_begin(&audit_table, argc, argv, &options, &status)) {
        struct session session;
        session_init(&session, &options.report, "auditing");
        status = run(&options, &session);
        session_fini(&session);
    }
    option_texts_fini(&options.namespaces);
    return status;
}
