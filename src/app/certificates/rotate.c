// SPDX-License-Identifier: Apache-2.0
#include "rotate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "chance.h"
#include "cluster/follow.h"
#include "core/cluster/complaint.h"
#include "edge/clock.h"
#include "expiry_alarm.h"
#include "rotate_make.h"
#include "rotate_view.h"
#include "served.h"
#include "service_names.h"

enum {
    PATH_SIZE = 640,
    BODY_MAX = 1 << 20,
    ANSWER_MAX = 8 << 20,
    TIMEOUT_MS = 5000,
    LOOK_AGAIN_MS = 1000, /* while the Secret has a leaf that is not served yet */
    RACES_MAX = 3,        /* in a row; then the log says so */
    /* The probes need time to find this replica ready, and the Service to lead to it. */
    FAIL_CLOSED_AFTER_MS = 30000,
    LEADER_PATIENCE_MS = 20000, /* a leader of this version writes the caBundles far sooner */
};

struct rotate {
    struct rotate_options options;
    struct http_server *server;
    struct service_names names;
    char secrets_path[PATH_SIZE];
    struct follow *secret_follow;
    struct follow *registration_follow;

    struct renewal renewal;
    struct renewal_view view;
    bool leads;       /* as of the last step */
    bool has_keyring; /* there is a Secret */
    struct keyring keyring;
    struct x509_bundle cas;           /* of the keyring, in the view's order */
    struct keyring memory;            /* the last one that was served; ca_crt is NULL: none */
    struct registration registration; /* the entries that lead to our Service */
    size_t n_foreign;                 /* the others */
    struct served served;
    struct expiry leaf_expiry;
    struct expiry ca_expiry;

    bool is_writing;
    bool is_closing;
    enum renewal_verb writing; /* of the request under way */
    unsigned n_races;          /* requests in a row that came too late */
    int64_t look_ms;           /* when to look without news; INT64_MAX: never */
    int64_t ready_ms;          /* -1: not yet */
    int64_t blank_ms;          /* since when no entry has a caBundle; -1: one has */
    bool fails;                /* the failurePolicy should be Fail */
    struct complaint complaint;
};

void rotate_set_server(struct rotate *rotate, struct http_server *server) {
    rotate->server = server;
}

static void log_failure(struct rotate *rotate, const char *problem) {
    if (complaint_raise(&rotate->complaint, COMPLAINT_MINUTELY, problem, clock_boot_ms()) > 0) {
        log_event(rotate->options.log, LOG_WARN, "certificate.failed",
                  LOG_TEXT("problem", problem));
    }
}

static void serve_leaf(struct rotate *rotate) {
    const struct rotate_options *options = &rotate->options;
    int64_t now_ms = clock_boot_ms();
    char id[X509_ID_SIZE];
    struct error error;
    memcpy(id, rotate->served.id, sizeof(id));
    const struct served_offer offer = {
        .view = &rotate->view,
        .keyring = &rotate->keyring,
        .cas = &rotate->cas,
        .registration = &rotate->registration,
        .is_trusted_long = renewal_is_trusted_long(&rotate->renewal, now_ms),
        .wall_s = clock_wall_seconds(),
        .now_ms = now_ms,
        .trust_delay_ms = options->trust_delay_ms,
    };
    if (!served_take_up(&rotate->served, &offer, rotate->server, &error)) {
        /* No replica will serve it, so renewal_step() must order another one. */
        rotate->view.has_leaf = false;
        metrics_add(options->metrics, METRIC_CERTIFICATE_RELOADS_REFUSED, 1);
        log_failure(rotate, error.text);
    } else if (strcmp(id, rotate->served.id) != 0) {
        metrics_add(options->metrics, METRIC_CERTIFICATE_RELOADS_OK, 1);
        metrics_set(options->metrics, METRIC_CERTIFICATE_EXPIRATION, rotate->served.not_after);
        log_event(options->log, LOG_INFO, "certificate.served",
                  LOG_TEXT("sha256", rotate->served.id),
                  LOG_TEXT("issuer", rotate->served.issuer.id));
    }
}

