// SPDX-License-Identifier: Apache-2.0
#include "rotate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/http_status.h"
#include "base/memory.h"
#include "chance.h"
#include "cluster/follow.h"
#include "complaint_log.h"
#include "edge/clock.h"
#include "expiry_alarm.h"
#include "rotate_clock.h"
#include "rotate_log.h"
#include "rotate_make.h"
#include "rotate_ready.h"
#include "rotate_view.h"
#include "rotate_written.h"
#include "served.h"
#include "service_names.h"

enum {
    PATH_SIZE = 640,
    BODY_MAX = 1 << 20,
    LOOK_AGAIN_MS = 1000, /* while the Secret has a leaf that is not served yet */
    RACES_MAX = 3,        /* in a row; then the log says so */
    /* The probes need time to find this replica ready, and the Service to lead to it. */
    FAIL_CLOSED_AFTER_MS = 30000,
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
    struct rotate_ready ready;
    struct rotate_clock clock;
    int64_t begins_s; /* the latest begin of a certificate, for the second opinion */
    struct expiry leaf_expiry;
    struct expiry ca_expiry;

    bool is_writing;
    bool is_closing;
    struct rotate_written written; /* the request under way */
    unsigned n_races;              /* requests in a row that came too late */
    int64_t look_ms;               /* when to look without news; INT64_MAX: never */
    int64_t ready_ms;              /* -1: not yet */
    bool fails;                    /* the failurePolicy should be Fail */
    struct complaint complaint;
    struct complaint contest;
};

void rotate_set_server(struct rotate *rotate, struct http_server *server) {
    rotate->server = server;
}

static void log_failure(struct rotate *rotate, const char *problem) {
    int64_t times = complaint_raise(&rotate->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(rotate->options.log, LOG_WARN, "certificate.failed", LOG_TEXT("problem", problem),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint", "Capstan tries again; see to its rights to the Secret "
                                   "" KEYRING_SECRET_NAME " and to its webhook configuration, and "
                                   "to what is in them"));
    }
}

