// SPDX-License-Identifier: Apache-2.0

/*
 * The neighbours of our webhooks: all that the API server calls about the same objects. In a first
 * round it evaluates MutatingAdmissionPolicies, then calls webhooks: configurations in the order of
 * their names, and in each its entries as they stand. If one of them changed the object, a second
 * round in the same order repeats those with reinvocationPolicy IfNeeded after which the object was
 * changed.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/text.h"
#include "checkup_json.h"
#include "webhook_rules.h"

/* The size of a listing leaves room for the sentence around it. */
enum { LISTING_SIZE = FINDING_MESSAGE_SIZE - 200, NAME_SIZE = 600 };

/* Names, as many as fit whole. */
struct listing {
    const char *separator;
    char text[LISTING_SIZE];
    int n_names;
    int n_left_out;
};

static void list_name(struct listing *listing, const char *format, ...) PRINTF_LIKE(2, 3);

static void list_name(struct listing *listing, const char *format, ...) {
    char name[NAME_SIZE];
    size_t used = strlen(listing->text);
    const char *separator = used > 0 ? listing->separator : "";
    va_list values;
    va_start(values, format);
    vsnprintf(name, sizeof(name), format, values);
    va_end(values);
    listing->n_names++;
    if (used + strlen(separator) + strlen(name) < sizeof(listing->text)) {
        snprintf(listing->text + used, sizeof(listing->text) - used, "%s%s", separator, name);
    } else {
        listing->n_left_out++;
    }
}

/* " and 3 more"; "" if all names are in the text. */
static const char *more(const struct listing *listing, char out[32]) {
    out[0] = '\0';
    if (listing->n_left_out > 0) {
        snprintf(out, 32, " and %d more", listing->n_left_out);
    }
    return out;
}

/* True if the answer is a list, which may be empty. Else the finding says why it is none. */
static bool is_list(const struct checkup_answer *answer, const cJSON *tree, const char *what,
                    struct finding *finding) {
    const cJSON *items = checkup_at(tree, "items");
    if (!checkup_has(answer, what, "run this again when the API server answers", finding)) {
        return false;
    }
    return cJSON_IsArray(items) || cJSON_IsNull(items) ||
           finding_set(finding, FINDING_NOTE, "run this again when the API server answers",
                       "%s could not be looked at: the answer is no list", what);
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* True for an entry of Capstan's manifests, of any version. */
static bool has_our_name(const cJSON *entry) {
    return ends_with(checkup_text(entry, "name"), ".capstan.dev");
}

/* True if the entry calls our Service; or a URL, as an entry of ours. */
static bool leads_to_us(const cJSON *entry, const struct checkup_names *names) {
    if (checkup_text(entry, "clientConfig.url")[0] != '\0') {
        return has_our_name(entry);
    }
    return strcmp(checkup_text(entry, "clientConfig.service.name"), names->service) == 0 &&
           strcmp(checkup_text(entry, "clientConfig.service.namespace"), names->namespace) == 0;
}

static bool has_entry_that_leads_to_us(const cJSON *configuration,
                                       const struct checkup_names *names) {
    const cJSON *entry;
    cJSON_ArrayForEach(entry, checkup_list(configuration, "webhooks")) {
        if (leads_to_us(entry, names)) {
            return true;
        }
    }
    return false;
}

static bool is_our_configuration(const cJSON *configuration, const struct checkup_names *names) {
    return strcmp(checkup_text(configuration, "metadata.name"), names->configuration) == 0;
}

static const cJSON *find_our_configuration(const cJSON *tree, const struct checkup_names *names) {
    const cJSON *configuration;
    cJSON_ArrayForEach(configuration, checkup_list(tree, "items")) {
        if (is_our_configuration(configuration, names)) {
            return configuration;
        }
    }
    return NULL;
}

void checkup_leftover(const struct checkup_answer *configurations,
                      const struct checkup_names *names, struct finding *finding) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(configurations);
    struct listing shown = {.separator = ", "};
    struct listing command = {.separator = " "};
    const cJSON *configuration;
    char rest[32];
    if (!is_list(configurations, tree, "the list of MutatingWebhookConfigurations", finding)) {
        return;
    }
    cJSON_ArrayForEach(configuration, checkup_list(tree, "items")) {
        const char *name = checkup_text(configuration, "metadata.name");
        if (!is_our_configuration(configuration, names) &&
            has_entry_that_leads_to_us(configuration, names)) {
            list_name(&shown, "%s", name);
            /* No other name can be in a command for a shell. */
            list_name(&command, "%s", text_is_dns_subdomain(name) ? name : "");
        }
    }
    if (shown.n_names == 0) {
        finding_set(finding, FINDING_OK, NULL, "no other configuration leads to the Service");
        return;
    }
    bool has_ours = find_our_configuration(tree, names) != NULL;
    finding_set(finding, FINDING_PROBLEM,
                has_ours
                    ? "kubectl delete mutatingwebhookconfiguration OTHER"
                    : "if it is the one in use: --webhook-config-name. Else apply the manifests "
                      "of this version, and then: kubectl delete "
                      "mutatingwebhookconfiguration OTHER",
                "%s %s to the Service%s, and nobody keeps the caBundle there: %s%s",
                shown.n_names == 1 ? "another configuration" : "other configurations",
                shown.n_names == 1 ? "leads" : "lead", has_ours ? " too" : "", shown.text,
                more(&shown, rest));
    text_copy(finding->other, sizeof(finding->other), command.text);
}

