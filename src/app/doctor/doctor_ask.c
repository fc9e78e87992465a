// SPDX-License-Identifier: Apache-2.0
#include "doctor_ask.h"

#include <string.h>

#include "base/http_status.h"
#include "base/json_write.h"

enum { TIMEOUT_MS = 5000, BODY_MAX = 8192, PATH_MAX_SIZE = 2048, SILENT_MAX = 2 };

#define AUTHORIZATION_PATH "/apis/authorization.k8s.io/v1/"
#define WHO_AM_I_PATH      "/apis/authentication.k8s.io/v1/selfsubjectreviews"

/* A request under way. */
struct request {
    struct answer *answer;
    struct buffer *body;
    struct error *error;
    bool is_answered;
};

void doctor_ask_init(struct doctor_ask *ask, struct kube *kube) {
    *ask = (struct doctor_ask){.kube = kube};
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        buffer_init_secret(&ask->bodies[i], QUESTION_ANSWER_MAX); /* one is a Secret */
        ask->patient.answers[i] = (struct answer){.status = 0, .json = ""};
    }
}

void doctor_ask_fini(struct doctor_ask *ask) {
    /* One of them is the Secret with the keys. */
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        buffer_fini(&ask->bodies[i]);
    }
}

static void on_answer(void *context, const struct kube_answer *answer) {
    struct request *request = context;
    request->is_answered = true;
    *request->error = answer->error;
    request->answer->status = answer->is_good ? HTTP_STATUS_OK : answer->status;
    /* An answer that was cut off, or is too large, is none. */
    if (!answer->is_good && answer->status / 100 == 2) {
        request->answer->status = 0;
    }
    buffer_add(request->body, answer->body, answer->body_size);
    request->answer->json = buffer_text(request->body);
    request->answer->size = request->body->size;
    request->answer->reason = request->answer->status == 0 ? request->error->text : NULL;
}

/* A GET, or with `post` a POST. Waits for the answer, which borrows from `body` and `error`. */
static void send(struct doctor_ask *ask, const char *path, const struct buffer *post,
                 struct buffer *body, struct error *error, struct answer *ret_answer) {
    struct request request = {.answer = ret_answer, .body = body, .error = error};
    *ret_answer = (struct answer){.status = 0, .json = ""};
    if (ask->n_silent >= SILENT_MAX) {
        return;
    }
    const struct kube_request kube_request = {
        .verb = post == NULL ? KUBE_GET : KUBE_CREATE,
        .path = path,
        .body = post == NULL ? NULL : post->bytes,
        .body_size = post == NULL ? 0 : post->size,
        .timeout_ms = TIMEOUT_MS,
        .answer_max = QUESTION_ANSWER_MAX,
        .done = on_answer,
        .context = &request,
    };
    kube_begin(ask->kube, &kube_request);
    while (!request.is_answered) {
        kube_wait(ask->kube, NULL, 0, TIMEOUT_MS);
    }
    ask->n_silent = ret_answer->status == 0 ? ask->n_silent + 1 : 0;
}

/* Asks a question. `version` is that of the API of MutatingAdmissionPolicies. */
static void ask_one(struct doctor_ask *ask, enum question question, const char *version) {
    struct patient *patient = &ask->patient;
    AUTO(buffer_fini) struct buffer path;
    buffer_init(&path, PATH_MAX_SIZE);
    if (question_add_path(question, &patient->names, patient->answers, version, &path)) {
        buffer_clear(&ask->bodies[question]);
        send(ask, buffer_text(&path), NULL, &ask->bodies[question], &ask->errors[question],
             &patient->answers[question]);
    }
}

/* Asks for the newest version that is served. Kubernetes has policies since 1.32. */
static void ask_mutations(struct doctor_ask *ask) {
    for (size_t i = 0; question_versions[i] != NULL; i++) {
        ask_one(ask, QUESTION_MUTATIONS, question_versions[i]);
        if (ask->patient.answers[QUESTION_MUTATIONS].status != HTTP_STATUS_NOT_FOUND) {
            ask_one(ask, QUESTION_BINDINGS, question_versions[i]);
            return;
        }
    }
}

