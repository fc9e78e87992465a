// SPDX-License-Identifier: Apache-2.0
#include "sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "certificates/expiry_alarm.h"
#include "certificates/key_pair.h"
#include "complaint_log.h"
#include "document.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/metrics.h"
#include "gauges.h"
#include "objects.h"

enum { NAME_SIZE = 256, CONTENT_MAX = 64 << 20 };

struct source {
    struct file_watch *watch;
    bool is_expired;
    bool is_refused;
    uint64_t refused; /* hash of what was refused, and why */
    char problem[sizeof(((struct error *)0)->text)];
    uint64_t content; /* hash of what is in force; 0: not known */
    struct complaint complaint;
};

struct sources {
    const struct serve_options *options;
    struct facts *facts;
    struct admit *admit;
    struct log *log;
    struct metrics *metrics;
    struct http_server *server;
    char dns_name[NAME_SIZE];      /* of the Service, for the certificate; empty: there is none */
    struct key_pair pair;          /* `expires` is 0: there is none yet */
    const struct cluster *cluster; /* NULL: there is none */
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

void sources_set_cluster(struct sources *sources, const struct cluster *cluster) {
    sources->cluster = cluster;
}

void sources_why_unready(const struct sources *sources, struct buffer *out) {
    if (sources->pair.expires != 0) {
        int64_t wall_s =
            sources->cluster != NULL ? cluster_wall_s(sources->cluster) : clock_wall_seconds();
        key_pair_why_unready(&sources->pair, wall_s, out);
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
    expiry_alarm_look(&sources->expiry, sources->log, "serving certificate", sources->pair.begins,
                      sources->pair.expires);
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
                  LOG_TEXT("hint",
                           "an API server that calls it as a Service refuses it; issue it for "
                           "that name too"));
    }
    sources->pair = pair;
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
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        gauges_set(sources->metrics, sources->facts, (enum object_kind)kind);
    }
    gauges_set(sources->metrics, sources->facts, OBJECT_DEPLOYMENT);
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

/* A content that cannot be read is another one. */
static uint64_t hash_file(uint64_t hash, const char *path) {
    AUTO(buffer_fini) struct buffer content;
    struct error error;
    buffer_init_secret(&content, CONTENT_MAX); /* it may be a key */
    return file_read(path, &content, &error) ? hash_bytes(hash, content.bytes, content.size)
                                             : hash_text(hash, error.text);
}

static uint64_t hash_certificate(const struct serve_options *options) {
    AUTO_FREE char *place = file_resolve_volume(options->cert_path);
    AUTO_FREE char *chain = memory_format("%s/%s", place, options->cert_name);
    AUTO_FREE char *key = memory_format("%s/%s", place, options->cert_key);
    return hash_file(hash_file(HASH_EMPTY, chain), key);
}

static uint64_t hash_objects(const struct option_texts *paths) {
    uint64_t hash = HASH_EMPTY;
    for (size_t i = 0; i < paths->n_items; i++) {
        AUTO(file_list_fini) struct file_list list = {.paths = NULL};
        struct error error;
        if (!file_find(paths->items[i], &list, &error)) {
            return hash_text(hash, error.text);
        }
        for (size_t file = 0; file < list.n_paths; file++) {
            hash = hash_file(hash_text(hash, list.paths[file]), list.paths[file]);
        }
    }
    return hash;
}

/* The hash of the content that a load would read. The files beside it do not count: a folder of
   certificates may have others that change all the time. */
static uint64_t hash_content(const struct sources *sources, enum source_kind kind) {
    const struct serve_options *options = sources->options;
    switch (kind) {
    case SOURCE_POLICY:
        return options->config == NULL ? 0 : hash_file(HASH_EMPTY, options->config);
    case SOURCE_CERTIFICATE:
        return options->cert_path == NULL ? 0 : hash_certificate(options);
    default:
        return hash_objects(&options->objects);
    }
}

bool sources_load(struct sources *sources, enum source_kind kind, struct error *error) {
    uint64_t content = hash_content(sources, kind);
    if (!kinds[kind].load(sources, error)) {
        return false;
    }
    sources->items[kind].content = content;
    return true;
}

/* Another content that is refused for another reason is news: somebody edits the file. */
static void refuse(struct sources *sources, enum source_kind kind, uint64_t content,
                   const struct error *error) {
    struct source *source = &sources->items[kind];
    bool is_another = !source->is_refused || strcmp(source->problem, error->text) != 0;
    if (is_another && content != source->refused) {
        source->complaint = (struct complaint){.is_open = false};
    }
    if (is_another) {
        metrics_add(sources->metrics, kinds[kind].refused, 1);
    }
    source->is_refused = true;
    source->refused = content;
    (void)text_copy(source->problem, sizeof(source->problem), error->text);
    int64_t times = complaint_raise(&source->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(sources->log, LOG_ERROR, "source.refused", LOG_TEXT("source", kinds[kind].name),
                  LOG_TEXT("problem", error->text), LOG_INTEGER("times", times),
                  LOG_TEXT("consequence", "the last good one stays in force"),
                  LOG_TEXT("hint", "mend it at its place; it is read again when it changes, and "
                                   "every 10 s"));
    }
}

/* Reads the content first, so that a later change is seen as one. Without a change it reads and
   says nothing, unless somebody has sent SIGHUP, who wants an answer. */
static bool reload(struct sources *sources, enum source_kind kind) {
    struct source *source = &sources->items[kind];
    struct error error;
    uint64_t content = hash_content(sources, kind);
    bool is_same = content == source->content && !source->is_refused;
    if (is_same && !source->is_expired) {
        return false;
    }
    if (!kinds[kind].load(sources, &error)) {
        refuse(sources, kind, content, &error);
        return false;
    }
    source->content = content;
    source->is_refused = false;
    source->complaint = (struct complaint){.is_open = false};
    metrics_add(sources->metrics, kinds[kind].ok, 1);
    log_event(sources->log, LOG_INFO, "source.reloaded", LOG_TEXT("source", kinds[kind].name),
              LOG_TEXT("content", is_same ? "the same as before" : "new"));
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
    if (sources->pair.expires != 0) {
        look_at_expiry(sources);
    }
    for (int kind = 0; kind < SOURCE_COUNT; kind++) {
        struct source *source = &sources->items[kind];
        if (file_watch_changed(source->watch) || source->is_expired || source->is_refused) {
            is_new = reload(sources, (enum source_kind)kind) || is_new;
            source->is_expired = false;
        }
    }
    return is_new;
}
