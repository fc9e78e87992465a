// SPDX-License-Identifier: Apache-2.0

/* The Lease, by which one replica writes. */

#include <inttypes.h>

#include "base/text.h"
#include "checkup_inside.h"
#include "core/cluster/lease.h"
#include "settings.h"

/* Clocks of the nodes and of this machine may differ so far. */
enum { CLOCKS_DIFFER_S = 45 };

/* A Lease is free, as for `serve`, when its holder did not renew it for its duration. `serve` sees
   that by its own clock alone; doctor looks once, and has to compare clocks. */
static void judge_lease(const struct lease_record *record, int64_t now, struct finding *finding) {
    static const char remedy[] =
        "see whether replicas run, and whether they may write Leases: kubectl -n NAMESPACE logs "
        "deployment/capstan";
    int64_t duration = record->duration_seconds;
    int64_t renewed;
    bool has_time = text_parse_time(record->renew_time, &renewed);
    bool is_held = record->holder[0] != '\0' && duration > 0;
    duration = is_held ? MIN(duration, (int64_t)3600) : LEASE_DURATION_MS / 1000;
    if (!has_time || now - renewed > duration + CLOCKS_DIFFER_S) {
        finding_set(finding, FINDING_PROBLEM, remedy,
                    "nobody leads, so nobody writes: the Lease was last renewed %s",
                    has_time ? record->renew_time : "never");
    } else if (!is_held) {
        finding_set(finding, FINDING_NOTE, remedy,
                    "nobody leads just now: the Lease was released %s", record->renew_time);
    } else {
        finding_set(finding, FINDING_OK, NULL, "%.120s leads", record->holder);
    }
}

/* Without --leader-elect, each replica writes. Returns true if the Lease does not matter. */
static bool judge_flag(const cJSON *deployment, struct finding *finding) {
    struct settings settings;
    int64_t wanted = tree_integer(deployment, "spec.replicas", 1);
    settings_read(deployment, &settings);
    if (deployment == NULL || settings.elects_leader) {
        return false;
    }
    if (wanted > 1) {
        finding_set(finding, FINDING_PROBLEM,
                    "add --leader-elect to the arguments: kubectl -n NAMESPACE edit deployment "
                    "capstan",
                    "%" PRId64 " replicas without --leader-elect: all of them write, and undo "
                    "each other's work",
                    wanted);
    } else {
        finding_set(finding, FINDING_OK, NULL, "one replica writes, without a Lease");
    }
    return true;
}

void checkup_leader(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini) cJSON *deployment = tree_read(&patient->answers[QUESTION_DEPLOYMENT]);
    AUTO(tree_fini) cJSON *tree = NULL;
    const struct answer *answer = &patient->answers[QUESTION_LEASE];
    struct lease_record record;
    struct error error;
    bool is_ready = tree_integer(deployment, "status.readyReplicas", 0) > 0;
    if (judge_flag(deployment, finding)) {
        return;
    }
    if (checkup_is_absent(patient, QUESTION_LEASE)) {
        finding_set(finding, is_ready ? FINDING_PROBLEM : FINDING_NOTE,
                    "the first replica that runs creates it; see its log: kubectl -n NAMESPACE "
                    "logs deployment/capstan",
                    "there is no Lease: nobody has led yet");
        return;
    }
    tree = checkup_see(patient, QUESTION_LEASE, NULL, finding);
    if (tree == NULL) {
        return;
    }
    if (!lease_read(answer->json, answer->size, &record, &error)) {
        finding_set(finding, FINDING_PROBLEM,
                    "kubectl -n NAMESPACE delete lease capstan; a replica makes it again", "%s",
                    error.text);
        return;
    }
    judge_lease(&record, patient->now, finding);
}
