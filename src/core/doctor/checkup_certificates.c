// SPDX-License-Identifier: Apache-2.0

/*
 * The certificate in the Secret: who trusts it, how long it lives; and who owns the webhook
 * configuration that trusts it. The judgements are those of `serve`.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "checkup_inside.h"
#include "core/certificates/expiry.h"
#include "core/certificates/keyring.h"
#include "core/certificates/ownership.h"
#include "core/certificates/registration.h"
#include "settings.h"

#define HOUR ((int64_t)3600)
#define DAY  (24 * HOUR)

enum { SERVICE_NAME_SIZE = 2 * CHECKUP_NAME_SIZE };

static const char certificate_name[] = "tls.crt";

/* True if the Secret holds the certificate that is served. The Deployment says where that comes
   from; without an answer about it, Capstan's own Secret is looked at. */
static bool is_in_secret(const struct settings *settings, struct finding *finding) {
    const char *name = settings->cert_name != NULL ? settings->cert_name : certificate_name;
    if (settings->cert_path != NULL && settings_secret(settings)[0] == '\0') {
        return finding_set(
            finding, FINDING_UNKNOWN,
            "see the metric capstan_certificate_expiration_timestamp_seconds, and the "
            "log: README.md",
            "the certificate in %.120s comes from no Secret, so doctor cannot look "
            "at it",
            settings->cert_path);
    }
    return strcmp(name, certificate_name) == 0 ||
           finding_set(finding, FINDING_UNKNOWN,
                       "name it tls.crt, and drop --webhook-cert-name: kubectl -n NAMESPACE edit "
                       "deployment capstan",
                       "the certificate is called %.120s, and doctor reads tls.crt alone", name);
}

/* Reads the Secret. False if it has no certificate; the finding then says why. */
static bool read_keyring(const struct patient *patient, struct keyring *ret_keyring,
                         struct finding *finding) {
    AUTO(tree_fini) cJSON *deployment = tree_read(&patient->answers[QUESTION_DEPLOYMENT]);
    AUTO(tree_wipe) cJSON *tree = NULL;
    const struct answer *answer = &patient->answers[QUESTION_SECRET];
    struct settings settings;
    struct error error;
    settings_read(deployment, &settings);
    if (!is_in_secret(&settings, finding)) {
        return false;
    }
    tree = checkup_see(patient, QUESTION_SECRET,
                       settings.cert_path != NULL
                           ? "see why cert-manager does not make it: kubectl -n NAMESPACE describe "
                             "certificates"
                           : "start a replica, and the leader makes it: kubectl -n NAMESPACE get "
                             "pods",
                       finding);
    if (tree == NULL) {
        return false;
    }
    if (!keyring_read(answer->json, answer->size, ret_keyring, &error)) {
        return finding_set(finding, FINDING_PROBLEM,
                           "kubectl -n NAMESPACE delete secret capstan-certs; the leader makes it "
                           "again",
                           "the Secret: %s", error.text);
    }
    if (ret_keyring->tls_crt[0] == '\0') {
        keyring_fini(ret_keyring);
        return finding_set(finding, FINDING_PROBLEM,
                           "start a replica; if one runs, see its log (certificate.failed): "
                           "kubectl -n NAMESPACE logs deployment/capstan",
                           "the Secret of the certificates has no certificate yet");
    }
    return true;
}

static void check_entries(const struct patient *patient, const struct registration *registration,
                          const struct keyring *keyring, const char *remedy,
                          struct finding *finding) {
    char name[SERVICE_NAME_SIZE];
    struct error error;
    snprintf(name, sizeof(name), "%s.%s.svc", patient->names.service, patient->names.namespace);
    for (size_t i = 0; i < registration->n_entries; i++) {
        const struct registration_entry *entry = &registration->entries[i];
        if (entry->bundle_pem[0] == '\0') {
            finding_set(finding, FINDING_PROBLEM, remedy,
                        "%s has no caBundle: it trusts no certificate", entry->name);
            return;
        }
        if (!patient->tools->verify(keyring->tls_crt, entry->bundle_pem, name, patient->now,
                                    &error)) {
            finding_set(finding, FINDING_PROBLEM, remedy, "%s: %s", entry->name, error.text);
            return;
        }
    }
    finding_set(finding, FINDING_OK, NULL, "all %zu entries trust the certificate for %s",
                registration->n_entries, name);
}

