// SPDX-License-Identifier: Apache-2.0
#include "kubeconfig_exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The last of the texts is NULL, and not counted. */
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
    struct list command; /* the first is the command itself */
    struct list environment;
    char *install_hint;
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
    free_texts(exec->command.texts);
    free_texts(exec->environment.texts);
    free(exec->install_hint);
}

static void variable_fini(struct variable *variable) {
    free(variable->name);
    free(variable->value);
}

static void read_api_version(struct kube_field_reader *reader, const char *path, void *target) {
    char **version = target;
    kube_field_read_text(reader, path, target);
    if (*version != NULL && strcmp(*version, "client.authentication.k8s.io/v1") != 0 &&
        strcmp(*version, "client.authentication.k8s.io/v1beta1") != 0) {
        kube_field_fail_about(reader, path, *version,
                              "is not supported; use client.authentication.k8s.io/v1");
    }
}

/* A name without a slash is searched in PATH. */
static void read_command(struct kube_field_reader *reader, const char *path, void *target) {
    struct list *list = target;
    AUTO_FREE char *command = NULL;
    kube_field_read_text(reader, path, &command);
    if (command != NULL) {
        free(list->texts[0]);
        list->texts[0] =
            strchr(command, '/') == NULL ? TAKE(command) : kube_field_resolve(reader, command);
    }
}

static void read_argument(struct kube_field_reader *reader, const char *path, void *target) {
    char *argument = kube_field_take_string(reader, path);
    list_add(target, argument == NULL ? memory_copy("", 0) : argument);
}

static void read_arguments(struct kube_field_reader *reader, const char *path, void *target) {
    kube_field_read_list(reader, path, read_argument, target);
}

static void read_variable(struct kube_field_reader *reader, const char *path, void *target) {
    static const struct kube_field fields[] = {
        {"name", kube_field_read_text, offsetof(struct variable, name), NULL},
        {"value", kube_field_read_text, offsetof(struct variable, value), NULL},
    };
    AUTO(variable_fini) struct variable variable = {NULL, NULL};
    size_t at = reader->at;
    kube_field_read_mapping(reader, path, fields, COUNT_OF(fields), &variable);
    reader->at = at;
    if (variable.name == NULL || strchr(variable.name, '=') != NULL) {
        kube_field_fail(reader, path, "must have a name, without an equals sign");
        return;
    }
    const char *value = variable.value == NULL ? "" : variable.value;
    size_t size = strlen(variable.name) + 1 + strlen(value) + 1;
    char *text = memory_new(size, 1);
    snprintf(text, size, "%s=%s", variable.name, value);
    list_add(target, text);
}

static void read_environment(struct kube_field_reader *reader, const char *path, void *target) {
    kube_field_read_list(reader, path, read_variable, target);
}

static void read_interactive_mode(struct kube_field_reader *reader, const char *path,
                                  void *target) {
    (void)target;
    AUTO_FREE char *mode = NULL;
    kube_field_read_text(reader, path, &mode);
    if (mode != NULL && strcmp(mode, "Never") != 0 && strcmp(mode, "IfAvailable") != 0) {
        kube_field_fail_about(
            reader, path, mode,
            "is not possible, since there is nobody to ask; use Never or IfAvailable");
    }
}

static void check(struct kube_field_reader *reader, const char *path, const struct exec *exec) {
    const char *missing = exec->command.texts[0][0] == '\0' ? "command"
                          : exec->api_version == NULL       ? "apiVersion"
                                                            : NULL;
    if (missing != NULL) {
        char key_path[KUBE_FIELD_PATH_SIZE];
        snprintf(key_path, sizeof(key_path), "%.*s.%s", KUBECONFIG_PATH_SIZE + 24, path, missing);
        kube_field_fail(reader, key_path, "must be given");
    }
}

void kubeconfig_read_exec(struct kube_field_reader *reader, const char *path, void *target) {
    static const struct kube_field fields[] = {
        {"apiVersion", read_api_version, offsetof(struct exec, api_version), NULL},
        {"command", read_command, offsetof(struct exec, command), NULL},
        {"args", read_arguments, offsetof(struct exec, command), NULL},
        {"env", read_environment, offsetof(struct exec, environment), NULL},
        {"installHint", kube_field_read_text, offsetof(struct exec, install_hint), NULL},
        {"provideClusterInfo", kube_field_read_bool, offsetof(struct exec, wants_cluster), NULL},
        {"interactiveMode", read_interactive_mode, 0, NULL},
    };
    struct kube_plugin **plugin = target;
    if (json_peek(&reader->json) == JSON_NULL) {
        json_skip(&reader->json);
        return;
    }
    AUTO(exec_fini) struct exec exec = {.api_version = NULL};
    list_add(&exec.command, memory_copy("", 0));
    size_t at = reader->at;
    kube_field_read_mapping(reader, path, fields, COUNT_OF(fields), &exec);
    reader->at = at;
    check(reader, path, &exec);
    if (reader->has_failed) {
        return;
    }
    if (exec.environment.texts == NULL) {
        exec.environment.texts = memory_new(1, sizeof(char *));
    }
    kubeconfig_free_plugin(*plugin);
    *plugin = memory_new(1, sizeof(**plugin));
    **plugin = (struct kube_plugin){.api_version = TAKE(exec.api_version),
                                    .command = TAKE(exec.command.texts),
                                    .environment = TAKE(exec.environment.texts),
                                    .install_hint = TAKE(exec.install_hint),
                                    .wants_cluster = exec.wants_cluster};
}
