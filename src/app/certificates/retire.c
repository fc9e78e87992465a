// SPDX-License-Identifier: Apache-2.0
#include "retire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "ask.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "complaint_log.h"
#include "core/certificates/registration.h"
#include "core/certificates/succession.h"
#include "edge/clock.h"
#include "key_pair.h"

enum {
    PATH_SIZE = 640,
    BODY_MAX = 4096,
    SELDOM_MS = 3600000, /* between looks when there is no former configuration */
};

struct retire {
    struct retire_options options;
    struct succession succession;
    struct registration former; /* its entries that lead to our Service; none: it is not there */
    size_t n_foreign;           /* the others */
    bool leads;                 /* as of the last step */
    bool is_asking;
    bool is_deleting;
    bool has_deleted;    /* an answer said so */
    bool should_be_gone; /* by the next look */
    bool is_closing;
    int64_t look_ms;
    struct complaint complaint;
};

struct retire *retire_new(const struct retire_options *options) {
    if (strcmp(options->config_name, SUCCESSION_FORMER_NAME) == 0) {
        return NULL;
    }
    struct retire *retire = memory_new(1, sizeof(*retire));
    retire->options = *options;
    return retire;
}

void retire_free(struct retire *retire) {
    if (retire != NULL) {
        registration_fini(&retire->former);
        free(retire);
    }
}

static void log_leftover(struct retire *retire, const char *problem) {
    int64_t times = complaint_raise(&retire->complaint, problem, clock_boot_ms());
    if (times > 0) {
        log_event(retire->options.log, LOG_WARN, "registration.leftover",
                  LOG_TEXT("name", SUCCESSION_FORMER_NAME), LOG_TEXT("problem", problem),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint", "a webhook configuration of a former version may be left; if it "
                                   "is not needed: kubectl delete mutatingwebhookconfiguration "
                                   "capstan"));
    }
}

static void fail(struct retire *retire, const char *problem) {
    log_leftover(retire, problem);
    retire->look_ms = succession_fail(&retire->succession, clock_boot_ms());
}

static void ask(struct retire *retire, enum kube_verb verb, const char *name,
                const struct buffer *body, kube_done *done) {
    char path[PATH_SIZE];
    const struct ask ask = {
        .kube = retire->options.kube,
        .elect = retire->options.elect,
        .verb = verb,
        .path = path,
        .body = body,
        .done = done,
        .context = retire,
    };
    snprintf(path, sizeof(path), REGISTRATIONS_PATH "/%s", name);
    retire->is_asking = true;
    ask_begin(&ask);
}

/* True if each entry trusts the certificate that is served. */
static bool is_trusted_by(const struct retire *retire, const struct registration *registration) {
    const struct retire_options *options = &retire->options;
    if (options->rotate != NULL) {
        return rotate_is_trusted_by(options->rotate, registration);
    }
    AUTO_FREE char *dns_name =
        memory_format("%s.%s.svc", options->service_name, options->namespace);
    bool is_trusted = registration->n_entries > 0;
    for (size_t i = 0; i < registration->n_entries; i++) {
        is_trusted =
            is_trusted && key_pair_is_trusted(options->cert_path, options->cert_name, dns_name,
                                              registration->entries[i].bundle_pem);
    }
    return is_trusted;
}

static void on_deleted(void *context, const struct kube_answer *answer) {
    struct retire *retire = context;
    retire->is_asking = false;
    retire->is_deleting = false;
    bool is_confirmed = answer_shows_deletion(answer, REGISTRATION_KIND, SUCCESSION_FORMER_NAME);
    retire->has_deleted = retire->has_deleted || is_confirmed;
    retire->should_be_gone = is_confirmed;
    if (!is_confirmed) {
        fail(retire, answer->is_good ? ANSWER_FOREIGN : answer->error.text);
    }
}

/* Deletes what was looked at, and nothing that somebody has changed since. */
static void delete_former(struct retire *retire) {
    AUTO(buffer_fini) struct buffer body;
    struct json_write write;
    buffer_init(&body, BODY_MAX);
    json_write_begin(&write, &body);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", "meta.k8s.io/v1");
    json_write_member_text(&write, "kind", "DeleteOptions");
    json_write_member_open(&write, "preconditions", '{');
    json_write_member_text(&write, "uid", retire->former.uid);
    json_write_member_text(&write, "resourceVersion", retire->former.resource_version);
    json_write_close(&write, '}');
    json_write_close(&write, '}');
    retire->is_deleting = true;
    ask(retire, KUBE_DELETE, SUCCESSION_FORMER_NAME, &body, on_deleted);
}

