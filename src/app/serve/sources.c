// SPDX-License-Identifier: Apache-2.0
#include "sources.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "certificates/expiry_alarm.h"
#include "certificates/key_pair.h"
#include "core/cluster/complaint.h"
#include "document.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "objects.h"

enum { NAME_SIZE = 256 };

struct source {
    struct file_watch *watch;
    bool is_expired;
    struct complaint complaint;
};

struct sources {
    const struct serve_options *options;
    struct facts *facts;
    struct admit *admit;
    struct log *log;
    struct metrics *metrics;
    struct http_server *server;
    char dns_name[NAME_SIZE]; /* of the Service, for the certificate; empty: there is none */
    int64_t begins;           /* of the certificate */
    int64_t expires;          /* of the certificate; 0: there is none yet */
    struct expiry expiry;
    size_t n_other_objects;
    struct source items[SOURCE_COUNT];
};

struct sources *sources_new(const struct serve_options *options, struct facts *facts,
                            struct admit *admit, struct log *log, struct metrics *metrics) {
    struct sources *sources = memory_new(1, sizeof(*sources));
    sources->options = options;
    sources->facts = facts;
    sources->admit = admit;
    sources->log = log;
    sources->metrics = metrics;
    for (int kind = 0; kind < SOURCE_COUNT; kind++) {
        sources->items[kind].watch = file_watch_new();
    }
    if (options->config != NULL) {
        file_watch_add(sources->items[SOURCE_POLICY].watch, options->config);
    }
    if (options->cert_path != NULL) {
        file_watch_add(sources->items[SOURCE_CERTIFICATE].watch, options->cert_path);
    }
    for (size_t i = 0; i < options->objects.n_items; i++) {
        file_watch_add(sources->items[SOURCE_OBJECTS].watch, options->objects.items[i]);
    }
    return sources;
}

void sources_free(struct sources *sources) {
    if (sources == NULL) {
        return;
    }
    for (int kind = 0; kind < SOURCE_COUNT; kind++) {
        file_watch_free(sources->items[kind].watch);
    }
    free(sources);
}

void sources_set_server(struct sources *sources, struct http_server *server,
                        const char *namespace) {
    sources->server = server;
    if (namespace != NULL) {
        snprintf(sources->dns_name, sizeof(sources->dns_name), "%s.%s.svc",
                 sources->options->service_name, namespace);
    }
}

static bool load_policy(struct sources *sources, struct error *error) {
    const char *path = sources->options->config;
    struct policy *policy;
    if (path == NULL) {
        return true;
    }
    if (!document_read_policy(path, &policy, error)) {
        return false;
    }
    const char *caution = policy_caution(policy);
    if (caution != NULL) {
        log_event(sources->log, LOG_WARN, "policy.caution", LOG_TEXT("file", path),
                  LOG_TEXT("caution", caution));
    }
    admit_set_policy(sources->admit, policy);
    return true;
}

static void look_at_expiry(struct sources *sources) {
    expiry_alarm_look(&sources->expiry, sources->log, "serving certificate", sources->begins,
                      sources->expires);
}

static bool load_certificate(struct sources *sources, struct error *error) {
    const struct serve_options *options = sources->options;
    struct key_pair pair = {.dns_name = sources->dns_name[0] != '\0' ? sources->dns_name : NULL};
    if (options->cert_path == NULL) {
        return true; /* Capstan makes its own */
    }
    if (!key_pair_load(options->cert_path, options->cert_name, options->cert_key, sources->server,
                       &pair, error)) {
        return false;
    }
    if (!pair.has_name) {
        log_event(sources->log, LOG_WARN, "certificate.caution",
                  LOG_TEXT("folder", options->cert_path), LOG_TEXT("missing", pair.dns_name),
                  LOG_TEXT("hint", "an API server that calls it as a Service refuses it"));
    }
    sources->begins = pair.begins;
    sources->expires = pair.expires;
    look_at_expiry(sources);
    metrics_set(sources->metrics, METRIC_CERTIFICATE_EXPIRATION, pair.expires);
    return true;
}