/* One that the API server calls or evaluates. */
struct writer {
    const cJSON *rules;
    bool sees_all;             /* whatever the rules say */
    const char *configuration; /* "" for a policy, which comes before all of them */
    int index;                 /* in its configuration */
    bool is_repeated;          /* reinvocationPolicy: IfNeeded */
};

static struct writer writer_of(const cJSON *configuration, const cJSON *entry, int index) {
    return (struct writer){
        .rules = checkup_list(entry, "rules"),
        .configuration = checkup_text(configuration, "metadata.name"),
        .index = index,
        .is_repeated = strcmp(checkup_text(entry, "reinvocationPolicy"), "IfNeeded") == 0,
    };
}

/* True if `other` writes after the last call of ours. If each undoes the work of the other, the
   second round repeats both, as far as they ask for that. */
static bool has_last_word(const struct writer *other, const struct writer *ours) {
    int order = strcmp(other->configuration, ours->configuration);
    bool is_later = order > 0 || (order == 0 && other->index > ours->index);
    return is_later ? other->is_repeated || !ours->is_repeated
                    : other->is_repeated && !ours->is_repeated;
}

/* The state of the check. */
struct contest {
    const cJSON *configuration; /* ours */
    const struct checkup_names *names;
    struct listing last; /* those that may have the last word */
    int n_overruled;     /* those that see the same objects, and have not */
};

static bool is_our_entry(const struct contest *contest, const cJSON *configuration,
                         const cJSON *entry) {
    return configuration == contest->configuration ? has_our_name(entry)
                                                   : leads_to_us(entry, contest->names);
}

/* Holds it against each entry of ours. Returns true if it may have the last word over one. */
static bool wins(struct contest *contest, const struct writer *other) {
    const cJSON *entry;
    bool has_met = false;
    int index = 0;
    cJSON_ArrayForEach(entry, checkup_list(contest->configuration, "webhooks")) {
        const struct writer ours = writer_of(contest->configuration, entry, index++);
        if (!has_our_name(entry) ||
            !(other->sees_all || webhook_rules_overlap(other->rules, ours.rules))) {
            continue;
        }
        if (has_last_word(other, &ours)) {
            return true;
        }
        has_met = true;
    }
    contest->n_overruled += has_met;
    return false;
}

