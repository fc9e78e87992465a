// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attribute.h"
#include "base/text.h"
#include "core/certificates/keyring.h"
#include "tree.h"

enum { PORT_MAX = 65535 };

struct flag {
    const char *name;
    size_t offset; /* of a text */
};

#define FLAG(NAME, MEMBER)                                                                         \
    { NAME, offsetof(struct settings, MEMBER) }

static const struct flag flags[] = {
    FLAG("--namespace", namespace),
    FLAG("--service-name", service_name),
    FLAG("--webhook-config-name", config_name),
    FLAG("--kubeconfig", kubeconfig),
    FLAG("--webhook-cert-path", cert_path),
    FLAG("--webhook-cert-name", cert_name),
    FLAG("--config", config),
    FLAG("--objects", objects),
    FLAG("--status-dir", status_dir),
    FLAG("--webhook-bind-address", webhook_address),
    FLAG("--health-probe-bind-address", probe_address),
    FLAG("--metrics-bind-address", metrics_address),
};

/* The value of "NAME=VALUE", or of "NAME" with the value behind it; NULL if it is another flag.
   `next` is NULL at the end. */
static const char *value_of(const char *argument, const char *next, const char *name) {
    size_t size = strlen(name);
    if (strncmp(argument, name, size) != 0) {
        return NULL;
    }
    if (argument[size] == '=') {
        return argument + size + 1;
    }
    return argument[size] == '\0' ? next : NULL;
}

/* Sets *is_on if the argument is this switch: as options_parse() reads it. */
static void read_switch(const char *argument, const char *name, bool *is_on) {
    size_t size = strlen(name);
    if (strncmp(argument, name, size) == 0) {
        const char *rest = argument + size;
        if (*rest == '\0' || strcmp(rest, "=true") == 0) {
            *is_on = true;
        } else if (strcmp(rest, "=false") == 0) {
            *is_on = false;
        }
    }
}

static void read_flag(const char *argument, const char *next, struct settings *settings) {
    const char *watched = value_of(argument, next, "--watch-namespace");
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        const char *value = value_of(argument, next, flags[i].name);
        if (value != NULL) {
            *(const char **)((char *)settings + flags[i].offset) = value;
        }
    }
    if (watched != NULL && settings->n_watched < SETTINGS_WATCHED_MAX) {
        settings->watched[settings->n_watched++] = watched;
    } else if (watched != NULL) {
        settings->watches_more = true;
    }
    read_switch(argument, "--leader-elect", &settings->elects_leader);
    read_switch(argument, "--fail-closed", &settings->fails_closed);
}

static void read_flags(const cJSON *arguments, struct settings *settings) {
    const cJSON *argument;
    cJSON_ArrayForEach(argument, arguments) {
        if (cJSON_IsString(argument)) {
            read_flag(argument->valuestring, cJSON_GetStringValue(argument->next), settings);
        }
    }
}

/* The container of the manifests' name, or else the first. */
static const cJSON *find_container(const cJSON *pod) {
    const cJSON *containers = tree_list(pod, "containers");
    const cJSON *container;
    cJSON_ArrayForEach(container, containers) {
        if (strcmp(tree_text(container, "name"), "capstan") == 0) {
            return container;
        }
    }
    return cJSON_GetArrayItem(containers, 0);
}

void settings_read(const cJSON *deployment, struct settings *ret_settings) {
    *ret_settings = (struct settings){.pod = tree_at(deployment, "spec.template.spec")};
    ret_settings->container = find_container(ret_settings->pod);
    read_flags(tree_list(ret_settings->container, "command"), ret_settings);
    read_flags(tree_list(ret_settings->container, "args"), ret_settings);
}

/* The part of the path below the folder; NULL if it is not below, "" if it is the folder. */
static const char *below(const char *path, const char *folder) {
    size_t size = strlen(folder);
    while (size > 1 && folder[size - 1] == '/') {
        size--;
    }
    if (size == 0 || strncmp(path, folder, size) != 0) {
        return NULL;
    }
    const char *rest = path + size;
    return *rest == '\0' ? rest : *rest == '/' ? rest + 1 : NULL;
}

/* The mount with the longest path above this one. */
static const cJSON *find_mount(const struct settings *settings, const char *path) {
    const cJSON *mount;
    const cJSON *best = NULL;
    cJSON_ArrayForEach(mount, tree_list(settings->container, "volumeMounts")) {
        const char *folder = tree_text(mount, "mountPath");
        if (below(path, folder) != NULL &&
            (best == NULL || strlen(folder) >= strlen(tree_text(best, "mountPath")))) {
            best = mount;
        }
    }
    return best;
}

static const cJSON *find_volume(const struct settings *settings, const char *name) {
    const cJSON *volume;
    cJSON_ArrayForEach(volume, tree_list(settings->pod, "volumes")) {
        if (strcmp(tree_text(volume, "name"), name) == 0) {
            return volume;
        }
    }
    return NULL;
}

/* The text at the path in the volume, or in the first source of a projected one that has it. */
static const char *source_of(const cJSON *volume, const char *path, const char *projected) {
    const char *name = tree_text(volume, path);
    const cJSON *source;
    cJSON_ArrayForEach(source, tree_list(volume, "projected.sources")) {
        name = name[0] != '\0' ? name : tree_text(source, projected);
    }
    return name;
}

/* The key for this file. A volume may give a key another file name. */
static const char *key_of(const cJSON *volume, const char *file) {
    const cJSON *items = tree_list(volume, "configMap.items");
    const cJSON *item;
    cJSON_ArrayForEach(item, items) {
        if (strcmp(tree_text(item, "path"), file) == 0) {
            return tree_text(item, "key");
        }
    }
    return file;
}

struct settings_mount settings_mount(const struct settings *settings, const char *path) {
    struct settings_mount found = {.secret = "", .config_map = "", .key = ""};
    const cJSON *mount = path != NULL ? find_mount(settings, path) : NULL;
    if (mount == NULL) {
        return found;
    }
    const cJSON *volume = find_volume(settings, tree_text(mount, "name"));
    const char *sub_path = tree_text(mount, "subPath");
    found.is_mounted = volume != NULL;
    found.secret = source_of(volume, "secret.secretName", "secret.name");
    found.config_map = source_of(volume, "configMap.name", "configMap.name");
    const char *rest = below(path, tree_text(mount, "mountPath"));
    const char *file = sub_path[0] != '\0' || rest == NULL ? sub_path : rest;
    found.key = key_of(volume, file);
    return found;
}

const char *settings_secret(const struct settings *settings) {
    return settings->cert_path == NULL ? KEYRING_SECRET_NAME
                                       : settings_mount(settings, settings->cert_path).secret;
}

int settings_port(const char *address) {
    const char *colon = strrchr(address, ':');
    int64_t port;
    return colon != NULL && text_parse_integer(colon + 1, 0, PORT_MAX, &port) ? (int)port : -1;
}

int settings_container_port(const struct settings *settings, const cJSON *port) {
    const cJSON *row;
    if (!cJSON_IsString(port)) {
        return (int)tree_integer(port, "", -1);
    }
    cJSON_ArrayForEach(row, tree_list(settings->container, "ports")) {
        if (strcmp(tree_text(row, "name"), port->valuestring) == 0) {
            return (int)tree_integer(row, "containerPort", -1);
        }
    }
    return -1;
}

const char *settings_account(const cJSON *pod) {
    const char *name = tree_text(pod, "serviceAccountName");
    return name[0] != '\0' ? name : "default";
}