static bool load_objects(struct sources *sources, struct error *error) {
    const struct option_texts *paths = &sources->options->objects;
    size_t n_others;
    if (paths->n_items == 0) {
        return true; /* the facts come from a cluster */
    }
    if (!objects_load(paths, sources->facts, sources->log, &n_others, error)) {
        return false;
    }
    sources->n_other_objects = n_others;
    metrics_set(sources->metrics, METRIC_MCPSERVERS,
                (int64_t)facts_count(sources->facts, OBJECT_MCPSERVER));
    metrics_set(sources->metrics, METRIC_DEPLOYMENTS,
                (int64_t)facts_count(sources->facts, OBJECT_DEPLOYMENT));
    return true;
}

static const struct {
    const char *name;
    bool (*load)(struct sources *sources, struct error *error);
    enum metric ok;
    enum metric refused;
} kinds[SOURCE_COUNT] = {
    [SOURCE_POLICY] = {"policy", load_policy, METRIC_CONFIG_RELOADS_OK,
                       METRIC_CONFIG_RELOADS_REFUSED},
    [SOURCE_CERTIFICATE] = {"certificate", load_certificate, METRIC_CERTIFICATE_RELOADS_OK,
                            METRIC_CERTIFICATE_RELOADS_REFUSED},
    [SOURCE_OBJECTS] = {"objects", load_objects, METRIC_OBJECTS_RELOADS_OK,
                        METRIC_OBJECTS_RELOADS_REFUSED},
};

bool sources_load(struct sources *sources, enum source_kind kind, struct error *error) {
    return kinds[kind].load(sources, error);
}

static void refuse(struct sources *sources, enum source_kind kind, const struct error *error) {
    struct complaint *complaint = &sources->items[kind].complaint;
    if (complaint_raise(complaint, COMPLAINT_ONCE, error->text, clock_boot_ms()) > 0) {
        metrics_add(sources->metrics, kinds[kind].refused, 1);
        log_event(sources->log, LOG_ERROR, "source.refused", LOG_TEXT("source", kinds[kind].name),
                  LOG_TEXT("problem", error->text),
                  LOG_TEXT("consequence", "the last good one stays in force"));
    }
}

static bool reload(struct sources *sources, enum source_kind kind) {
    struct error error;
    if (!sources_load(sources, kind, &error)) {
        refuse(sources, kind, &error);
        return false;
    }
    complaint_settle(&sources->items[kind].complaint);
    metrics_add(sources->metrics, kinds[kind].ok, 1);
    log_event(sources->log, LOG_INFO, "source.reloaded", LOG_TEXT("source", kinds[kind].name));
    return true;
}

void sources_expire(struct sources *sources) {
    const struct serve_options *options = sources->options;
    sources->items[SOURCE_POLICY].is_expired = options->config != NULL;
    sources->items[SOURCE_CERTIFICATE].is_expired = options->cert_path != NULL;
    sources->items[SOURCE_OBJECTS].is_expired = options->objects.n_items > 0;
}

size_t sources_count_other_objects(const struct sources *sources) {
    return sources->n_other_objects;
}

int sources_descriptor(const struct sources *sources, enum source_kind kind) {
    return file_watch_descriptor(sources->items[kind].watch);
}

bool sources_refresh(struct sources *sources) {
    bool is_new = false;
    if (sources->expires != 0) {
        look_at_expiry(sources);
    }
    for (int kind = 0; kind < SOURCE_COUNT; kind++) {
        struct source *source = &sources->items[kind];
        if (file_watch_changed(source->watch) || source->is_expired ||
            source->complaint.is_failing) {
            source->is_expired = false;
            is_new = reload(sources, (enum source_kind)kind) || is_new;
        }
    }
    return is_new;
}
