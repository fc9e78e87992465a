// SPDX-License-Identifier: Apache-2.0

/* The Deployment, its pods, and the version in their image. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "checkup_inside.h"
#include "entry.h"
#include "settings.h"

enum { VERSION_SIZE = 64 };

#define DESCRIBE "kubectl -n NAMESPACE describe deployment capstan"

/* True if an entry of ours fails closed, or one for a URL. */
static bool fails_closed(const cJSON *configuration, const struct finding_names *names) {
    const cJSON *entry;
    bool fails = false;
    cJSON_ArrayForEach(entry, tree_list(configuration, "webhooks")) {
        bool is_ours = entry_has_url(entry) || entry_calls_us(entry, names);
        fails = fails || (is_ours && strcmp(tree_text(entry, "failurePolicy"), "Fail") == 0);
    }
    return fails;
}

/* The message of a condition with this status; NULL if there is none. */
static const char *find_condition(const cJSON *deployment, const char *type, const char *status) {
    const cJSON *condition;
    cJSON_ArrayForEach(condition, tree_list(deployment, "status.conditions")) {
        if (strcmp(tree_text(condition, "type"), type) == 0 &&
            strcmp(tree_text(condition, "status"), status) == 0) {
            return tree_text(condition, "message");
        }
    }
    return NULL;
}

static void judge_few(const struct patient *patient, int64_t wanted, struct finding *finding) {
    AUTO(tree_fini) cJSON *configuration = NULL;
    if (wanted < 1) {
        finding_set(finding, FINDING_PROBLEM,
                    "kubectl -n NAMESPACE scale deployment capstan --replicas=2",
                    "0 replicas: nobody answers");
        return;
    }
    configuration = checkup_see(patient, QUESTION_CONFIGURATION, CHECKUP_APPLY_AGAIN, finding);
    if (configuration == NULL) {
        return;
    }
    if (fails_closed(configuration, &patient->names)) {
        finding_set(finding, FINDING_PROBLEM,
                    "kubectl -n NAMESPACE scale deployment capstan --replicas=2; or failurePolicy: "
                    "Ignore",
                    "failurePolicy is Fail, with %" PRId64
                    " replica: each restart of it refuses writes",
                    wanted);
    } else {
        finding_set(finding, FINDING_NOTE,
                    "run two replicas, so that a restart leaves no gap: kubectl -n NAMESPACE scale "
                    "deployment capstan --replicas=2",
                    "%" PRId64 " replica", wanted);
    }
}

void checkup_deployment(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini)
    cJSON *tree = checkup_see(patient, QUESTION_DEPLOYMENT, CHECKUP_APPLY_AGAIN, finding);
    int64_t wanted = tree_integer(tree, "spec.replicas", 1);
    int64_t ready = tree_integer(tree, "status.readyReplicas", 0);
    if (tree == NULL) {
        return;
    }
    const char *failure = find_condition(tree, "ReplicaFailure", "True");
    const char *stuck = find_condition(tree, "Progressing", "False");
    if (failure != NULL) {
        finding_set(finding, FINDING_PROBLEM,
                    "see what the API server refuses, a quota or Pod Security: " DESCRIBE,
                    "its pods cannot be made: %.600s", failure);
    } else if (stuck != NULL) {
        finding_set(
            finding, FINDING_PROBLEM,
            "see the check pods, and kubectl -n NAMESPACE rollout status deployment capstan",
            "its rollout does not come to an end: %.600s", stuck);
    } else if (wanted < 2) {
        judge_few(patient, wanted, finding);
    } else if (ready < wanted) {
        finding_set(finding, FINDING_NOTE, "kubectl -n NAMESPACE describe pods tells more",
                    "%" PRId64 " of %" PRId64 " replicas are ready", ready, wanted);
    } else {
        finding_set(finding, FINDING_OK, NULL, "%" PRId64 " of %" PRId64 " replicas are ready",
                    ready, wanted);
    }
}

/* Reasons of a container to wait that do not go by themselves. */
static const struct {
    const char *reason;
    const char *remedy;
} waits[] = {
#define IMAGE                                                                                      \
    "make the image available to the nodes, and name it right: kubectl -n NAMESPACE describe pod " \
    "OTHER; kubectl -n NAMESPACE set image deployment/capstan capstan=IMAGE"
    {"ErrImagePull", IMAGE},
    {"ImagePullBackOff", IMAGE},
    {"InvalidImageName", IMAGE},
    {"ErrImageNeverPull", IMAGE},
    {"ImageInspectError", IMAGE},
    {"RegistryUnavailable", IMAGE},
    {"CrashLoopBackOff", "see its last words: kubectl -n NAMESPACE logs OTHER --previous"},
    {"CreateContainerConfigError", "kubectl -n NAMESPACE describe pod OTHER"},
    {"CreateContainerError", "kubectl -n NAMESPACE describe pod OTHER"},
    {"RunContainerError", "kubectl -n NAMESPACE describe pod OTHER"},
#undef IMAGE
};