static void judge(struct retire *retire, const struct registration *present) {
    const struct succession_view view = {
        .former = &retire->former,
        .n_foreign = retire->n_foreign,
        .present = present,
        .is_trusted = is_trusted_by(retire, present),
    };
    int64_t now_ms = clock_boot_ms();
    struct succession_order order;
    succession_step(&retire->succession, &view, retire->options.trust_delay_ms, now_ms, &order);
    retire->look_ms = order.at_ms;
    if (order.problem != NULL) {
        log_leftover(retire, order.problem);
    }
    if (order.verb == SUCCESSION_DELETE && !retire->is_closing &&
        elect_leads(retire->options.elect, now_ms)) {
        delete_former(retire);
    }
}

static bool read(const struct retire *retire, const struct kube_answer *answer,
                 struct registration *ret_registration, size_t *ret_n_foreign,
                 struct error *error) {
    if (!answer->is_good) {
        *error = answer->error;
        return false;
    }
    if (!registration_read(answer->body, answer->body_size, ret_registration, error)) {
        return false;
    }
    *ret_n_foreign = registration_keep_service(ret_registration, retire->options.namespace,
                                               retire->options.service_name);
    return true;
}

static void on_present(void *context, const struct kube_answer *answer) {
    struct retire *retire = context;
    AUTO(registration_fini) struct registration present = {.n_entries = 0};
    size_t n_foreign;
    struct error error;
    retire->is_asking = false;
    if (read(retire, answer, &present, &n_foreign, &error)) {
        judge(retire, &present);
    } else {
        fail(retire, error.text);
    }
}

/* There is no former configuration, or none any more. */
static void settle(struct retire *retire) {
    if (retire->has_deleted) {
        log_event(retire->options.log, LOG_INFO, "registration.retired",
                  LOG_TEXT("name", SUCCESSION_FORMER_NAME),
                  LOG_TEXT("successor", retire->options.config_name));
    }
    retire->has_deleted = false;
    retire->should_be_gone = false;
    retire->succession = (struct succession){.is_taken_over = false};
    complaint_settle(&retire->complaint);
    retire->look_ms = clock_boot_ms() + SELDOM_MS;
}

static void on_former(void *context, const struct kube_answer *answer) {
    struct retire *retire = context;
    struct registration former = {.n_entries = 0};
    struct error error;
    bool is_read = read(retire, answer, &former, &retire->n_foreign, &error);
    retire->is_asking = false;
    registration_fini(&retire->former);
    retire->former = former;
    if (!is_read && error.kind == ERROR_NOT_FOUND) {
        settle(retire);
    } else if (!is_read) {
        fail(retire, error.text);
    } else if (retire->should_be_gone) {
        /* A finalizer holds it, or somebody else answered in the API server's name. */
        retire->should_be_gone = false;
        fail(retire, "is still there, although its deletion was confirmed");
    } else {
        ask(retire, KUBE_GET, retire->options.config_name, NULL, on_present);
    }
}

int64_t retire_step(struct retire *retire, int64_t now_ms) {
    if (retire == NULL) {
        return INT64_MAX;
    }
    bool leads = elect_leads(retire->options.elect, now_ms);
    complaint_log_over(&retire->complaint, retire->options.log, "registration.recovered",
                       SUCCESSION_FORMER_NAME, now_ms);
    if (leads && !retire->leads) {
        retire->succession = (struct succession){.is_taken_over = false};
        retire->look_ms = now_ms;
    }
    retire->leads = leads;
    if (!leads || retire->is_asking || retire->is_closing) {
        return INT64_MAX;
    }
    if (now_ms >= retire->look_ms) {
        ask(retire, KUBE_GET, SUCCESSION_FORMER_NAME, NULL, on_former);
        return INT64_MAX;
    }
    return retire->look_ms;
}

void retire_close(struct retire *retire) {
    if (retire != NULL) {
        retire->is_closing = true;
    }
}

bool retire_is_idle(const struct retire *retire) {
    return retire == NULL || !retire->is_deleting;
}