/* By the API server's clock, if it is known: the API server verifies what is served. */
static int64_t now_s(const struct rotate *rotate, int64_t now_ms) {
    return kube_wall_s(rotate->options.kube, now_ms);
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
        .wall_s = now_s(rotate, now_ms),
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
    rotate_view_trust(&rotate->registration, &rotate->cas, now_s(rotate, now_ms), &rotate->view);
    rotate->begins_s = rotate_view_latest_begin(&rotate->registration, &rotate->cas, &rotate->view);
    renewal_note(&rotate->renewal, &rotate->view, now_ms);
    serve_leaf(rotate);
    rotate_ready_look(&rotate->ready, &rotate->served, &rotate->registration, now_ms);
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

static void on_registration(void *context, const char *json, size_t size) {
    struct rotate *rotate = context;
    struct registration registration = {.n_entries = 0};
    struct error error;
    renewal_news(&rotate->renewal, RENEWAL_TRUST);
    if (json != NULL && !registration_read(json, size, &registration, &error)) {
        log_failure(rotate, error.text);
        return;
    }
    size_t n_foreign = registration_keep_service(&registration, rotate->options.namespace,
                                                 rotate->options.service_name);
    if (n_foreign > 0 && n_foreign != rotate->n_foreign) {
        rotate_log_foreign(&rotate->options, n_foreign);
    }
    rotate->n_foreign = n_foreign;
    bool is_absent = json == NULL || registration.n_entries == 0;
    if (is_absent && rotate->view.webhook != RENEWAL_WEBHOOK_ABSENT) {
        rotate_log_absent(&rotate->options);
    }
    registration_fini(&rotate->registration);
    rotate->registration = registration;
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
    rotate_written_fini(&rotate->written);
    free(rotate);
}

/* After a good answer: says that somebody undoes what the leader writes. */
static void note_contest(struct rotate *rotate, bool was_contested, int64_t now_ms) {
    if (renewal_is_contested(&rotate->renewal, now_ms) && !rotate->written.is_secret) {
        rotate_log_contest(&rotate->options, &rotate->contest, rotate->keyring.uid, !was_contested,
                           now_ms);
    }
}

/* NULL if the object is as written. */
static const char *problem_of(struct rotate *rotate, const struct kube_answer *answer) {
    return answer->is_good
               ? rotate_written_problem(&rotate->written, rotate->options.config_name, answer)
               : answer->error.text;
}

static void on_answer(void *context, const struct kube_answer *answer) {
    struct rotate *rotate = context;
    bool is_secret = rotate->written.is_secret;
    int64_t now_ms = clock_boot_ms();
    const char *problem = problem_of(rotate, answer);
    rotate->is_writing = false;
    /* A faster writer has written the same, or something that has to be read first. */
    bool is_race = answer->status == HTTP_STATUS_CONFLICT ||
                   (answer->status == HTTP_STATUS_UNPROCESSABLE && !is_secret);
    rotate->n_races = is_race ? rotate->n_races + 1 : 0;
    if (problem == NULL) {
        complaint_settle(&rotate->complaint);
    } else if (!is_race || rotate->n_races >= RACES_MAX) {
        log_failure(rotate, problem);
    }
    bool was_contested = renewal_is_contested(&rotate->renewal, now_ms);
    bool is_latest = problem == NULL && !renewal_is_overtaken(&rotate->renewal);
    renewal_answer(&rotate->renewal, now_ms, chance_draw(), problem == NULL);
    if (problem == NULL) {
        rotate_log_written(&rotate->options, &rotate->written);
        note_contest(rotate, was_contested, now_ms);
    }
    rotate_written_fini(&rotate->written);
    if (is_latest) {
        (is_secret ? on_secret : on_registration)(rotate, answer->body, answer->body_size);
    }
}

static void ask(struct rotate *rotate, enum kube_verb verb, const char *path,
                const struct buffer *body) {
    const struct ask ask = {
        .kube = rotate->options.kube,
        .elect = rotate->options.elect,
        .verb = verb,
        .path = path,
        .body = body,
        .done = on_answer,
        .context = rotate,
    };
    rotate->is_writing = true;
    ask_begin(&ask);
}

static void write_secret(struct rotate *rotate, const struct renewal_order *order) {
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
    rotate_written_note_secret(&rotate->written, &made, order->phase);
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
    rotate_written_note_registration(&rotate->written, &rotate->registration, buffer_text(&wanted),
                                     rotate->fails);
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

static void judge_clock(struct rotate *rotate, int64_t now_ms) {
    struct second_opinion_view view = {
        .wall_s = clock_wall_seconds(),
        .begins_s = rotate->begins_s,
    };
    view.has_date = kube_server_wall_s(rotate->options.kube, now_ms, &view.date_s);
    rotate_clock_step(&rotate->clock, rotate->options.log, &view, now_ms);
    rotate->view.is_clock_disputed = rotate->clock.verdict != SECOND_OPINION_AGREES;
}

/* A leader whose clock is wrong does all else as well as any other, since conditions get the API
   server's time. But if a certificate is due, it lets another replica lead. */
static void yield_if_held_up(struct rotate *rotate, const struct renewal_view *view,
                             int64_t now_ms) {
    if (view->leads && rotate->clock.verdict == SECOND_OPINION_DATE &&
        renewal_is_held_up(&rotate->renewal, view, now_ms, now_s(rotate, now_ms))) {
        elect_yield(rotate->options.elect, now_ms);
    }
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

static void log_over(struct rotate *rotate, int64_t now_ms) {
    struct log *log = rotate->options.log;
    complaint_log_over(&rotate->complaint, log, "certificate.recovered", KEYRING_SECRET_NAME,
                       now_ms);
    if (!renewal_is_contested(&rotate->renewal, now_ms)) {
        complaint_settle(&rotate->contest);
    }
    complaint_log_over(&rotate->contest, log, "registration.settled", rotate->options.config_name,
                       now_ms);
}

int64_t rotate_step(struct rotate *rotate, int64_t now_ms) {
    struct renewal_order order;
    begin_to_lead(rotate, elect_leads(rotate->options.elect, now_ms));
    int64_t next_ms = follow_step(rotate->secret_follow, now_ms);
    next_ms = MIN(next_ms, follow_step(rotate->registration_follow, now_ms));
    log_over(rotate, now_ms);
    log_expiry(rotate);
    judge_clock(rotate, now_ms);
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
    yield_if_held_up(rotate, &view, now_ms);
    renewal_step(&rotate->renewal, &view, now_ms, clock_wall_seconds(), &order);
    if (order.verb == RENEWAL_WAIT) {
        return MIN(next_ms, order.at_ms);
    }
    if (order.verb == RENEWAL_WRITE) {
        write_secret(rotate, &order);
    } else {
        write_registration(rotate);
    }
    /* If rotate_make() has failed, the next step says until when to wait. */
    return rotate->is_writing ? next_ms : now_ms;
}

void rotate_why_unready(const struct rotate *rotate, int64_t now_ms, struct buffer *out) {
    const struct rotate_ready_view view = {
        .served = &rotate->served,
        .registration = &rotate->registration,
        .secret = rotate->view.secret,
        .webhook = rotate->view.webhook,
        .config_name = rotate->options.config_name,
        .leads = rotate->leads,
        .leader = elect_holder(rotate->options.elect),
        .wall_s = now_s(rotate, now_ms),
        .now_ms = now_ms,
    };
    rotate_ready_explain(&rotate->ready, &view, out);
}

bool rotate_is_ready(const struct rotate *rotate) {
    AUTO(buffer_fini) struct buffer reasons;
    buffer_init(&reasons, BODY_MAX);
    rotate_why_unready(rotate, clock_boot_ms(), &reasons);
    return reasons.size == 0;
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
