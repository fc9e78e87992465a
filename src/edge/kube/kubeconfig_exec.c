// SPDX-License-Identifier: Apache-2.0
#include "kubeconfig_exec.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kube_text.h"

struct variable {
    char *name;
    char *value;
};

struct exec {
    struct kube_plugin plugin;
    char *interactive_mode;
};

static void plugin_fini(struct kube_plugin *plugin) {
    free(plugin->api_version);
    kube_text_list_free(plugin->command);
    kube_text_list_free(plugin->environment);
    free(plugin->install_hint);
}

void kubeconfig_free_plugin(struct kube_plugin *plugin) {
    if (plugin != NULL) {
        plugin_fini(plugin);
        free(plugin);
    }
}

static void exec_fini(struct exec *exec) {
    plugin_fini(&exec->plugin);
    free(exec->interactive_mode);
}

static void variable_fini(struct variable *variable) {
    free(variable->name);
    memory_free_secret(variable->value);
}

static bool is_api_version(const char *text) {
    return strcmp(text, "client.authentication.k8s.io/v1") == 0 ||
           strcmp(text, "client.authentication.k8s.io/v1beta1") == 0;
}

static bool is_possible_mode(const char *text) {
    return strcmp(text, "Never") == 0 || strcmp(text, "IfAvailable") == 0;
}

/* Returns "" for a text that is missing. */
static char *read_word(struct json_walk *walk) {
    char *word = NULL;
    (void)json_walk_string(walk, &word);
    return word == NULL ? memory_copy("", 0) : word;
}

/* The first word is there from the start. */
static void read_command(struct json_walk *walk, void *at) {
    char ***command = at;
    free((*command)[0]);
    (*command)[0] = read_word(walk);
}

static void read_argument(struct json_walk *walk, void *at) {
    kube_text_list_add(at, read_word(walk));
}

static void read_variable(struct json_walk *walk, void *at) {
    static const struct json_field rows[] = {
        JSON_STRING("name", struct variable, name),
        JSON_STRING("value", struct variable, value),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    AUTO(variable_fini) struct variable variable = {NULL, NULL};
    (void)json_walk_object(walk, &fields, &variable);
    if (variable.name == NULL || strchr(variable.name, '=') != NULL) {
        json_walk_fail(walk, "must have a name, without an equals sign");
        return;
    }
    const char *value = variable.value == NULL ? "" : variable.value;
    kube_text_list_add(at, memory_format("%s=%s", variable.name, value));
}

static const struct json_field exec_rows[] = {
    JSON_STRING_VALID("apiVersion", struct exec, plugin.api_version, is_api_version,
                      "is not supported; use client.authentication.k8s.io/v1"),
    JSON_READ("command", struct exec, plugin.command, read_command),
    JSON_LIST("args", struct exec, plugin.command, read_argument),
    JSON_LIST("env", struct exec, plugin.environment, read_variable),
    JSON_STRING("installHint", struct exec, plugin.install_hint),
    JSON_BOOL("provideClusterInfo", struct exec, plugin.wants_cluster),
    JSON_STRING_VALID("interactiveMode", struct exec, interactive_mode, is_possible_mode,
                      "is not possible, since there is nobody to ask; use Never or IfAvailable"),
};
static const struct json_fields exec_fields = JSON_FIELDS(exec_rows);

static void check(struct json_walk *walk, const struct kube_plugin *plugin) {
    if (*plugin->command[0] == '\0') {
        json_walk_fail_below(walk, "command", "must be given");
    } else if (plugin->api_version == NULL) {
        json_walk_fail_below(walk, "apiVersion", "must be given");
    }
}

void kubeconfig_read_exec(struct json_walk *walk, void *at) {
    struct kube_plugin **plugin = at;
    AUTO(exec_fini) struct exec exec = {.interactive_mode = NULL};
    exec.plugin.command = memory_new(2, sizeof(char *));
    exec.plugin.command[0] = memory_copy("", 0);
    exec.plugin.environment = memory_new(1, sizeof(char *));
    if (json_walk_object(walk, &exec_fields, &exec) != PRESENCE_SET) {
        return;
    }
    check(walk, &exec.plugin);
    if (!walk->strict->has_failed) {
        kubeconfig_free_plugin(*plugin);
        *plugin = memory_new(1, sizeof(**plugin));
        **plugin = TAKE(exec.plugin);
    }
}

void kubeconfig_resolve_plugin(const char *folder, struct kube_plugin *plugin) {
    /* A name without a slash is searched in PATH. */
    if (plugin != NULL && strchr(plugin->command[0], '/') != NULL) {
        kube_text_resolve(folder, &plugin->command[0]);
    }
}