/* Writes what each caBundle should be. */
static void write_wanted(const struct rotate *rotate, struct buffer *out) {
    buffer_init(out, BODY_MAX);
    served_write_bundle(&rotate->served, &rotate->cas, clock_boot_ms(), out);
}

/* The time to set failurePolicy Fail; INT64_MAX: never. */
static int64_t fail_closed_ms(const struct rotate *rotate) {
    bool fails_closed = rotate->options.fails_closed && rotate->ready_ms >= 0;
    return fails_closed ? rotate->ready_ms + FAIL_CLOSED_AFTER_MS : INT64_MAX;
}

/* Without news, time may allow to serve the leaf of the Secret, or to forget a former CA. */
static int64_t next_look_ms(const struct rotate *rotate, bool is_up_to_date, int64_t now_ms) {
    const struct served *served = &rotate->served;
    bool waits =
        rotate->view.secret == RENEWAL_SECRET_USABLE && rotate->view.has_leaf && !is_up_to_date;
    bool remembers = served->former.pem != NULL && now_ms < served->former_until_ms;
    int64_t at_ms = remembers ? served->former_until_ms : INT64_MAX;
    return waits ? MIN(at_ms, now_ms + LOOK_AGAIN_MS) : at_ms;
}

/* Draws the conclusions from something new: for the view, and for the leaf that is served. */
static void look(struct rotate *rotate) {
    AUTO(buffer_fini) struct buffer wanted;
    int64_t now_ms = clock_boot_ms();
    rotate_view_trust(&rotate->registration, &rotate->cas, clock_wall_seconds(), &rotate->view);
    renewal_note(&rotate->renewal, &rotate->view, now_ms);
    serve_leaf(rotate);
    bool is_up_to_date = served_is_of(&rotate->served, &rotate->keyring);
    if (is_up_to_date && rotate->view.secret == RENEWAL_SECRET_USABLE && rotate->view.has_leaf) {
        keyring_fini(&rotate->memory);
        rotate->memory = rotate_make_copy(&rotate->keyring);
        rotate->view.has_memory = true;
    }
    write_wanted(rotate, &wanted);
    rotate->view.is_bundle_current =
        registration_is_as(&rotate->registration, buffer_text(&wanted), rotate->fails);
    rotate->look_ms = next_look_ms(rotate, is_up_to_date, now_ms);
}

static void on_secret(void *context, const char *json, size_t size) {
    struct rotate *rotate = context;
    struct keyring keyring = {.ca_crt = NULL};
    struct error error;
    bool is_there = json != NULL;
    renewal_news(&rotate->renewal, RENEWAL_WRITE);
    if (is_there && !keyring_read(json, size, &keyring, &error)) {
        log_failure(rotate, error.text);
        return;
    }
    if (is_there && keyring.is_asked_unclearly) {
        log_failure(rotate,
                    "the annotation capstan.dev/rotate of the Secret is neither leaf nor ca");
    }
    keyring_fini(&rotate->keyring);
    x509_bundle_fini(&rotate->cas);
    rotate->keyring = keyring;
    rotate->has_keyring = is_there;
    rotate_view_secret(is_there ? &rotate->keyring : NULL, rotate->names.items,
                       rotate->names.n_items, &rotate->view, &rotate->cas);
    look(rotate);
}

/* Logs the entries that lead elsewhere, again only when their number changes. */
static void log_foreign(struct rotate *rotate, size_t n_foreign) {
    if (n_foreign > 0 && n_foreign != rotate->n_foreign) {
        char service[PATH_SIZE];
        snprintf(service, sizeof(service), "%s/%s", rotate->options.namespace,
                 rotate->options.service_name);
        log_event(rotate->options.log, LOG_WARN, "registration.foreign",
                  LOG_TEXT("name", rotate->options.config_name),
                  LOG_INTEGER("entries", (int64_t)n_foreign), LOG_TEXT("service", service),
                  LOG_TEXT("hint", "these entries lead elsewhere than to this Service and are left "
                                   "alone; --namespace and --service-name say which is ours"));
    }
    rotate->n_foreign = n_foreign;
}

static void note_blank(struct rotate *rotate) {
    bool is_blank = registration_is_as(&rotate->registration, "", false);
    if (!is_blank) {
        rotate->blank_ms = -1;
    } else if (rotate->blank_ms < 0) {
        rotate->blank_ms = clock_boot_ms();
    }
}