static void enter_webhooks(struct contest *contest, const cJSON *tree) {
    const cJSON *configuration;
    cJSON_ArrayForEach(configuration, checkup_list(tree, "items")) {
        const cJSON *entry;
        int index = 0;
        cJSON_ArrayForEach(entry, checkup_list(configuration, "webhooks")) {
            const struct writer other = writer_of(configuration, entry, index++);
            if (!is_our_entry(contest, configuration, entry) && wins(contest, &other)) {
                list_name(&contest->last, "%s (%s)", other.configuration,
                          checkup_text(entry, "name"));
            }
        }
    }
}

/* True if the policy is in force. A policy without a binding does nothing. */
static bool is_bound(const char *policy, const cJSON *bindings) {
    const cJSON *binding;
    cJSON_ArrayForEach(binding, checkup_list(bindings, "items")) {
        if (strcmp(checkup_text(binding, "spec.policyName"), policy) == 0) {
            return true;
        }
    }
    return false;
}

static void enter_policies(struct contest *contest, const cJSON *policies, const cJSON *bindings) {
    const cJSON *policy;
    cJSON_ArrayForEach(policy, checkup_list(policies, "items")) {
        const char *name = checkup_text(policy, "metadata.name");
        const cJSON *rules = checkup_list(policy, "spec.matchConstraints.resourceRules");
        const struct writer other = {
            .rules = rules,
            .sees_all = cJSON_GetArraySize(rules) == 0,
            .configuration = "",
            .is_repeated = strcmp(checkup_text(policy, "spec.reinvocationPolicy"), "IfNeeded") == 0,
        };
        if (is_bound(name, bindings) && wins(contest, &other)) {
            list_name(&contest->last, "MutatingAdmissionPolicy %s", name);
        }
    }
}

/* Enters the policies, if there can be any. False if they cannot be looked at; the finding then
   says why. */
static bool read_policies(const struct checkup_neighbours *neighbours, struct contest *contest,
                          struct finding *finding) {
    AUTO(checkup_tree_fini) cJSON *policies = checkup_tree(neighbours->policies);
    AUTO(checkup_tree_fini) cJSON *bindings = checkup_tree(neighbours->bindings);
    if (neighbours->policies->status == HTTP_STATUS_NOT_FOUND) {
        return true;
    }
    if (!is_list(neighbours->policies, policies, "the list of MutatingAdmissionPolicies",
                 finding) ||
        !is_list(neighbours->bindings, bindings, "the list of MutatingAdmissionPolicyBindings",
                 finding)) {
        return false;
    }
    enter_policies(contest, policies, bindings);
    return true;
}

static bool has_our_entry(const cJSON *configuration) {
    const cJSON *entry;
    cJSON_ArrayForEach(entry, checkup_list(configuration, "webhooks")) {
        if (has_our_name(entry)) {
            return true;
        }
    }
    return false;
}

void checkup_last_word(const struct checkup_neighbours *neighbours,
                       const struct checkup_names *names, struct finding *finding) {
    AUTO(checkup_tree_fini) cJSON *tree = checkup_tree(neighbours->configurations);
    struct contest contest = {.names = names, .last = {.separator = ", "}};
    char rest[32];
    if (!is_list(neighbours->configurations, tree, "the list of MutatingWebhookConfigurations",
                 finding)) {
        return;
    }
    contest.configuration = find_our_configuration(tree, names);
    if (!has_our_entry(contest.configuration)) {
        finding_set(finding, FINDING_NOTE, "apply the manifests of this version again",
                    "no entry of Capstan is there to have the last word");
        return;
    }
    enter_webhooks(&contest, tree);
    bool has_policies = read_policies(neighbours, &contest, finding);
    if (contest.last.n_names > 0) {
        finding_set(finding, FINDING_NOTE,
                    "have them leave MCPServers and their Deployments alone, or rename "
                    "CONFIGURATION so that it sorts last: see docs/doctor.md",
                    "these see the same objects, and may undo what Capstan does: %s%s%s",
                    contest.last.text, more(&contest.last, rest),
                    has_policies ? "" : "; MutatingAdmissionPolicies could not be looked at");
    } else if (has_policies) {
        finding_set(finding, FINDING_OK, NULL,
                    "it has the last word over all others; %d of them may see the same objects",
                    contest.n_overruled);
    }
}
