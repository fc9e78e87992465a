// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_SETTINGS_H
#define CORE_DOCTOR_SETTINGS_H

/*
 * The flags of `capstan serve` and the files behind them, as a Deployment gives them. Everything is
 * borrowed from the Deployment's tree.
 */

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

enum { SETTINGS_WATCHED_MAX = 64 };

struct settings {
    const cJSON *pod;       /* spec.template.spec; NULL without a Deployment */
    const cJSON *container; /* the one that runs Capstan */
    /* A text is NULL if the flag is not there. */
    const char *namespace;
    const char *service_name;
    const char *config_name;
    const char *kubeconfig;
    const char *cert_path;
    const char *cert_name;
    const char *config;
    const char *objects;
    const char *status_dir;
    const char *webhook_address;
    const char *probe_address;
    const char *metrics_address;
    bool elects_leader;
    bool fails_closed;
    const char *watched[SETTINGS_WATCHED_MAX]; /* --watch-namespace */
    size_t n_watched;
    bool watches_more; /* than fit above */
};

/* A NULL tree is a Deployment of which nothing is known: it has no flags. */
void settings_read(const cJSON *deployment, struct settings *ret_settings);

/* The volume behind a path in the container. */
struct settings_mount {
    bool is_mounted;        /* a volume is mounted there */
    const char *secret;     /* its Secret; "" if it is none */
    const char *config_map; /* its ConfigMap; "" if it is none */
    const char *key;        /* the key for this path; "" for a folder */
};

/* A NULL path is mounted nowhere. */
struct settings_mount settings_mount(const struct settings *settings, const char *path);

/* The name of the Secret with the certificate: Capstan's own or, with --webhook-cert-path, the one
   that is mounted there; "" if that is no Secret. */
const char *settings_secret(const struct settings *settings);

/* The port of "host:port"; -1 if it has none. */
int settings_port(const char *address);

/* The number of a port of the container, given by name or as a number; -1 if there is none. */
int settings_container_port(const struct settings *settings, const cJSON *port);

/* The ServiceAccount of a pod's spec, which is "default" if it names none. */
const char *settings_account(const cJSON *pod);

#endif
