// SPDX-License-Identifier: Apache-2.0
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "base/text.h"
#include "chance.h"
#include "complaint_log.h"
#include "core/cluster/backoff.h"
#include "edge/clock.h"

#define GROUP_PATH "/apis/" TOOLHIVE_GROUP
#define DEFINITION_PATH                                                                            \
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/mcpservers." TOOLHIVE_GROUP

enum {
    /* For a moment after its start, an API server answers 404 to what a CRD defines. So three
       absences are not believed: discovery asks again after 1, 2 and 4 s. Later it asks again since
       a CRD may come at any time, ... */
    ABSENT_BASE_MS = 1000,
    ABSENT_CAP_MS = 30000,
    ABSENT_BELIEVED = 4,
    SERVED_INTERVAL_MS = 600000, /* ... and may change */
    DOUBT_INTERVAL_MS = 2000,
    TIMEOUT_MS = 10000,
    ANSWER_MAX = 16 << 20,
    BACKOFF_BASE_MS = 800,
    BACKOFF_CAP_MS = 30000,
};

enum { GROUP_VERSION_SIZE = sizeof(TOOLHIVE_GROUP "/") + DISCOVERY_VERSION_SIZE };

/* A kind as discovery knows it. */
struct served {
    enum api_state state;
    char version[DISCOVERY_VERSION_SIZE];
    char group_version[GROUP_VERSION_SIZE];
    unsigned epoch;
    struct backoff absences; /* in a row */
};

struct api {
    struct kube *kube;
    struct log *log;
    struct metrics *metrics;
    struct served served[OBJECT_KIND_COUNT]; /* of the family, and Deployments */
    bool has_condition_map;
    /* Discovery asks in turn for the group, for the resources of its versions, and, if that is due,
       for the CRD of MCPServers. */
    bool is_asking;
    int64_t asked_ms;
    int64_t next_ms;
    int64_t definition_ms; /* when to ask for the CRD at the latest */
    struct discovery discovery;
    bool was_skipped;    /* a version of the group could not be read, ... */
    struct error denied; /* ... since Capstan may not read it, if there is a text */
    struct backoff backoff;
    bool is_failing;                                 /* the last time */
    char problem[sizeof(((struct error *)0)->text)]; /* of the last failure */
    struct complaint complaint;
};

static void set_version(struct served *served, const char *group, const char *version) {
    served->epoch++;
    text_copy(served->version, sizeof(served->version), version);
    snprintf(served->group_version, sizeof(served->group_version), "%s/%s", group, version);
}

struct api *api_new(struct kube *kube, struct log *log, struct metrics *metrics) {
    struct api *api = memory_new(1, sizeof(*api));
    api->kube = kube;
    api->log = log;
    api->metrics = metrics;
    api->asked_ms = INT64_MIN / 2;
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        api->served[kind].absences =
            (struct backoff){.base_ms = ABSENT_BASE_MS, .cap_ms = ABSENT_CAP_MS};
    }
    /* Each API server has them in this version. */
    api->served[OBJECT_DEPLOYMENT].state = API_SERVED;
    set_version(&api->served[OBJECT_DEPLOYMENT], kind_rows[OBJECT_DEPLOYMENT].group, "v1");
    api->backoff = (struct backoff){.base_ms = BACKOFF_BASE_MS, .cap_ms = BACKOFF_CAP_MS};
    return api;
}

void api_free(struct api *api) {
    free(api);
}

static void ask_again_in(struct api *api, int64_t delay_ms) {
    api->is_asking = false;
    api->next_ms = clock_boot_ms() + delay_ms;
}

static void succeed(struct api *api, int64_t delay_ms) {
    backoff_reset(&api->backoff);
    complaint_settle(&api->complaint);
    api->is_failing = false;
    ask_again_in(api, delay_ms);
}

/* True if the group has any kind of the family now. */
static bool has_any(const struct api *api) {
    bool has = false;
    for (int kind = OBJECT_FAMILY_FIRST; kind <= OBJECT_FAMILY_LAST; kind++) {
        has = has || discovery_version(&api->discovery, (enum object_kind)kind)[0] != '\0';
    }
    return has;
}

/* Older versions of ToolHive lack some kinds, and so a missing CRD is no fault. But a cluster
   without MCPServers has hardly ever been meant to get Capstan. */
static const char *hint_of(const struct api *api, enum object_kind kind) {
    if (api->served[kind].state == API_SERVED) {
        return "";
    }
    if (kind != OBJECT_MCPSERVER) {
        return "Capstan takes this kind up within 30 s after its CRD is installed";
    }
    return has_any(api) ? "Capstan knows no MCPServers before their CRD is there; install it"
                        : "Capstan has nothing to do before ToolHive's CRDs are there; install "
                          "them";
}