/* Looks at the entries that lead to our Service. `serve` leaves the others alone. */
void checkup_bundle(const struct patient *patient, struct finding *finding) {
    static const char remedy[] =
        "if a replica leads, it writes the caBundle within seconds; else see its log "
        "(certificate.failed, registration.contested): kubectl -n NAMESPACE logs "
        "deployment/capstan";
    AUTO(registration_fini) struct registration registration = {.n_entries = 0};
    AUTO(keyring_fini) struct keyring keyring = {.ca_crt = NULL};
    AUTO(tree_fini)
    cJSON *tree = checkup_see_if_there(patient, QUESTION_CONFIGURATION, finding);
    const struct answer *answer = &patient->answers[QUESTION_CONFIGURATION];
    struct error error;
    if (tree == NULL || !read_keyring(patient, &keyring, finding)) {
        return;
    }
    if (!registration_read(answer->json, answer->size, &registration, &error)) {
        finding_set(finding, FINDING_PROBLEM, CHECKUP_APPLY_AGAIN, "%s", error.text);
        return;
    }
    (void)registration_keep_service(&registration, patient->names.namespace,
                                    patient->names.service);
    if (registration.n_entries == 0) {
        finding_set(finding, FINDING_UNKNOWN,
                    "give doctor the right names: capstan doctor --namespace, --service-name",
                    "no entry leads to the Service, so doctor cannot tell which certificate it "
                    "has to trust");
        return;
    }
    check_entries(patient, &registration, &keyring, remedy, finding);
}

/* "60 days", or "5 hours". */
static void format_time(char out[32], int64_t seconds) {
    if (seconds >= 2 * DAY) {
        snprintf(out, 32, "%" PRId64 " days", seconds / DAY);
    } else {
        snprintf(out, 32, "%" PRId64 " hours", seconds / HOUR);
    }
}

static void judge_life(int64_t not_before, int64_t not_after, int64_t now,
                       struct finding *finding) {
    static const char remedy[] =
        "see the leader's log (certificate.failed), or whatever renews the Secret; to renew at "
        "once: kubectl -n NAMESPACE annotate secret capstan-certs capstan.dev/rotate=leaf";
    char date[TEXT_TIME_SIZE];
    char left[32];
    text_format_time(date, not_after);
    format_time(left, not_after - now);
    if (not_before > now) {
        text_format_time(date, not_before);
        finding_set(finding, FINDING_PROBLEM,
                    "compare the clocks of this machine, of the nodes and of the API server: date "
                    "-u; then kubectl -n NAMESPACE annotate secret capstan-certs "
                    "capstan.dev/rotate=leaf",
                    "it begins in the future, on %s", date);
        return;
    }
    switch (expiry_level_at(not_before, not_after, now)) {
    case EXPIRY_OVER:
        finding_set(finding, FINDING_PROBLEM, remedy, "it expired on %s", date);
        break;
    case EXPIRY_LAST:
        finding_set(finding, FINDING_PROBLEM, remedy,
                    "it expires on %s, in %s, and nobody renewed it", date, left);
        break;
    case EXPIRY_WARNING:
    case EXPIRY_NOTICE:
        finding_set(finding, FINDING_NOTE, remedy, "it expires on %s, in %s", date, left);
        break;
    default:
        finding_set(finding, FINDING_OK, NULL, "good for another %s", left);
        break;
    }
}

void checkup_life(const struct patient *patient, struct finding *finding) {
    AUTO(keyring_fini) struct keyring keyring = {.ca_crt = NULL};
    struct error error;
    int64_t not_before;
    int64_t not_after;
    if (!read_keyring(patient, &keyring, finding)) {
        return;
    }
    if (!patient->tools->read_life(keyring.tls_crt, &not_before, &not_after, &error)) {
        finding_set(finding, FINDING_PROBLEM,
                    "kubectl -n NAMESPACE delete secret capstan-certs; the leader makes it again",
                    "the certificate: %s", error.text);
        return;
    }
    judge_life(not_before, not_after, patient->now, finding);
}

/* Capstan makes the Namespace an owner where all entries are its own. */
void checkup_owner(const struct patient *patient, struct finding *finding) {
    AUTO(tree_fini)
    cJSON *tree = checkup_see_if_there(patient, QUESTION_CONFIGURATION, finding);
    AUTO(tree_fini) cJSON *home_tree = NULL;
    const struct answer *answer = &patient->answers[QUESTION_CONFIGURATION];
    const struct answer *home = &patient->answers[QUESTION_HOME];
    struct ownership_namespace namespace = {.name = patient->names.namespace};
    struct ownership_view view;
    struct error error;
    if (tree == NULL) {
        return;
    }
    home_tree = checkup_see(patient, QUESTION_HOME, CHECKUP_APPLY_AGAIN, finding);
    if (home_tree == NULL) {
        return;
    }
    if (!ownership_read_namespace(home->json, home->size, &namespace, &error) ||
        !ownership_read(answer->json, answer->size, &namespace, patient->names.service, &view,
                        &error)) {
        finding_set(finding, FINDING_UNKNOWN, CHECKUP_APPLY_AGAIN, "%s", error.text);
    } else if (view.is_owned) {
        finding_set(finding, FINDING_OK, NULL,
                    "the Namespace owns the webhook configuration, which goes with it");
    } else if (!view.is_ours) {
        finding_set(finding, FINDING_OK, NULL,
                    "not all entries of the webhook configuration lead to the Service, so the "
                    "Namespace does not own it");
    } else {
        finding_set(finding, FINDING_NOTE,
                    "see the leader's log (registration.unowned): kubectl -n NAMESPACE logs "
                    "deployment/capstan. To uninstall, delete the configuration first: "
                    "manifests/README.md",
                    "the Namespace does not own the webhook configuration: if somebody deletes "
                    "the Namespace, the configuration stays");
    }
}
