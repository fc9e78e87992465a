// SPDX-License-Identifier: Apache-2.0
#include "doctor_ask.h"

#include <string.h>

#include "base/http_status.h"
#include "base/json_write.h"
#include "edge/clock.h"

enum { TIMEOUT_MS = 5000, BODY_MAX = 4096 };

#define AUTHORIZATION_PATH "/apis/authorization.k8s.io/v1/"

struct question {
    struct doctor_reply *reply;
    bool is_answered;
};

void doctor_reply_fini(struct doctor_reply *reply) {
    buffer_fini(&reply->body);
}

static void on_answer(void *context, const struct kube_answer *answer) {
    struct question *question = context;
    struct doctor_reply *reply = question->reply;
    question->is_answered = true;
    reply->answer.status = answer->is_good ? HTTP_STATUS_OK : answer->status;
    reply->error = answer->error;
    buffer_add(&reply->body, answer->body, answer->body_size);
    reply->answer.json = buffer_text(&reply->body);
    reply->answer.size = reply->body.size;
}

bool doctor_ask(struct kube *kube, const char *path, const struct buffer *body,
                struct doctor_reply *ret_reply) {
    struct question question = {.reply = ret_reply};
    *ret_reply = (struct doctor_reply){.answer = {.status = 0, .json = ""}};
    buffer_init_secret(&ret_reply->body, CHECKUP_ANSWER_MAX); /* one question is for a Secret */
    const struct kube_request request = {
        .verb = body == NULL ? KUBE_GET : KUBE_CREATE,
        .path = path,
        .body = body == NULL ? NULL : body->bytes,
        .body_size = body == NULL ? 0 : body->size,
        .timeout_ms = TIMEOUT_MS,
        .answer_max = CHECKUP_ANSWER_MAX,
        .done = on_answer,
        .context = &question,
    };
    kube_begin(kube, &request);
    while (!question.is_answered) {
        kube_wait(kube, NULL, 0, TIMEOUT_MS);
    }
    return ret_reply->answer.status == HTTP_STATUS_OK;
}

static void write_review(const struct checkup_right *right, const char *user,
                         const struct checkup_names *names, struct buffer *out) {
    struct json_write write;
    const char *name = strcmp(right->name, "*") == 0 ? names->configuration : right->name;
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", "authorization.k8s.io/v1");
    json_write_member_text(&write, "kind",
                           user == NULL ? "SelfSubjectAccessReview" : "SubjectAccessReview");
    json_write_member_open(&write, "spec", '{');
    if (user != NULL) {
        json_write_member_text(&write, "user", user);
        json_write_key(&write, "groups");
        json_write_raw(&write, "[\"system:serviceaccounts\",\"system:authenticated\"]");
    }
    json_write_member_open(&write, "resourceAttributes", '{');
    json_write_member_text(&write, "verb", right->verb);
    json_write_member_text(&write, "group", right->group);
    json_write_member_text(&write, "resource", right->resource);
    json_write_member_text(&write, "subresource", right->subresource);
    json_write_member_text(&write, "name", name);
    json_write_member_text(&write, "namespace", right->is_namespaced ? names->namespace : "");
    json_write_close(&write, '}');
    json_write_close(&write, '}');
    json_write_close(&write, '}');
}

bool doctor_ask_rights(struct kube *kube, const char *user, const struct checkup_names *names,
                       bool makes_certificates, struct buffer *out) {
    const char *path = user == NULL ? AUTHORIZATION_PATH "selfsubjectaccessreviews"
                                    : AUTHORIZATION_PATH "subjectaccessreviews";
    for (size_t i = 0; i < checkup_n_rights; i++) {
        const struct checkup_right *right = &checkup_rights[i];
        AUTO(doctor_reply_fini) struct doctor_reply reply;
        AUTO(buffer_fini) struct buffer body;
        if (right->is_for_certificates && !makes_certificates) {
            continue;
        }
        buffer_init(&body, BODY_MAX);
        write_review(right, user, names, &body);
        if (!doctor_ask(kube, path, &body, &reply)) {
            return false;
        }
        if (!checkup_allows(&reply.answer)) {
            buffer_add_format(out, "%s%s %s%s%s", out->size > 0 ? ", " : "", right->verb,
                              right->resource, right->subresource[0] != '\0' ? "/" : "",
                              right->subresource);
        }
    }
    return true;
}
