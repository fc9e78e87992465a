// SPDX-License-Identifier: Apache-2.0
#include "rotate_log.h"

#include <stdio.h>

#include "chance.h"
#include "core/certificates/keyring.h"
#include "edge/clock.h"

enum { SERVICE_SIZE = 640 };

void rotate_log_foreign(const struct rotate_options *options, size_t n_foreign) {
    char service[SERVICE_SIZE];
    snprintf(service, sizeof(service), "%s/%s", options->namespace, options->service_name);
    log_event(options->log, LOG_WARN, "registration.foreign",
              LOG_TEXT("name", options->config_name), LOG_INTEGER("entries", (int64_t)n_foreign),
              LOG_TEXT("service", service),
              LOG_TEXT("hint", "these entries lead elsewhere than to this Service and are left "
                               "alone; --namespace and --service-name say which is ours"));
}

void rotate_log_absent(const struct rotate_options *options) {
    log_event(options->log, LOG_WARN, "registration.absent", LOG_TEXT("name", options->config_name),
              LOG_TEXT("hint", "there is no such MutatingWebhookConfiguration, or none of its "
                               "entries leads here: nobody asks Capstan; apply the manifests, or "
                               "name another by --webhook-config-name"));
}

void rotate_log_written(const struct rotate_options *options,
                        const struct rotate_written *written) {
    static const char *const phases[] = {
        [RENEWAL_BOOTSTRAP] = "bootstrap", [RENEWAL_RESTORE] = "restore",
        [RENEWAL_PREPARE] = "prepare",     [RENEWAL_SWITCH] = "switch",
        [RENEWAL_RETIRE] = "retire",
    };
    if (written->is_secret) {
        log_event(options->log, LOG_INFO, "certificate.renewed",
                  LOG_TEXT("phase", phases[written->phase]));
    } else {
        log_event(options->log, LOG_INFO, "registration.written",
                  LOG_TEXT("name", options->config_name));
    }
}

void rotate_log_contest(const struct rotate_options *options, struct complaint *contest,
                        const char *secret_uid, bool is_first, int64_t now_ms) {
    const char *hint = "somebody keeps changing the webhook configuration; Capstan writes caBundle "
                       "again after a pause that doubles up to 60 s; see who it is by kubectl get "
                       "--show-managed-fields, and let it leave caBundle alone";
    const struct event event = {
        .namespace = options->namespace,
        .name = KEYRING_SECRET_NAME,
        .uid = secret_uid,
        .api_version = "v1",
        .kind = "Secret",
        .type = "Warning",
        .reason = "RegistrationContested",
        .action = "WriteCABundle",
        .note = hint,
        .instance = elect_identity(options->elect),
        .wall_us = clock_wall_us(),
        .random = chance_draw(),
    };
    int64_t times = complaint_raise(contest, "", now_ms);
    if (times > 0) {
        log_event(options->log, LOG_WARN, "registration.contested",
                  LOG_TEXT("name", options->config_name), LOG_TEXT("hint", hint),
                  LOG_INTEGER("times", times));
    }
    if (is_first) {
        events_post(options->events, &event);
    }
}
