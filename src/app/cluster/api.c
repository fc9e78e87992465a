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

struct api {
    struct kube *kube;
    struct log *log;
    struct metrics *metrics;
    enum api_state state;
    char version[DISCOVERY_VERSION_SIZE];
    char group_version[sizeof(TOOLHIVE_GROUP "/") + DISCOVERY_VERSION_SIZE];
    bool has_condition_map;
    unsigned epoch;
    /* Discovery asks three questions in turn: for the group, its resources, and the CRD. */
    bool is_asking;
    int64_t asked_ms;
    int64_t next_ms;
    char found[DISCOVERY_VERSION_SIZE]; /* the version that is being asked about */
    struct backoff absences;            /* in a row */
    struct backoff backoff;
    bool is_failing;                                 /* the last time */
    char problem[sizeof(((struct error *)0)->text)]; /* of the last failure */
    struct complaint complaint;
};

struct api *api_new(struct kube *kube, struct log *log, struct metrics *metrics) {
    struct api *api = memory_new(1, sizeof(*api));
    api->kube = kube;
    api->log = log;
    api->metrics = metrics;
    api->asked_ms = INT64_MIN / 2;
    api->absences = (struct backoff){.base_ms = ABSENT_BASE_MS, .cap_ms = ABSENT_CAP_MS};
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

static void settle(struct api *api, enum api_state state, bool has_condition_map) {
    bool is_new = state != api->state || strcmp(api->found, api->version) != 0;
    if (is_new || has_condition_map != api->has_condition_map) {
        log_event(api->log, state == API_SERVED ? LOG_INFO : LOG_WARN, "api.discovered",
                  LOG_TEXT("resource", "mcpservers." TOOLHIVE_GROUP),
                  LOG_TEXT("version", state == API_SERVED ? api->found : "none"),
                  LOG_TEXT("statusWrites", has_condition_map ? "apply" : "replace"),
                  LOG_TEXT("hint", state == API_SERVED
                                       ? ""
                                       : "Capstan has nothing to do before ToolHive's CRDs are "
                                         "there; install them"));
    }
    if (is_new) {
        api->epoch++;
        text_copy(api->version, sizeof(api->version), api->found);
        snprintf(api->group_version, sizeof(api->group_version), TOOLHIVE_GROUP "/%s",
                 api->version);
    }
    api->state = state;
    api->has_condition_map = has_condition_map;
}

static void note_absence(struct api *api) {
    int64_t delay_ms = backoff_next(&api->absences, 0);
    if (api->absences.n_failures >= ABSENT_BELIEVED) {
        api->found[0] = '\0';
        settle(api, API_ABSENT, false);
    }
    succeed(api, delay_ms);
}

/* State and version stay as they were. */
static void fail(struct api *api, const struct error *error) {
    metrics_add(api->metrics, METRIC_DISCOVERY_ERRORS, 1);
    int64_t times = complaint_raise(&api->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(api->log, LOG_WARN, "api.failed", LOG_TEXT("problem", error->text),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint",
                           "Capstan learns nothing new about MCPServers; see whether the API "
                           "server answers, and whom it takes Capstan for"));
    }
    (void)text_copy(api->problem, sizeof(api->problem), error->text);
    api->is_failing = true;
    ask_again_in(api, backoff_next(&api->backoff, chance_draw()));
}

static void on_definition(void *context, const struct kube_answer *answer) {
    struct api *api = context;
    struct error error = answer->error;
    bool is_map = false;
    bool is_known = answer->is_good && discovery_read_definition(answer->body, answer->body_size,
                                                                 api->found, &is_map, &error);
    /* Without the right to read the CRD, is_map stays false: replacing the status always works. */
    if (is_known || answer->status == HTTP_STATUS_FORBIDDEN ||
        answer->status == HTTP_STATUS_NOT_FOUND) {
        settle(api, API_SERVED, is_map);
        backoff_reset(&api->absences);
        succeed(api, SERVED_INTERVAL_MS);
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

static void on_resources(void *context, const struct kube_answer *answer);

static void ask_resources(struct api *api) {
    char path[API_PATH_SIZE];
    snprintf(path, sizeof(path), GROUP_PATH "/%s", api->found);
    ask(api, path, on_resources);
}

/* The group may have the version without MCPServers in it, since ToolHive has other CRDs. */
static void on_resources(void *context, const struct kube_answer *answer) {
    struct api *api = context;
    struct error error = answer->error;
    bool has_servers = false;
    bool is_read = answer->is_good &&
                   discovery_read_resources(answer->body, answer->body_size, &has_servers, &error);
    const char *next = discovery_next_version(api->found);
    if (is_read && has_servers) {
        ask(api, DEFINITION_PATH, on_definition);
    } else if (!is_read && answer->status != HTTP_STATUS_NOT_FOUND) {
        fail(api, &error);
    } else if (next != NULL) {
        text_copy(api->found, sizeof(api->found), next);
        ask_resources(api);
    } else {
        note_absence(api);
    }
}

static void on_group(void *context, const struct kube_answer *answer) {
    struct api *api = context;
    struct error error = answer->error;
    bool is_served = answer->is_good &&
                     discovery_read_group(answer->body, answer->body_size, api->found, &error);
    if (is_served) {
        ask_resources(api);
    } else if (answer->status == HTTP_STATUS_NOT_FOUND ||
               (answer->is_good && error.kind == ERROR_NOT_FOUND)) {
        note_absence(api);
    } else {
        fail(api, &error);
    }
}

int64_t api_step(struct api *api, int64_t now_ms) {
    complaint_log_over(&api->complaint, api->log, "api.recovered", "mcpservers." TOOLHIVE_GROUP,
                       now_ms);
    if (!api->is_asking && now_ms >= api->next_ms) {
        api->is_asking = true;
        api->asked_ms = now_ms;
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

enum api_state api_state(const struct api *api) {
    return api->state;
}

unsigned api_epoch(const struct api *api) {
    return api->epoch;
}

const char *api_group_version(const struct api *api) {
    return api->group_version;
}

bool api_has_condition_map(const struct api *api) {
    return api->has_condition_map;
}

void api_doubt(struct api *api) {
    int64_t soonest_ms = api->asked_ms + DOUBT_INTERVAL_MS;
    /* While the API server does not answer, a doubt must not shorten the back-off. */
    if (!api->is_asking && !api->is_failing && api->next_ms > soonest_ms) {
        api->next_ms = soonest_ms;
    }
}

const char *api_resource(enum object_kind kind) {
    return kind == OBJECT_MCPSERVER ? "mcpservers" : "deployments";
}

static const char *group_version_of(const struct api *api, enum object_kind kind) {
    return kind == OBJECT_MCPSERVER ? api->group_version : "apps/v1";
}

void api_list_path(const struct api *api, enum object_kind kind, const char *namespace,
                   char ret_path[API_PATH_SIZE]) {
    bool is_one = namespace != NULL;
    snprintf(ret_path, API_PATH_SIZE, "/apis/%s%s%s/%s", group_version_of(api, kind),
             is_one ? "/namespaces/" : "", is_one ? namespace : "", api_resource(kind));
}

void api_object_path(const struct api *api, enum object_kind kind, const char *namespace,
                     const char *name, const char *suffix, char ret_path[API_PATH_SIZE]) {
    snprintf(ret_path, API_PATH_SIZE, "/apis/%s/namespaces/%s/%s/%s%s", group_version_of(api, kind),
             namespace, api_resource(kind), name, suffix);
}
