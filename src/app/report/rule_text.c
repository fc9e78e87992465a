// SPDX-License-Identifier: Apache-2.0
#include "rule_text.h"

#include <string.h>

#define MODE_OFF_TEXT  "the rule is not applied"
#define MODE_WARN_TEXT "nothing is changed; a warning says what enforce would change"
#define ZERO_TEXT      "0 replicas, anywhere: always allowed and never raised"

static const struct rule_page pages[RULE_TEXT_COUNT] = {
    [RULE_STDIO_CAP] =
        {
            .description =
                "A stdio server talks through the standard input and output of one process, which "
                "several replicas cannot share. The cap holds on two paths: the spec-driven one, "
                "where spec.replicas of the MCPServer asks for more than one, and the "
                "externally-driven one, where kubectl scale, an HPA or an edit of the Deployment "
                "does. The MCPServer itself is admitted with a warning and its Deployment is held "
                "at 1. With stdioCap.rewriteSpec the MCPServer's spec.replicas is set to 1 too; "
                "with stdioCap.preventSurge a rolling update of the Deployment runs without a "
                "second pod (maxSurge 0, maxUnavailable 1). spec.backendReplicas above 1 is warned "
                "about: the operator makes as many backends, and a session loses its own.",
            .example =
                "The MCPServer github has transport stdio and spec.replicas 3. It is admitted "
                "with the warning \"stdio-cap: stdio transport allows 1 replica; the Deployment "
                "is held at 1, not 3\". Its Deployment, created with 3 replicas, is set to 1, and "
                "so is a later kubectl scale to 5.",
            .modes = {{"off", MODE_OFF_TEXT},
                      {"warn", MODE_WARN_TEXT},
                      {"enforce", "the Deployment or Scale is set to 1, with a warning (default)"},
                      {"deny", "an MCPServer over the cap is refused with 403, when it is created "
                               "and when its transport, replicas, backendReplicas or session "
                               "storage provider changes; on Deployments and Scales as enforce"}},
            .rows = {{"1", "an MCPServer is created or updated, stdio, spec.replicas over 1: "
                           "admitted with a warning"},
                     {"2b", "the same, spec.backendReplicas over 1: admitted with a warning"},
                     {"3", "its Deployment is created and spec.replicas is over 1: replicas is set "
                           "to 1"},
                     {"5", "its Deployment is created or updated with replicas over 1, and row 3 "
                           "did not decide: set to 1"},
                     {"6", "its Deployment is scaled over 1: the Scale is set to 1"},
                     {"11", ZERO_TEXT}},
        },
    [RULE_REPLICA_PASSTHROUGH] =
        {
            .is_silent = true,
            .description =
                "Where spec.replicas is set, a new Deployment gets that count. Where it is not, "
                "the count belongs to the one who scales the Deployment (an HPA, KEDA, kubectl "
                "scale) and "
                "is not touched; and where the ToolHive operator, known by its user name "
                "(replicas.operatorUsers), updates the Deployment and would overwrite the live "
                "count, the live count is put back. The rule never acts on what stdio-cap decides. "
                "It holds for MCPServers, MCPRemoteProxies and VirtualMCPServers alike.",
            .example =
                "The MCPServer weather has transport sse and spec.replicas 3. Its Deployment, "
                "created with 1 replica, is set to 3. Without spec.replicas the Deployment is "
                "created with the count it comes with.",
            .modes = {{"off", MODE_OFF_TEXT},
                      {"warn", MODE_WARN_TEXT},
                      {"enforce", "replicas is set where it differs (default)"}},
            .rows = {{"3", "a Deployment is created, spec.replicas is set and within the cap, and "
                           "replicas is not 0: replicas is set to spec.replicas"},
                     {"4", "a Deployment is created and spec.replicas is not set: replicas is not "
                           "touched"},
                     {"6b",
                      "a Deployment is scaled to another count than spec.replicas, not stdio: "
                      "a warning, since the operator will set it back"},
                     {"7", "the operator updates a Deployment and changes replicas, spec.replicas "
                           "is not set and the transport is not stdio: the old count is put back"},
                     {"8", "any other update or scale: replicas is not touched"},
                     {"11", ZERO_TEXT}},
        },
    [RULE_GRACE_PERIOD] =
        {
            .is_silent = true,
            .description =
                "Where the pod template has no terminationGracePeriodSeconds it is set to "
                "gracePeriod.seconds, by default 30. One that is there is kept, unless "
                "gracePeriod.minimum is true and it is lower. An API server sets 30 before "
                "admission asks, so in a cluster a longer period needs minimum: true.",
            .example =
                "With gracePeriod.seconds 60 and minimum true, a Deployment whose pod template "
                "has terminationGracePeriodSeconds 10 is set to 60; one with 120 is left alone.",
            .modes = {{"off", MODE_OFF_TEXT},
                      {"warn", MODE_WARN_TEXT},
                      {"enforce", "terminationGracePeriodSeconds is set (default)"}},
            .rows = {{"9", "a Deployment is created or updated without a grace period: it is set"},
                     {"10", "a Deployment is created or updated with one: kept, or raised with "
                            "minimum: true"}},
        },
    [RULE_SESSION_STORAGE] =
        {
            .description =
                "A client whose requests reach different replicas loses its session unless the "
                "replicas keep sessions in one place. An MCPServer, MCPRemoteProxy or "
                "VirtualMCPServer with spec.replicas over 1 and a sessionStorage.provider other "
                "than redis is therefore warned about, or refused; so is an MCPServer with "
                "spec.backendReplicas over 1. With sessionAffinity None requests of one session "
                "reach different replicas at once. sessionStorage.defaultRedis: true tells that "
                "the operator has a Redis of its own for those that name none. There is nothing "
                "to enforce: no storage can be made up.",
            .example =
                "The MCPServer search has transport streamable-http, spec.replicas 2 and no "
                "sessionStorage. It is admitted with the warning \"session-storage: 2 replicas do "
                "not share sessions unless sessionStorage.provider is redis\".",
            .modes = {{"off", MODE_OFF_TEXT},
                      {"warn", "admitted with a warning (default)"},
                      {"deny", "refused with 403, when it is created and when its transport, "
                               "replicas, backendReplicas or session storage provider changes"}},
            .rows = {{"2", "one of the three is created or updated, spec.replicas over 1, provider "
                           "not redis: a warning"},
                     {"2b", "an MCPServer is created or updated, not stdio, spec.backendReplicas "
                            "over 1, provider not redis: a warning"}},
        },
    [RULE_AUTOSCALER] =
        {
            .description =
                "An HPA or a ScaledObject on the Deployment of a stdio MCPServer asks for more "
                "than one replica again and again, and gets one each time, while its events say "
                "that all is well. On a Deployment whose owner has spec.replicas, the operator "
                "sets the count back each time. The author of the autoscaler is told so when it "
                "is created or updated. It is never changed.",
            .example =
                "An HPA with maxReplicas 5 names the Deployment github, whose MCPServer is stdio. "
                "It is admitted with the warning \"autoscaler: cannot scale github: stdio "
                "transport allows 1 replica; set the maximum to 1, or delete this\".",
            .modes = {{"off", MODE_OFF_TEXT},
                      {"warn", "admitted with a warning (default)"},
                      {"deny", "refused with 403, when it is created and when its target changes, "
                               "in row 14 also when its maximum changes"}},
            .rows = {{"14", "an HPA or a ScaledObject is created or updated, its target is the "
                            "Deployment of a stdio MCPServer, its maximum over 1: a warning"},
                     {"15", "the same, the target's owner is not stdio and has spec.replicas: a "
                            "warning"}},
        },
    [RULE_COUNT] =
        {
            .description =
                "Rules judge a Deployment or a Scale by its owner: an MCPServer, an MCPRemoteProxy "
                "or "
                "a VirtualMCPServer. If Capstan does not know the owner and cannot ask for it, it "
                "changes nothing, and applies no rule. This is not a rule, but is reported as one. "
                "In capstan review, --facts names files that have the owner, and "
                "--kubeconfig asks a cluster.",
            .example =
                "The Deployment github is reviewed, and the MCPServer github is in none of the "
                "files: it is left unchanged, with a warning.",
            .modes = {{"allow", "admitted unchanged, with a warning (default)"},
                      {"fail",
                       "an error: the webhook answers 500, so that failurePolicy rules, and "
                       "capstan review ends with status 1"}},
            .rows = {{"12",
                      "the owner of a Deployment or of a Scale is not known, and asking for it was "
                      "not possible or got no answer; or an owner, a selector or a name cannot be "
                      "read; in capstan review also the owner of a Deployment whose labels alone "
                      "name it is not known"}},
        },
};

#define NOTHING(...)
#define TEXT(ID, NAME, KEY, MODE, MODES, KINDS, FUNCTION, LABEL, SUMMARY)                          \
    [RULE_##ID] = {(NAME), KEY ".mode", (SUMMARY), &pages[RULE_##ID]},

const struct rule_text rule_texts[RULE_TEXT_COUNT] = {
    RULE_TABLE(TEXT, NOTHING)[RULE_COUNT] = {"unresolved", "onUnresolved",
                                             "Capstan cannot find out whose the object is.",
                                             &pages[RULE_COUNT]},
};

const struct rule_text *rule_text_find(const char *id) {
    for (size_t i = 0; i < RULE_TEXT_COUNT; i++) {
        if (strcmp(rule_texts[i].id, id) == 0) {
            return &rule_texts[i];
        }
    }
    return NULL;
}