/* The groups of each ServiceAccount: a role may be bound to one of them. */
static void write_groups(struct json_write *write, const char *namespace) {
    AUTO(buffer_fini) struct buffer group;
    buffer_init(&group, BODY_MAX);
    buffer_add_format(&group, "system:serviceaccounts:%s", namespace);
    json_write_member_open(write, "groups", '[');
    json_write_text(write, "system:serviceaccounts");
    json_write_text(write, buffer_text(&group));
    json_write_text(write, "system:authenticated");
    json_write_close(write, ']');
}

/* A NULL user is the one who asks. */
static void write_review(const struct checkup_ask *right_ask, const char *user,
                         const struct finding_names *names, struct buffer *out) {
    const struct checkup_right *right = right_ask->right;
    const char *name = strcmp(right->name, "*") == 0 ? names->configuration : right->name;
    struct json_write write;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", "authorization.k8s.io/v1");
    json_write_member_text(&write, "kind",
                           user == NULL ? "SelfSubjectAccessReview" : "SubjectAccessReview");
    json_write_member_open(&write, "spec", '{');
    if (user != NULL) {
        json_write_member_text(&write, "user", user);
        write_groups(&write, names->namespace);
    }
    json_write_member_open(&write, "resourceAttributes", '{');
    json_write_member_text(&write, "verb", right->verb);
    json_write_member_text(&write, "group", checkup_group_of(right));
    json_write_member_text(&write, "resource", checkup_resource_of(right));
    json_write_member_text(&write, "subresource", right->subresource);
    json_write_member_text(&write, "name", name);
    json_write_member_text(&write, "namespace", right_ask->namespace);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}

/* Asks about one right. False if that gave no answer about it. */
static bool ask_right(struct doctor_ask *ask, const struct checkup_ask *right, const char *user,
                      enum checkup_grant *ret_grant) {
    const char *path = user == NULL ? AUTHORIZATION_PATH "selfsubjectaccessreviews"
                                    : AUTHORIZATION_PATH "subjectaccessreviews";
    AUTO(buffer_fini) struct buffer post;
    AUTO(buffer_fini) struct buffer body;
    struct error error;
    struct answer answer;
    buffer_init(&post, BODY_MAX);
    buffer_init(&body, QUESTION_ANSWER_MAX);
    write_review(right, user, &ask->patient.names, &post);
    send(ask, path, &post, &body, &error, &answer);
    *ret_grant = checkup_read_grant(&answer);
    ask->patient.grants_status = answer.status;
    return *ret_grant != CHECKUP_UNASKED;
}

/* True if the one who asks is Capstan's ServiceAccount, as from within a pod. */
static bool is_self(struct doctor_ask *ask, const char *account) {
    static const char json[] =
        "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"SelfSubjectReview\"}";
    AUTO(buffer_fini) struct buffer post;
    AUTO(buffer_fini) struct buffer body;
    struct error error;
    struct answer answer;
    buffer_init(&post, BODY_MAX);
    buffer_init(&body, QUESTION_ANSWER_MAX);
    buffer_add_text(&post, json);
    send(ask, WHO_AM_I_PATH, &post, &body, &error, &answer);
    return checkup_is_user(&answer, account);
}

/* The rights of the ServiceAccount. Somebody who may not ask about others may still be it. */
static void ask_rights(struct doctor_ask *ask) {
    struct checkup_ask asks[CHECKUP_ASKS_MAX];
    size_t n_asks = checkup_list_asks(&ask->patient, asks);
    AUTO(buffer_fini) struct buffer account;
    buffer_init(&account, BODY_MAX);
    checkup_add_account(&ask->patient, &account);
    const char *user = buffer_text(&account);
    for (size_t i = 0; i < n_asks; i++) {
        enum checkup_grant *grant = &ask->patient.grants[i];
        if (ask_right(ask, &asks[i], user, grant)) {
            continue;
        }
        int status = ask->patient.grants_status;
        if (i > 0 || status != HTTP_STATUS_FORBIDDEN || !is_self(ask, user)) {
            ask->patient.grants_status = status;
            return;
        }
        user = NULL;
        if (!ask_right(ask, &asks[i], user, grant)) {
            return;
        }
    }
}

void doctor_ask_all(struct doctor_ask *ask) {
    ask_one(ask, QUESTION_VERSION, "");
    if (ask->patient.answers[QUESTION_VERSION].status == 0) {
        return;
    }
    for (size_t i = QUESTION_VERSION + 1; i < QUESTION_MUTATIONS; i++) {
        ask_one(ask, (enum question)i, "");
    }
    ask_mutations(ask);
    ask_rights(ask);
}