static void log_discovered(const struct api *api, enum object_kind kind) {
    const struct served *served = &api->served[kind];
    char resource[API_PATH_SIZE];
    bool is_served = served->state == API_SERVED;
    bool is_alarm = !is_served && kind == OBJECT_MCPSERVER;
    const char *writes = api->has_condition_map ? "apply" : "replace";
    snprintf(resource, sizeof(resource), "%s.%s", kind_rows[kind].plural, kind_rows[kind].group);
    log_event(api->log, is_alarm ? LOG_WARN : LOG_INFO, "api.discovered",
              LOG_TEXT("resource", resource),
              LOG_TEXT("version", is_served ? served->version : "none"),
              LOG_TEXT("statusWrites", kind_has(kind, KIND_HAS_CONDITIONS) ? writes : "none"),
              LOG_TEXT("hint", hint_of(api, kind)));
}

/* The version is "" if the kind is absent. */
static void settle(struct api *api, enum object_kind kind, const char *version,
                   bool has_condition_map) {
    struct served *served = &api->served[kind];
    enum api_state state = version[0] != '\0' ? API_SERVED : API_ABSENT;
    bool is_new = state != served->state || strcmp(version, served->version) != 0;
    bool is_map_new =
        kind_has(kind, KIND_HAS_CONDITIONS) && has_condition_map != api->has_condition_map;
    served->state = state;
    if (is_new) {
        set_version(served, kind_rows[kind].group, version);
    }
    if (is_map_new) {
        api->has_condition_map = has_condition_map;
    }
    if (is_new || is_map_new) {
        log_discovered(api, kind);
    }
}

/* Returns after which time to ask again. While another kind is there, the API server knows its
   CRDs, and the absence of an optional kind at the start is believed at once: it must not delay
   readiness. */
static int64_t note_absence(struct api *api, enum object_kind kind) {
    struct served *served = &api->served[kind];
    int64_t delay_ms = backoff_next(&served->absences, 0);
    bool is_plain = kind != OBJECT_MCPSERVER && served->state == API_UNKNOWN && has_any(api) &&
                    !api->was_skipped;
    if (is_plain || served->absences.n_failures >= ABSENT_BELIEVED) {
        settle(api, kind, "", false);
    }
    return delay_ms;
}

/* State and version stay as they were. */
static void fail(struct api *api, const struct error *error) {
    metrics_add(api->metrics, METRIC_DISCOVERY_ERRORS, 1);
    int64_t times = complaint_raise(&api->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(api->log, LOG_WARN, "api.failed", LOG_TEXT("problem", error->text),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint",
                           "Capstan learns nothing new about ToolHive's kinds; see whether the API "
                           "server answers, and whom it takes Capstan for"));
    }
    (void)text_copy(api->problem, sizeof(api->problem), error->text);
    api->is_failing = true;
    ask_again_in(api, backoff_next(&api->backoff, chance_draw()));
}

/* Every version has been asked about. A kind that may be in a version that Capstan may not read
   stays as it was. */
static void conclude(struct api *api, bool has_condition_map) {
    int64_t delay_ms = SERVED_INTERVAL_MS;
    bool is_denied = false;
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_FAMILY_LAST; i++) {
        enum object_kind kind = (enum object_kind)i;
        const char *version = discovery_version(&api->discovery, kind);
        if (version[0] != '\0') {
            backoff_reset(&api->served[kind].absences);
            settle(api, kind, version, has_condition_map);
        } else if (api->denied.text[0] != '\0') {
            is_denied = true;
        } else {
            delay_ms = MIN(delay_ms, note_absence(api, kind));
        }
    }
    if (is_denied) {
        fail(api, &api->denied);
    } else {
        succeed(api, delay_ms);
    }
}

static void on_definition(void *context, const struct kube_answer *answer) {
    struct api *api = context;
    struct error error = answer->error;
    bool is_map = false;
    const char *version = discovery_version(&api->discovery, OBJECT_MCPSERVER);
    bool is_known = answer->is_good && discovery_read_definition(answer->body, answer->body_size,
                                                                 version, &is_map, &error);
    /* Without the right to read the CRD, is_map stays false: replacing the status always works. */
    if (is_known || answer->status == HTTP_STATUS_FORBIDDEN ||
        answer->status == HTTP_STATUS_NOT_FOUND) {
        api->definition_ms = clock_boot_ms() + SERVED_INTERVAL_MS;
        conclude(api, is_map);
    } else {
        fail(api, &error);
    }
}

static void ask(struct api *api, const char *path, kube_done *done) {
    const struct kube_request request = {
        .verb = KUBE_GET,
        .path = path,
        .timeout_ms = TIMEOUT_MS,
        .answer_max = ANSWER_MAX,
        .done = done,
        .context = api,
    };
    kube_begin(api->kube, &request);
}

