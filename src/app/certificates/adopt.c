// SPDX-License-Identifier: Apache-2.0
#include "adopt.h"

#include <stdio.h>
#include <stdlib.h>

#include "answer.h"
#include "ask.h"
#include "base/memory.h"
#include "complaint_log.h"
#include "core/certificates/ownership.h"
#include "edge/clock.h"

enum { PATH_SIZE = 640, BODY_MAX = 4096 };

struct adopt {
    struct adopt_options options;
    struct ownership ownership;
    struct ownership_namespace namespace; /* its uid is empty if it could not be read ... */
    struct error namespace_error;         /* ... and this says why */
    bool leads;                           /* as of the last step */
    bool is_asking;
    bool is_writing;
    bool is_closing;
    int64_t look_ms;
    struct complaint complaint;
};

struct adopt *adopt_new(const struct adopt_options *options) {
    struct adopt *adopt = memory_new(1, sizeof(*adopt));
    adopt->options = *options;
    adopt->namespace.name = options->namespace;
    return adopt;
}

void adopt_free(struct adopt *adopt) {
    free(adopt);
}

static void log_failure(struct adopt *adopt, const char *problem) {
    int64_t times = complaint_raise(&adopt->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(adopt->options.log, LOG_WARN, "registration.unowned",
                  LOG_TEXT("name", adopt->options.config_name), LOG_TEXT("problem", problem),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint", "the Namespace does not own the webhook configuration, or "
                                   "nobody knows; delete the configuration before the Namespace, "
                                   "or nobody answers the API server any more"));
    }
}

/* A configuration that is not there belongs to nobody; registration.absent tells it. */
static void fail(struct adopt *adopt, const struct error *error) {
    bool is_overdue;
    adopt->look_ms = ownership_fail(&adopt->ownership, clock_boot_ms(), &is_overdue);
    if (error->kind == ERROR_DENIED || (is_overdue && error->kind != ERROR_NOT_FOUND)) {
        log_failure(adopt, error->text);
    }
}

static void ask(struct adopt *adopt, enum kube_verb verb, const char *path,
                const struct buffer *body, kube_done *done) {
    const struct ask ask = {
        .kube = adopt->options.kube,
        .elect = adopt->options.elect,
        .verb = verb,
        .path = path,
        .body = body,
        .done = done,
        .context = adopt,
    };
    adopt->is_asking = true;
    adopt->is_writing = body != NULL;
    ask_begin(&ask);
}

static bool read(const struct adopt *adopt, const struct kube_answer *answer,
                 struct ownership_view *ret_view, struct error *error) {
    return ownership_read(answer->body, answer->body_size, &adopt->namespace,
                          adopt->options.service_name, ret_view, error);
}

/* An answer counts only if it shows the configuration with its owner. That is no news of the API
   server, so the log tells it at once. */
static void fail_unshown(struct adopt *adopt, bool is_configuration) {
    struct error error;
    (void)error_set(&error, ERROR_UNAVAILABLE, "%s",
                    is_configuration ? ANSWER_UNCHANGED : ANSWER_FOREIGN);
    fail(adopt, &error);
    log_failure(adopt, error.text);
}

static void on_written(void *context, const struct kube_answer *answer) {
    struct adopt *adopt = context;
    struct ownership_view view;
    struct error error = answer->error;
    adopt->is_asking = false;
    adopt->is_writing = false;
    bool is_shown = answer_shows(answer, REGISTRATION_KIND, adopt->options.config_name);
    if (!answer->is_good) {
        fail(adopt, &error);
    } else if (!is_shown || !read(adopt, answer, &view, &error) || !view.is_owned) {
        fail_unshown(adopt, is_shown);
    } else {
        complaint_settle(&adopt->complaint);
        log_event(adopt->options.log, LOG_INFO, "registration.owned",
                  LOG_TEXT("name", adopt->options.config_name),
                  LOG_TEXT("namespace", adopt->options.namespace));
    }
}

static void write_owner(struct adopt *adopt, const char *config_uid) {
    AUTO(buffer_fini) struct buffer body;
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), REGISTRATIONS_PATH "/%s?fieldManager=capstan",
             adopt->options.config_name);
    buffer_init(&body, BODY_MAX);
    ownership_write(&adopt->namespace, adopt->options.config_name, config_uid, &body);
    ask(adopt, KUBE_APPLY, path, &body, on_written);
}

static void on_configuration(void *context, const struct kube_answer *answer) {
    struct adopt *adopt = context;
    struct ownership_view view;
    struct error error = answer->error;
    int64_t now_ms = clock_boot_ms();
    adopt->is_asking = false;
    if (!answer->is_good || !read(adopt, answer, &view, &error)) {
        fail(adopt, &error);
    } else if (!ownership_step(&adopt->ownership, &view, now_ms, &adopt->look_ms)) {
        complaint_settle(&adopt->complaint);
    } else if (adopt->namespace.uid[0] == '\0') {
        fail(adopt, &adopt->namespace_error);
    } else if (!adopt->is_closing && elect_leads(adopt->options.elect, now_ms)) {
        write_owner(adopt, view.uid);
    }
}

/* Without a right to the Namespace it goes on, since the configuration may be none of ours. */
static void on_namespace(void *context, const struct kube_answer *answer) {
    struct adopt *adopt = context;
    struct error error = answer->error;
    char path[PATH_SIZE];
    adopt->is_asking = false;
    if (!answer->is_good ||
        !ownership_read_namespace(answer->body, answer->body_size, &adopt->namespace, &error)) {
        adopt->namespace.uid[0] = '\0';
        adopt->namespace_error = error;
    }
    if (!adopt->is_closing) {
        snprintf(path, sizeof(path), REGISTRATIONS_PATH "/%s", adopt->options.config_name);
        ask(adopt, KUBE_GET, path, NULL, on_configuration);
    }
}

/* Asks for the Namespace each time. An owner that is there no more would be the end of the
   configuration. */
static void look(struct adopt *adopt) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "/api/v1/namespaces/%s", adopt->options.namespace);
    ask(adopt, KUBE_GET, path, NULL, on_namespace);
}

int64_t adopt_step(struct adopt *adopt, int64_t now_ms) {
    bool leads = elect_leads(adopt->options.elect, now_ms);
    complaint_log_over(&adopt->complaint, adopt->options.log, "registration.recovered",
                       "ownerReferences", now_ms);
    if (leads && !adopt->leads) {
        adopt->look_ms = now_ms;
    }
    adopt->leads = leads;
    if (!leads || adopt->is_asking || adopt->is_closing) {
        return INT64_MAX;
    }
    if (now_ms < adopt->look_ms) {
        return adopt->look_ms;
    }
    look(adopt);
    return INT64_MAX;
}

void adopt_close(struct adopt *adopt) {
    adopt->is_closing = true;
}

bool adopt_is_idle(const struct adopt *adopt) {
    return !adopt->is_writing;
}