static void name_pod(const cJSON *pod, struct finding *finding) {
    const char *name = tree_text(pod, "metadata.name");
    (void)text_copy(finding->other, sizeof(finding->other),
                    text_is_dns_subdomain(name) ? name : "");
}

static void judge_container(const cJSON *pod, const cJSON *status, struct finding *finding) {
    const char *reason = tree_text(status, "state.waiting.reason");
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        if (strcmp(reason, waits[i].reason) == 0) {
            finding_set(finding, FINDING_PROBLEM, waits[i].remedy, "%.253s: %s: %.400s",
                        tree_text(pod, "metadata.name"), reason,
                        tree_text(status, "state.waiting.message"));
            name_pod(pod, finding);
            return;
        }
    }
    if (strcmp(tree_text(status, "lastState.terminated.reason"), "OOMKilled") == 0) {
        finding_set(finding, FINDING_NOTE,
                    "give it more memory (resources.limits.memory): kubectl -n NAMESPACE edit "
                    "deployment capstan",
                    "%.253s ran out of memory", tree_text(pod, "metadata.name"));
    }
}

static void judge_pod(const cJSON *pod, struct finding *finding) {
    static const char *const lists[] = {"status.initContainerStatuses", "status.containerStatuses"};
    const char *unscheduled = find_condition(pod, "PodScheduled", "False");
    if (tree_at(pod, "metadata.deletionTimestamp") != NULL) {
        return;
    }
    if (unscheduled != NULL) {
        finding_set(finding, FINDING_PROBLEM,
                    "make room on a node, or see what keeps it off: kubectl -n NAMESPACE describe "
                    "pod OTHER",
                    "%.253s is on no node: %.400s", tree_text(pod, "metadata.name"), unscheduled);
        name_pod(pod, finding);
    }
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const cJSON *status;
        cJSON_ArrayForEach(status, tree_list(pod, lists[i])) {
            struct finding other = {.level = FINDING_OK};
            judge_container(pod, status, &other);
            finding_worsen(finding, &other);
        }
    }
}

void checkup_pods(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini) cJSON *tree = checkup_see(patient, QUESTION_PODS, NULL, finding);
    const cJSON *pods = tree_list(tree, "items");
    const cJSON *pod;
    if (tree == NULL) {
        return;
    }
    finding_set(finding, FINDING_OK, NULL, "none of %d pods fails", cJSON_GetArraySize(pods));
    if (cJSON_GetArraySize(pods) == 0) {
        finding_set(finding, FINDING_NOTE, "see why the Deployment makes none: " DESCRIBE,
                    "there is no pod with the label app.kubernetes.io/name=capstan");
    }
    cJSON_ArrayForEach(pod, pods) {
        struct finding other = {.level = FINDING_OK};
        judge_pod(pod, &other);
        finding_worsen(finding, &other);
    }
}

/* Reads the tag of an image, without a v before it; "" if it has none. A registry may have a port.
 */
static void read_tag(const char *image, char out[VERSION_SIZE]) {
    const char *slash = strrchr(image, '/');
    const char *name = slash != NULL ? slash + 1 : image;
    size_t size = strcspn(name, "@");
    const char *colon = memchr(name, ':', size);
    out[0] = '\0';
    if (colon != NULL) {
        colon += colon[1] == 'v' ? 2 : 1;
        snprintf(out, VERSION_SIZE, "%.*s", (int)(name + size - colon), colon);
    }
}

void checkup_image(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini)
    cJSON *tree = checkup_see_if_there(patient, QUESTION_DEPLOYMENT, finding);
    struct settings settings;
    char tag[VERSION_SIZE];
    if (tree == NULL) {
        return;
    }
    settings_read(tree, &settings);
    const char *image = tree_text(settings.container, "image");
    read_tag(image, tag);
    if (strcmp(tag, patient->version) == 0) {
        finding_set(finding, FINDING_OK, NULL, "the image has the version of this doctor, %s", tag);
    } else {
        finding_set(finding, FINDING_NOTE,
                    "take the doctor of the image: kubectl -n NAMESPACE exec deployment/capstan -- "
                    "capstan version tells its version",
                    "the image is %.300s, and this doctor is version %s: it may expect other "
                    "things than that version needs",
                    image[0] != '\0' ? image : "unknown", patient->version);
    }
}