static void on_registration(void *context, const char *json, size_t size) {
    struct rotate *rotate = context;
    struct registration registration = {.n_entries = 0};
    struct error error;
    renewal_news(&rotate->renewal, RENEWAL_TRUST);
    if (json != NULL && !registration_read(json, size, &registration, &error)) {
        log_failure(rotate, error.text);
        return;
    }
    log_foreign(rotate, registration_keep_service(&registration, rotate->options.namespace,
                                                  rotate->options.service_name));
    bool is_absent = json == NULL || registration.n_entries == 0;
    if (is_absent && rotate->view.webhook != RENEWAL_WEBHOOK_ABSENT) {
        log_event(
            rotate->options.log, LOG_WARN, "registration.absent",
            LOG_TEXT("name", rotate->options.config_name),
            LOG_TEXT("hint",
                     "there is no such MutatingWebhookConfiguration, or none of "
                     "its entries leads here: nobody asks Capstan; apply the manifests, or name "
                     "another by --webhook-config-name"));
    }
    registration_fini(&rotate->registration);
    rotate->registration = registration;
    note_blank(rotate);
    rotate->view.webhook = is_absent ? RENEWAL_WEBHOOK_ABSENT : RENEWAL_WEBHOOK_PRESENT;
    look(rotate);
}

static struct follow *new_follow(struct rotate *rotate, const char *collection,
                                 const char *resource, const char *name, follow_changed *changed) {
    const struct follow_options options = {
        .kube = rotate->options.kube,
        .collection = collection,
        .resource = resource,
        .name = name,
        .log = rotate->options.log,
        .metrics = rotate->options.metrics,
        .changed = changed,
        .context = rotate,
    };
    return follow_new(&options);
}

struct rotate *rotate_new(const struct rotate_options *options) {
    struct rotate *rotate = memory_new(1, sizeof(*rotate));
    rotate->options = *options;
    rotate->ready_ms = -1;
    rotate->blank_ms = -1;
    rotate->look_ms = INT64_MAX;
    service_names_make(options->service_name, options->namespace, &rotate->names);
    snprintf(rotate->secrets_path, sizeof(rotate->secrets_path), "/api/v1/namespaces/%s/secrets",
             options->namespace);
    rotate->secret_follow =
        new_follow(rotate, rotate->secrets_path, "secrets", KEYRING_SECRET_NAME, on_secret);
    rotate->registration_follow =
        new_follow(rotate, REGISTRATIONS_PATH, "mutatingwebhookconfigurations",
                   options->config_name, on_registration);
    renewal_init(&rotate->renewal, options->trust_delay_ms, options->retire_delay_ms / 1000);
    return rotate;
}

void rotate_free(struct rotate *rotate) {
    if (rotate == NULL) {
        return;
    }
    follow_free(rotate->secret_follow);
    follow_free(rotate->registration_follow);
    keyring_fini(&rotate->keyring);
    keyring_fini(&rotate->memory);
    x509_bundle_fini(&rotate->cas);
    registration_fini(&rotate->registration);
    served_fini(&rotate->served);
    free(rotate);
}

static void log_contest(const struct rotate *rotate) {
    const char *hint = "somebody keeps changing the webhook configuration; caBundle is written "
                       "again every 5 minutes only";
    const struct event event = {
        .namespace = rotate->options.namespace,
        .name = KEYRING_SECRET_NAME,
        .uid = rotate->keyring.uid,
        .api_version = "v1",
        .kind = "Secret",
        .type = "Warning",
        .reason = "RegistrationContested",
        .action = "WriteCABundle",
        .note = hint,
        .instance = elect_identity(rotate->options.elect),
        .wall_us = clock_wall_us(),
        .random = chance_draw(),
    };
    log_event(rotate->options.log, LOG_WARN, "registration.contested",
              LOG_TEXT("name", rotate->options.config_name), LOG_TEXT("hint", hint));
    events_post(rotate->options.events, &event);
}