/* The CRD is large, and a kind that is missing lets Capstan look every 30 s. */
static bool is_definition_due(const struct api *api) {
    const char *version = discovery_version(&api->discovery, OBJECT_MCPSERVER);
    return version[0] != '\0' && (strcmp(version, api->served[OBJECT_MCPSERVER].version) != 0 ||
                                  clock_boot_ms() >= api->definition_ms);
}

static void on_resources(void *context, const struct kube_answer *answer);

static void ask_next(struct api *api) {
    const char *version = discovery_next(&api->discovery);
    char path[API_PATH_SIZE];
    if (version != NULL) {
        snprintf(path, sizeof(path), GROUP_PATH "/%s", version);
        ask(api, path, on_resources);
    } else if (is_definition_due(api)) {
        ask(api, DEFINITION_PATH, on_definition);
    } else {
        bool is_there = discovery_version(&api->discovery, OBJECT_MCPSERVER)[0] != '\0';
        conclude(api, is_there && api->has_condition_map);
    }
}

/* The group may have the version without some kinds in it, since each CRD has its own versions. */
static void on_resources(void *context, const struct kube_answer *answer) {
    struct api *api = context;
    struct error error = answer->error;
    bool is_read = answer->is_good && discovery_read_resources(&api->discovery, answer->body,
                                                               answer->body_size, &error);
    bool is_forbidden = answer->status == HTTP_STATUS_FORBIDDEN;
    if (is_read) {
        ask_next(api);
    } else if (is_forbidden || answer->status == HTTP_STATUS_NOT_FOUND) {
        api->was_skipped = true;
        api->denied = is_forbidden ? error : api->denied;
        discovery_skip(&api->discovery);
        ask_next(api);
    } else {
        fail(api, &error);
    }
}

static void on_group(void *context, const struct kube_answer *answer) {
    struct api *api = context;
    struct error error = answer->error;
    bool is_served = answer->is_good &&
                     discovery_read_group(answer->body, answer->body_size, &api->discovery, &error);
    if (is_served) {
        ask_next(api);
    } else if (answer->status == HTTP_STATUS_NOT_FOUND ||
               (answer->is_good && error.kind == ERROR_NOT_FOUND)) {
        conclude(api, false);
    } else {
        fail(api, &error);
    }
}

int64_t api_step(struct api *api, int64_t now_ms) {
    complaint_log_over(&api->complaint, api->log, "api.recovered", TOOLHIVE_GROUP, now_ms);
    if (!api->is_asking && now_ms >= api->next_ms) {
        api->is_asking = true;
        api->asked_ms = now_ms;
        api->discovery = (struct discovery){.n_versions = 0};
        api->was_skipped = false;
        api->denied.text[0] = '\0';
        ask(api, GROUP_PATH, on_group);
    }
    return api->is_asking ? INT64_MAX : api->next_ms;
}

const char *api_problem(const struct api *api) {
    return api->is_failing ? api->problem : "";
}

struct kube *api_kube(const struct api *api) {
    return api->kube;
}

enum api_state api_state(const struct api *api, enum object_kind kind) {
    return api->served[kind].state;
}

unsigned api_epoch(const struct api *api, enum object_kind kind) {
    return api->served[kind].epoch;
}

const char *api_group_version(const struct api *api, enum object_kind kind) {
    return api->served[kind].group_version;
}

bool api_has_condition_map(const struct api *api) {
    return api->has_condition_map;
}

void api_doubt(struct api *api, enum object_kind kind) {
    if (kind_has(kind, KIND_HAS_CONDITIONS)) {
        api->definition_ms = INT64_MIN;
    }
    int64_t soonest_ms = api->asked_ms + DOUBT_INTERVAL_MS;
    /* While the API server does not answer, a doubt must not shorten the back-off. */
    if (!api->is_asking && !api->is_failing && api->next_ms > soonest_ms) {
        api->next_ms = soonest_ms;
    }
}

void api_list_path(const struct api *api, enum object_kind kind, const char *namespace,
                   char ret_path[API_PATH_SIZE]) {
    bool is_one = namespace != NULL;
    snprintf(ret_path, API_PATH_SIZE, "/apis/%s%s%s/%s", api_group_version(api, kind),
             is_one ? "/namespaces/" : "", is_one ? namespace : "", kind_rows[kind].plural);
}

void api_object_path(const struct api *api, enum object_kind kind, const char *namespace,
                     const char *name, const char *suffix, char ret_path[API_PATH_SIZE]) {
    snprintf(ret_path, API_PATH_SIZE, "/apis/%s/namespaces/%s/%s/%s%s",
             api_group_version(api, kind), namespace, kind_rows[kind].plural, name, suffix);
}
