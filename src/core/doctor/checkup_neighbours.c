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

#include "base/text.h"
#include "checkup_inside.h"
#include "entry.h"
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

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* True for an entry of Capstan's manifests, of any version. */
static bool has_our_name(const cJSON *entry) {
    return ends_with(tree_text(entry, "name"), ".capstan.dev");
}

/* True if the entry calls our Service; or a URL, as an entry of ours. */
static bool leads_to_us(const cJSON *entry, const struct finding_names *names) {
    return entry_has_url(entry) ? has_our_name(entry) : entry_calls_us(entry, names);
}

static bool has_entry_that_leads_to_us(const cJSON *configuration,
                                       const struct finding_names *names) {
    const cJSON *entry;
    cJSON_ArrayForEach(entry, tree_list(configuration, "webhooks")) {
        if (leads_to_us(entry, names)) {
            return true;
        }
    }
    return false;
}

static bool is_our_configuration(const cJSON *configuration, const struct finding_names *names) {
    return strcmp(tree_text(configuration, "metadata.name"), names->configuration) == 0;
}

static const cJSON *find_our_configuration(const cJSON *tree, const struct finding_names *names) {
    const cJSON *configuration;
    cJSON_ArrayForEach(configuration, tree_list(tree, "items")) {
        if (is_our_configuration(configuration, names)) {
            return configuration;
        }
    }
    return NULL;
}

void checkup_leftover(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini) cJSON *tree = checkup_see(patient, QUESTION_CONFIGURATIONS, NULL, finding);
    const struct finding_names *names = &patient->names;
    struct listing shown = {.separator = ", "};
    struct listing command = {.separator = " "};
    const cJSON *configuration;
    char rest[32];
    if (tree == NULL) {
        return;
    }
    cJSON_ArrayForEach(configuration, tree_list(tree, "items")) {
        const char *name = tree_text(configuration, "metadata.name");
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
        .rules = tree_list(entry, "rules"),
        .configuration = tree_text(configuration, "metadata.name"),
        .index = index,
        .is_repeated = strcmp(tree_text(entry, "reinvocationPolicy"), "IfNeeded") == 0,
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
    const struct finding_names *names;
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
    cJSON_ArrayForEach(entry, tree_list(contest->configuration, "webhooks")) {
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
    cJSON_ArrayForEach(configuration, tree_list(tree, "items")) {
        const cJSON *entry;
        int index = 0;
        cJSON_ArrayForEach(entry, tree_list(configuration, "webhooks")) {
            const struct writer other = writer_of(configuration, entry, index++);
            if (!is_our_entry(contest, configuration, entry) && wins(contest, &other)) {
                list_name(&contest->last, "%s (%s)", other.configuration, tree_text(entry, "name"));
            }
        }
    }
}

/* True if the policy is in force. A policy without a binding does nothing. */
static bool is_bound(const char *policy, const cJSON *bindings) {
    const cJSON *binding;
    cJSON_ArrayForEach(binding, tree_list(bindings, "items")) {
        if (strcmp(tree_text(binding, "spec.policyName"), policy) == 0) {
            return true;
        }
    }
    return false;
}

static void enter_policies(struct contest *contest, const cJSON *policies, const cJSON *bindings) {
    const cJSON *policy;
    cJSON_ArrayForEach(policy, tree_list(policies, "items")) {
        const char *name = tree_text(policy, "metadata.name");
        const cJSON *rules = tree_list(policy, "spec.matchConstraints.resourceRules");
        const struct writer other = {
            .rules = rules,
            .sees_all = cJSON_GetArraySize(rules) == 0,
            .configuration = "",
            .is_repeated = strcmp(tree_text(policy, "spec.reinvocationPolicy"), "IfNeeded") == 0,
        };
        if (is_bound(name, bindings) && wins(contest, &other)) {
            list_name(&contest->last, "MutatingAdmissionPolicy %s", name);
        }
    }
}

/* Enters the policies, if the cluster knows any. False if they cannot be looked at; the finding
   then says why. */
static bool read_policies(const struct patient *patient, struct contest *contest,
                          struct finding *finding) {
    AUTO(tree_fini) cJSON *policies = NULL;
    AUTO(tree_fini) cJSON *bindings = NULL;
    if (checkup_is_absent(patient, QUESTION_MUTATIONS)) {
        return true;
    }
    policies = checkup_see(patient, QUESTION_MUTATIONS, NULL, finding);
    if (policies == NULL) {
        return false;
    }
    bindings = checkup_see(patient, QUESTION_BINDINGS, NULL, finding);
    if (bindings == NULL) {
        return false;
    }
    enter_policies(contest, policies, bindings);
    return true;
}

static bool has_our_entry(const cJSON *configuration) {
    const cJSON *entry;
    cJSON_ArrayForEach(entry, tree_list(configuration, "webhooks")) {
        if (has_our_name(entry)) {
            return true;
        }
    }
    return false;
}

void checkup_last_word(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini) cJSON *tree = checkup_see(patient, QUESTION_CONFIGURATIONS, NULL, finding);
    struct contest contest = {.names = &patient->names, .last = {.separator = ", "}};
    char rest[32];
    if (tree == NULL) {
        return;
    }
    contest.configuration = find_our_configuration(tree, &patient->names);
    if (!has_our_entry(contest.configuration)) {
        finding_set(finding, FINDING_NOTE, CHECKUP_APPLY_AGAIN,
                    "no entry of Capstan is there to have the last word");
        return;
    }
    enter_webhooks(&contest, tree);
    bool has_policies = read_policies(patient, &contest, finding);
    if (contest.last.n_names > 0) {
        finding_set(finding, has_policies ? FINDING_NOTE : FINDING_UNKNOWN,
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