static void on_answer(void *context, const struct kube_answer *answer) {
    struct rotate *rotate = context;
    bool is_secret = rotate->writing == RENEWAL_WRITE;
    int64_t now_ms = clock_boot_ms();
    rotate->is_writing = false;
    /* A faster writer has written the same, or something that has to be read first. */
    bool is_race = answer->status == HTTP_STATUS_CONFLICT ||
                   (answer->status == HTTP_STATUS_UNPROCESSABLE && !is_secret);
    rotate->n_races = is_race ? rotate->n_races + 1 : 0;
    if (answer->is_good) {
        complaint_settle(&rotate->complaint);
    } else if (!is_race || rotate->n_races >= RACES_MAX) {
        log_failure(rotate, answer->error.text);
    }
    bool was_contested = renewal_is_contested(&rotate->renewal, now_ms);
    bool is_latest = answer->is_good && !renewal_is_overtaken(&rotate->renewal);
    renewal_answer(&rotate->renewal, now_ms, chance_draw(), answer->is_good);
    if (!was_contested && renewal_is_contested(&rotate->renewal, now_ms)) {
        log_contest(rotate);
    }
    if (is_latest) {
        (is_secret ? on_secret : on_registration)(rotate, answer->body, answer->body_size);
    }
}

static void ask(struct rotate *rotate, enum kube_verb verb, const char *path,
                const struct buffer *body) {
    int64_t left_ms = elect_deadline_ms(rotate->options.elect) - clock_boot_ms();
    const struct kube_request request = {
        .verb = verb,
        .path = path,
        .body = body->bytes,
        .body_size = body->size,
        .timeout_ms = MIN(left_ms, TIMEOUT_MS),
        .answer_max = ANSWER_MAX,
        .done = on_answer,
        .context = rotate,
    };
    rotate->is_writing = true;
    kube_begin(rotate->options.kube, &request);
}

static void write_secret(struct rotate *rotate, const struct renewal_order *order) {
    static const char *const phases[] = {
        [RENEWAL_BOOTSTRAP] = "bootstrap", [RENEWAL_RESTORE] = "restore",
        [RENEWAL_PREPARE] = "prepare",     [RENEWAL_SWITCH] = "switch",
        [RENEWAL_RETIRE] = "retire",
    };
    const struct rotate_sources sources = {
        .present = rotate->has_keyring ? &rotate->keyring : NULL,
        .cas = &rotate->cas,
        .signer = rotate->view.signer,
        .memory = &rotate->memory,
        .registration = &rotate->registration,
        .names = rotate->names.items,
        .n_names = rotate->names.n_items,
        .now = clock_wall_seconds(),
    };
    AUTO(keyring_fini) struct keyring made = {.ca_crt = NULL};
    struct error error;
    char path[PATH_SIZE + sizeof(KEYRING_SECRET_NAME)];
    if (!rotate_make(order, &sources, &made, &error)) {
        log_failure(rotate, error.text);
        renewal_answer(&rotate->renewal, clock_boot_ms(), chance_draw(), false);
        return;
    }
    bool is_new = made.resource_version[0] == '\0';
    AUTO(buffer_fini) struct buffer body;
    buffer_init_secret(&body, BODY_MAX);
    keyring_write(&made, rotate->options.namespace, &body);
    snprintf(path, sizeof(path), "%s%s", rotate->secrets_path,
             is_new ? "" : "/" KEYRING_SECRET_NAME);
    log_event(rotate->options.log, LOG_INFO, "certificate.renewing",
              LOG_TEXT("phase", phases[order->phase]));
    ask(rotate, is_new ? KUBE_CREATE : KUBE_MERGE, path, &body);
}

static void write_registration(struct rotate *rotate) {
    AUTO(buffer_fini) struct buffer wanted;
    AUTO(buffer_fini) struct buffer patch;
    char path[PATH_SIZE];
    write_wanted(rotate, &wanted);
    buffer_init(&patch, BODY_MAX);
    registration_write_patch(&rotate->registration, buffer_text(&wanted), rotate->fails, &patch);
    snprintf(path, sizeof(path), REGISTRATIONS_PATH "/%s?fieldManager=capstan-certs",
             rotate->options.config_name);
    log_event(rotate->options.log, LOG_INFO, "registration.writing",
              LOG_TEXT("name", rotate->options.config_name),
              LOG_INTEGER("cas", (int64_t)rotate->cas.n_items));
    ask(rotate, KUBE_PATCH, path, &patch);
}

