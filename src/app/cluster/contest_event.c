// SPDX-License-Identifier: Apache-2.0
#include "contest_event.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "core/admission/review.h"
#include "core/cluster/scaler.h"
#include "edge/clock.h"

enum {
    LIST_TIMEOUT_MS = 5000,
    LIST_ANSWER_MAX = 4 << 20,
    PATH_SIZE = 256,
    NOTE_SIZE = 2048,
    SECONDS_AN_HOUR = 3600,
};

#define LIST_PATH "/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers?limit=500"

/* One contest that waits for its Event. */
struct telling {
    char namespace[OBJECT_NAMESPACE_SIZE];
    char name[OBJECT_NAME_SIZE];
    char user[REVIEW_USER_SIZE];
    struct telling *next;
};

struct contest_event {
    struct contest_event_options options;
    pthread_mutex_t mutex; /* of the members up to the blank line */
    struct telling *first; /* oldest first */
    struct telling **last;
    size_t n_waiting;

    struct telling
        *listing; /* of the loop's thread alone: it waits for the HPAs; NULL: none does */
};

struct contest_event *contest_event_new(const struct contest_event_options *options) {
    struct contest_event *contest_event = memory_new(1, sizeof(*contest_event));
    contest_event->options = *options;
    contest_event->last = &contest_event->first;
    pthread_mutex_init(&contest_event->mutex, NULL);
    return contest_event;
}

static struct telling *take_first(struct contest_event *contest_event) {
    pthread_mutex_lock(&contest_event->mutex);
    struct telling *telling = contest_event->first;
    if (telling != NULL) {
        contest_event->first = telling->next;
        contest_event->n_waiting--;
        if (telling->next == NULL) {
            contest_event->last = &contest_event->first;
        }
    }
    pthread_mutex_unlock(&contest_event->mutex);
    return telling;
}

void contest_event_free(struct contest_event *contest_event) {
    if (contest_event == NULL) {
        return;
    }
    for (struct telling *telling; (telling = take_first(contest_event)) != NULL;) {
        free(telling);
    }
    free(contest_event->listing);
    pthread_mutex_destroy(&contest_event->mutex);
    free(contest_event);
}

void contest_event_tell(struct contest_event *contest_event, const char *namespace,
                        const char *name, const char *user) {
    struct telling *telling = memory_new(1, sizeof(*telling));
    text_copy(telling->namespace, sizeof(telling->namespace), namespace);
    text_copy(telling->name, sizeof(telling->name), name);
    text_copy(telling->user, sizeof(telling->user), user);
    pthread_mutex_lock(&contest_event->mutex);
    bool has_room = contest_event->n_waiting < CONTEST_EVENT_WAITING_MAX;
    if (has_room) {
        *contest_event->last = telling;
        contest_event->last = &telling->next;
        contest_event->n_waiting++;
    }
    pthread_mutex_unlock(&contest_event->mutex);
    if (has_room) {
        kube_wake(api_kube(contest_event->options.api));
    } else {
        free(telling);
    }
}

/* The users that controllers of HPAs have: an account of their own, or that of all controllers. */
static bool may_be_hpa(const char *user) {
    return strcmp(user, "system:serviceaccount:kube-system:horizontal-pod-autoscaler") == 0 ||
           strcmp(user, "system:kube-controller-manager") == 0;
}

static void describe(const struct telling *telling, const struct scaler *scaler,
                     char out[NOTE_SIZE]) {
    const char *user = telling->user[0] != '\0' ? telling->user : "A user without a readable name";
    int used = snprintf(out, NOTE_SIZE,
                        "%s asks for more than 1 replica again and again. stdio transport allows 1 "
                        "replica, so that Capstan sets each of them back to 1. ",
                        user);
    char *rest = out + used;
    size_t room = NOTE_SIZE - (size_t)used;
    if (scaler != NULL && scaler->scaled_object[0] != '\0') {
        snprintf(rest, room,
                 "Delete the ScaledObject %s, which has the HorizontalPodAutoscaler %s, or set "
                 "spec.transport to one that scales.",
                 scaler->scaled_object, scaler->name);
    } else if (scaler != NULL) {
        snprintf(rest, room,
                 "Delete the HorizontalPodAutoscaler %s, or set spec.transport to one that scales.",
                 scaler->name);
    } else if (may_be_hpa(telling->user)) {
        snprintf(rest, room,
                 "Find the HorizontalPodAutoscaler by kubectl get hpa -n %s, and delete it; or set "
                 "spec.transport to one that scales.",
                 telling->namespace);
    } else {
        snprintf(rest, room,
                 "Let this user leave the Deployment alone, or set spec.transport to one that "
                 "scales.");
    }
}

/* The same for each replica within an hour. */
static uint64_t name_of(const struct telling *telling, const char *uid, int64_t hour) {
    uint64_t hash = hash_text(HASH_EMPTY, uid);
    hash = hash_text(hash, telling->user);
    return hash_bytes(hash, &hour, sizeof(hour)) | 1;
}

static void post(struct contest_event *contest_event, struct telling *owned_telling,
                 const struct scaler *scaler) {
    AUTO_FREE struct telling *telling = owned_telling;
    const struct contest_event_options *options = &contest_event->options;
    struct fact server;
    char note[NOTE_SIZE];
    if (!facts_find(options->facts, OBJECT_MCPSERVER, telling->namespace, telling->name, &server)) {
        return;
    }
    int64_t wall_s = kube_wall_s(api_kube(options->api), clock_boot_ms());
    describe(telling, scaler, note);
    const struct event event = {
        .namespace = server.namespace,
        .name = server.name,
        .uid = server.uid,
        .api_version = api_group_version(options->api, OBJECT_MCPSERVER),
        .kind = kind_rows[OBJECT_MCPSERVER].kind,
        .type = "Warning",
        .reason = "ReplicasContested",
        .action = "HoldReplicas",
        .note = note,
        .instance = elect_identity(options->elect),
        .wall_us = clock_wall_us(),
        .once = name_of(telling, server.uid, wall_s / SECONDS_AN_HOUR),
    };
    events_post(options->events, &event);
}

static void on_list(void *context, const struct kube_answer *answer) {
    struct contest_event *contest_event = context;
    struct telling *telling = TAKE(contest_event->listing);
    struct scaler scaler;
    bool is_found =
        answer->is_good && scaler_find(answer->body, answer->body_size, telling->name, &scaler);
    post(contest_event, telling, is_found ? &scaler : NULL);
}

static void list(struct contest_event *contest_event, struct telling *owned_telling) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), LIST_PATH, owned_telling->namespace);
    const struct kube_request request = {
        .verb = KUBE_GET,
        .path = path,
        .timeout_ms = LIST_TIMEOUT_MS,
        .answer_max = LIST_ANSWER_MAX,
        .done = on_list,
        .context = contest_event,
    };
    contest_event->listing = owned_telling;
    kube_begin(api_kube(contest_event->options.api), &request);
}

/* One list is under way at a time, and the others wait. The namespace goes into the path as it is,
   so that it must be a DNS label. */
void contest_event_step(struct contest_event *contest_event) {
    while (contest_event->listing == NULL) {
        struct telling *telling = take_first(contest_event);
        if (telling == NULL) {
            return;
        }
        if (may_be_hpa(telling->user) && text_is_dns_label(telling->namespace)) {
            list(contest_event, telling);
        } else {
            post(contest_event, telling, NULL);
        }
    }
}
