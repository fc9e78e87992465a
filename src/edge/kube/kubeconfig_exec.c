// SPDX-License-Identifier: Apache-2.0
#include "kubeconfig_exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kube_text.h"

/* A NULL follows the last text; `n` does not count it. */
struct list {
    char **texts;
    size_t n;
};

struct variable {
    char *name;
    char *value;
};

struct exec {
    char *api_version;
    char *command;
    struct list words; /* the first is for the command; its arguments follow */
    struct list environment;
    char *install_hint;
    char *interactive_mode;
    bool wants_cluster;
};

static void list_add(struct list *list, char *owned_text) {
    list->texts = memory_resize(list->texts, list->n + 2, sizeof(char *));
    list->texts[list->n++] = owned_text;
    list->texts[list->n] = NULL;
}

static void free_texts(char **texts) {
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++) {
        free(texts[i]);
    }
    free(texts);
}

void kubeconfig_free_plugin(struct kube_plugin *plugin) {
    if (plugin != NULL) {
        free(plugin->api_version);
        free_texts(plugin->command);
        free_texts(plugin->environment);
        free(plugin->install_hint);
        free(plugin);
    }
}

static void exec_fini(struct exec *exec) {
    free(exec->api_version);
    free(exec->command);
    free_texts(exec->words.texts);
    free_texts(exec->environment.texts);
    free(exec->install_hint);
    free(exec->interactive_mode);
}

static void variable_fini(struct variable *variable) {
    free(variable->name);
    free(variable->value);
}

static bool is_api_version(const char *text) {
    return strcmp(text, "client.authentication.k8s.io/v1") == 0 ||
           strcmp(text, "client.authentication.k8s.io/v1beta1") == 0;
}

static bool is_possible_mode(const char *text) {
    return strcmp(text, "Never") == 0 || strcmp(text, "IfAvailable") == 0;
}

static void read_argument(struct json_walk *walk, void *at) {
    char *argument = NULL;
    (void)json_walk_string(walk, &argument);
    list_add(at, argument == NULL ? memory_copy("", 0) : argument);
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
    size_t size = strlen(variable.name) + 1 + strlen(value) + 1;
    char *text = memory_new(size, 1);
    snprintf(text, size, "%s=%s", variable.name, value);
    list_add(at, text);
}

static const struct json_field exec_rows[] = {
    JSON_STRING_VALID("apiVersion", struct exec, api_version, is_api_version,
                      "is not supported; use client.authentication.k8s.io/v1"),
    JSON_STRING("command", struct exec, command),
    JSON_LIST("args", struct exec, words, read_argument),
    JSON_LIST("env", struct exec, environment, read_variable),
    JSON_STRING("installHint", struct exec, install_hint),
    JSON_BOOL("provideClusterInfo", struct exec, wants_cluster),
    JSON_STRING_VALID("interactiveMode", struct exec, interactive_mode, is_possible_mode,
                      "is not possible, since there is nobody to ask; use Never or IfAvailable"),
};
static const struct json_fields exec_fields = JSON_FIELDS(exec_rows);

static void check(struct json_walk *walk, const struct exec *exec) {
    if (exec->command == NULL) {
        json_walk_fail_below(walk, "command", "must be given");
    } else if (exec->api_version == NULL) {
        json_walk_fail_below(walk, "apiVersion", "must be given");
    }
}

static struct kube_plugin *make_plugin(struct exec *exec) {
    struct kube_plugin *plugin = memory_new(1, sizeof(*plugin));
    free(exec->words.texts[0]);
    exec->words.texts[0] = TAKE(exec->command);
    if (exec->environment.texts == NULL) {
        exec->environment.texts = memory_new(1, sizeof(char *));
    }
    *plugin = (struct kube_plugin){.api_version = TAKE(exec->api_version),
                                   .command = TAKE(exec->words.texts),
                                   .environment = TAKE(exec->environment.texts),
                                   .install_hint = TAKE(exec->install_hint),
                                   .wants_cluster = exec->wants_cluster};
    return plugin;
}

void kubeconfig_read_exec(struct json_walk *walk, void *at) {
    struct kube_plugin **plugin = at;
    AUTO(exec_fini) struct exec exec = {.api_version = NULL};
    list_add(&exec.words, memory_copy("", 0));
    if (json_walk_object(walk, &exec_fields, &exec) != PRESENCE_SET) {
        return;
    }
    check(walk, &exec);
    if (!walk->strict->has_failed) {
        kubeconfig_free_plugin(*plugin);
        *plugin = make_plugin(&exec);
    }
}

void kubeconfig_resolve_plugin(const char *folder, struct kube_plugin *plugin) {
    /* A name without a slash is searched in PATH. */
    if (plugin != NULL && strchr(plugin->command[0], '/') != NULL) {
        kube_text_resolve(folder, &plugin->command[0]);
    }
}