static void log_expiry(struct rotate *rotate) {
    if (rotate->served.id[0] == '\0') {
        return;
    }
    expiry_alarm_look(&rotate->leaf_expiry, rotate->options.log, "serving certificate",
                      rotate->served.not_before, rotate->served.not_after);
    if (rotate->served.issuer.pem != NULL) {
        expiry_alarm_look(&rotate->ca_expiry, rotate->options.log, "CA",
                          rotate->served.issuer.not_before, rotate->served.issuer.not_after);
    }
}

/* A new leader reads both objects first. The watches may not have brought the last writes of others
   yet, and no version of the caBundles refuses a write that is based on an old state. */
static void begin_to_lead(struct rotate *rotate, bool leads) {
    if (leads && !rotate->leads) {
        follow_restart(rotate->secret_follow);
        follow_restart(rotate->registration_follow);
    }
    rotate->leads = leads;
}

/* The view without what follow_restart() has made doubtful. */
static struct renewal_view trustworthy_view(const struct rotate *rotate) {
    struct renewal_view view = rotate->view;
    view.leads = rotate->leads && follow_is_fresh(rotate->secret_follow);
    if (!follow_is_fresh(rotate->registration_follow)) {
        view.webhook = RENEWAL_WEBHOOK_UNKNOWN;
    }
    return view;
}

int64_t rotate_step(struct rotate *rotate, int64_t now_ms) {
    struct renewal_order order;
    begin_to_lead(rotate, elect_leads(rotate->options.elect, now_ms));
    int64_t next_ms = follow_step(rotate->secret_follow, now_ms);
    next_ms = MIN(next_ms, follow_step(rotate->registration_follow, now_ms));
    log_expiry(rotate);
    if (rotate->is_writing || rotate->is_closing) {
        return next_ms;
    }
    bool fails_now = !rotate->fails && now_ms >= fail_closed_ms(rotate);
    rotate->fails = rotate->fails || fails_now;
    if (fails_now || now_ms >= rotate->look_ms) {
        look(rotate);
    }
    next_ms = MIN(next_ms, rotate->look_ms);
    if (!rotate->fails) {
        next_ms = MIN(next_ms, fail_closed_ms(rotate));
    }
    const struct renewal_view view = trustworthy_view(rotate);
    renewal_step(&rotate->renewal, &view, now_ms, clock_wall_seconds(), &order);
    if (order.verb == RENEWAL_WAIT) {
        return MIN(next_ms, order.at_ms);
    }
    rotate->writing = order.verb;
    if (order.verb == RENEWAL_WRITE) {
        write_secret(rotate, &order);
    } else {
        write_registration(rotate);
    }
    /* If rotate_make() has failed, the next step says until when to wait. */
    return rotate->is_writing ? next_ms : now_ms;
}

/* Another replica leads and does not write the caBundles: it is of a former version, and writes
   those of a configuration of another name. It ends when this replica is ready, not sooner. To be
   ready does no harm: without a caBundle nobody is called. */
static bool waits_in_vain(const struct rotate *rotate) {
    return !rotate->leads && rotate->blank_ms >= 0 &&
           clock_boot_ms() >= rotate->blank_ms + LEADER_PATIENCE_MS;
}

bool rotate_is_ready(const struct rotate *rotate) {
    return rotate->served.id[0] != '\0' &&
           (rotate->view.webhook == RENEWAL_WEBHOOK_ABSENT ||
            (rotate->view.webhook == RENEWAL_WEBHOOK_PRESENT &&
             (served_is_trusted(&rotate->served, &rotate->registration) || waits_in_vain(rotate))));
}

bool rotate_is_trusted_by(const struct rotate *rotate, const struct registration *registration) {
    return served_is_trusted(&rotate->served, registration);
}

void rotate_note_ready(struct rotate *rotate, int64_t now_ms) {
    rotate->ready_ms = now_ms;
}

void rotate_close(struct rotate *rotate) {
    rotate->is_closing = true;
}

bool rotate_is_idle(const struct rotate *rotate) {
    return !rotate->is_writing;
}
