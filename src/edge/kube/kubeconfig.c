// SPDX-License-Identifier: Apache-2.0
#include "edge/kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json_fields.h"
#include "base/memory.h"
#include "edge/file.h"
#include "edge/yaml.h"
#include "kube_proxy.h"
#include "kube_text.h"
#include "kubeconfig_decode.h"
#include "kubeconfig_exec.h"

enum { FILE_MAX = 4 << 20 };

/* One of the lists of a kubeconfig: its items are {name: ..., <key>: {...}}. */
struct named_list {
    const char *name; /* "clusters" */
    const char *key;  /* "cluster" */
    struct named_part {
        char *name;
        struct kubeconfig_part part;
    } * items;
    size_t n_items;
};

struct kubeconfig {
    char *api_version;
    char *kind;
    struct named_list clusters, contexts, users;
    char *current_context; /* or NULL */
};

/* A kubeconfig and the file that it is from. */
struct source {
    char *path;
    char *folder; /* "" or with its slash */
    struct yaml_document document;
    struct kubeconfig config;
};

/* The files that are merged: the first one that has a thing counts, as for kubectl.
   https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ */
struct merge {
    struct source *sources;
    size_t n_sources;
    const struct source *at_fault; /* NULL: none of them */
};

static void free_items(struct named_list *list) {
    for (size_t i = 0; i < list->n_items; i++) {
        free(list->items[i].name);
    }
    free(list->items);
}

static void kubeconfig_fini(struct kubeconfig *config) {
    free(config->api_version);
    free(config->kind);
    free_items(&config->clusters);
    free_items(&config->contexts);
    free_items(&config->users);
    free(config->current_context);
}

void kube_access_fini(struct kube_access *access) {
    char *const texts[] = {
        access->server,          access->namespace,       access->ca_file,
        access->ca_pem,          access->tls_server_name, access->certificate_file,
        access->certificate_pem, access->key_file,        access->key_pem,
        access->token,           access->token_file,      access->plugin_config,
        access->proxy,           access->no_proxy,
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        memory_free_secret(texts[i]);
    }
    kubeconfig_free_plugin(access->plugin);
    kube_text_list_free(access->impersonation);
    *access = (struct kube_access){.server = NULL};
}

static const struct named_part *find_part(const struct named_list *list, const char *name) {
    for (size_t i = 0; i < list->n_items; i++) {
        if (strcmp(list->items[i].name, name) == 0) {
            return &list->items[i];
        }
    }
    return NULL;
}

static void read_name(struct json_walk *walk, void *at) {
    struct named_part *item = at;
    (void)json_walk_string(walk, &item->name);
    if (item->name == NULL) {
        json_walk_fail(walk, "must be given");
    } else if (find_part(walk->context, item->name) != NULL) {
        json_walk_fail_about(walk, item->name, "is there twice");
    }
}

/* Keeps the JSON of the part: only a part that the context names is read. */
static void keep_part(struct json_walk *walk, void *at) {
    struct kubeconfig_part *part = at;
    part->offset = walk->at;
    (void)json_read_raw(walk->reader, &part->json);
}

static void read_item(struct json_walk *walk, void *at) {
    struct named_list *list = at;
    const struct json_field rows[] = {
        JSON_READ_WHOLE("name", read_name),
        {.key = list->key,
         .key_size = strlen(list->key),
         .kind = JSON_FIELD_READ,
         .read = keep_part,
         .at = offsetof(struct named_part, part),
         .state = JSON_NO_STATE},
    };
    const struct json_fields fields = JSON_FIELDS(rows);
    struct named_part item = {.part = {.offset = walk->at}};
    walk->context = list;
    (void)json_walk_object(walk, &fields, &item);
    if (item.name == NULL) {
        json_walk_fail_below(walk, "name", "must be given");
        return;
    }
    snprintf(item.part.path, sizeof(item.part.path), "%s[%zu].%s", list->name, list->n_items,
             list->key);
    list->items = memory_resize(list->items, list->n_items + 1, sizeof(*list->items));
    list->items[list->n_items++] = item;
}

static bool is_v1(const char *text) {
    return strcmp(text, "v1") == 0;
}

static bool is_config(const char *text) {
    return strcmp(text, "Config") == 0;
}

static bool read_config(const struct buffer *json, struct kubeconfig *config, struct error *error) {
    static const struct json_field rows[] = {
        JSON_STRING_VALID("apiVersion", struct kubeconfig, api_version, is_v1,
                          "is not known; it must be v1"),
        JSON_STRING_VALID("kind", struct kubeconfig, kind, is_config,
                          "is not known; it must be Config"),
        JSON_LIST("clusters", struct kubeconfig, clusters, read_item),
        JSON_LIST("contexts", struct kubeconfig, contexts, read_item),
        JSON_LIST("users", struct kubeconfig, users, read_item),
        JSON_STRING("current-context", struct kubeconfig, current_context),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct json_reader reader;
    struct json_strict strict = {.error = error};
    struct json_walk walk = {.reader = &reader, .strict = &strict};
    json_begin(&reader, json->bytes, json->size);
    if (json_peek(&reader) != JSON_OBJECT) {
        return error_set_at(error, ERROR_INVALID, 0, "the document must be a mapping");
    }
    (void)json_walk_object(&walk, &fields, config);
    return json_walk_finish(&walk);
}

static const struct named_list *list_of(const struct kubeconfig *config, size_t list) {
    return (const struct named_list *)(const void *)((const char *)config + list);
}

/* `list` is the offset of one in struct kubeconfig. */
static bool fail_missing(const struct merge *merge, size_t list, const char *name,
                         struct error *error) {
    char text[140] = "";
    for (size_t i = 0; i < merge->n_sources; i++) {
        const struct named_list *items = list_of(&merge->sources[i].config, list);
        for (size_t k = 0; k < items->n_items; k++) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof(text) - used, "%s%s", used == 0 ? "are: " : ", ",
                     items->items[k].name);
        }
    }
    const char *there = *text == '\0' ? "is none" : text;
    if (name == NULL) {
        return error_set(error, ERROR_INVALID, "there is no current-context; of contexts there %s",
                         there);
    }
    return error_set(error, ERROR_NOT_FOUND, "%s '%.64s' is not there; there %s",
                     list_of(&merge->sources[0].config, list)->key, name, there);
}

/* Sets the source, too, which is at fault if the part is wrong. */
static bool find_by_name(struct merge *merge, size_t list, const char *name,
                         const struct kubeconfig_part **ret_part, struct error *error) {
    for (size_t i = 0; i < merge->n_sources; i++) {
        const struct named_part *item = find_part(list_of(&merge->sources[i].config, list), name);
        if (item != NULL) {
            *ret_part = &item->part;
            merge->at_fault = &merge->sources[i];
            return true;
        }
    }
    merge->at_fault = merge->n_sources == 1 ? &merge->sources[0] : NULL;
    return fail_missing(merge, list, name, error);
}

static const char *current_context(const struct merge *merge) {
    for (size_t i = 0; i < merge->n_sources; i++) {
        const char *name = merge->sources[i].config.current_context;
        if (name != NULL && *name != '\0') {
            return name;
        }
    }
    return NULL;
}

/* The folder of the source that the last part is from. */
static const char *folder_of(const struct merge *merge) {
    return merge->at_fault == NULL ? "" : merge->at_fault->folder;
}

static bool compose(struct merge *merge, const char *name, struct kube_access *access,
                    struct error *error) {
    AUTO(kubeconfig_context_fini) struct kubeconfig_context context = {.cluster = NULL};
    const size_t contexts = offsetof(struct kubeconfig, contexts);
    const struct kubeconfig_part *part = NULL;
    name = name == NULL ? current_context(merge) : name;
    if (name == NULL || *name == '\0') {
        merge->at_fault = merge->n_sources == 1 ? &merge->sources[0] : NULL;
        return fail_missing(merge, contexts, NULL, error);
    }
    if (!find_by_name(merge, contexts, name, &part, error) ||
        !kubeconfig_decode_context(part, &context, error) ||
        !find_by_name(merge, offsetof(struct kubeconfig, clusters), context.cluster, &part,
                      error) ||
        !kubeconfig_decode_cluster(part, folder_of(merge), access, error)) {
        return false;
    }
    access->namespace =
        context.namespace == NULL ? memory_copy("default", 7) : TAKE(context.namespace);
    return context.user == NULL ||
           (find_by_name(merge, offsetof(struct kubeconfig, users), context.user, &part, error) &&
            kubeconfig_decode_user(part, folder_of(merge), access, error));
}

/* Puts the path before the text, with line and column if they are known: path:3:5. */
static bool fail_in_file(const char *path, const struct yaml_document *document,
                         struct error *error) {
    unsigned line = 0;
    unsigned column = 0;
    int used = 0;
    for (char *at = error->text; *at != '\0'; at++) {
        bool is_control = (unsigned char)*at < 0x20 || *at == 0x7f;
        *at = is_control ? '?' : *at;
    }
    if (error->offset != ERROR_NO_OFFSET && document != NULL) {
        const struct yaml_mark *mark = yaml_find(document, error->offset);
        line = mark->line;
        column = mark->column;
    } else if (sscanf(error->text, "line %u, column %u: %n", &line, &column, &used) == 2) {
        memmove(error->text, error->text + used, strlen(error->text + used) + 1);
    }
    error->offset = ERROR_NO_OFFSET;
    return line == 0 ? error_wrap(error, "%.128s", path)
                     : error_wrap(error, "%.128s:%u:%u", path, line, column);
}

static bool read_document(const struct buffer *content, struct yaml_document *document,
                          struct error *error) {
    bool is_there = false;
    struct yaml_stream *stream = yaml_open(content->bytes, content->size);
    bool is_good = yaml_next(stream, document, &is_there, error);
    yaml_close(stream);
    return is_good && (is_there || error_set(error, ERROR_INVALID, "the file is empty"));
}

static void source_fini(struct source *source) {
    kubeconfig_fini(&source->config);
    yaml_document_fini(&source->document);
    free(source->path);
    free(source->folder);
}

static void merge_fini(struct merge *merge) {
    for (size_t i = 0; i < merge->n_sources; i++) {
        source_fini(&merge->sources[i]);
    }
    free(merge->sources);
}

static bool add_source(struct merge *merge, const char *path, struct error *error) {
    AUTO(buffer_fini) struct buffer content;
    buffer_init_secret(&content, FILE_MAX);
    if (!file_read(path, &content, error)) {
        return false;
    }
    const char *slash = strrchr(path, '/');
    merge->sources = memory_grow(merge->sources, merge->n_sources, sizeof(merge->sources[0]));
    struct source *source = &merge->sources[merge->n_sources++];
    *source = (struct source){
        .path = memory_copy(path, strlen(path)),
        .folder = memory_copy(path, slash == NULL ? 0 : (size_t)(slash - path) + 1),
        .config = {.clusters = {.name = "clusters", .key = "cluster"},
                   .contexts = {.name = "contexts", .key = "context"},
                   .users = {.name = "users", .key = "user"}},
    };
    if (!read_document(&content, &source->document, error)) {
        return fail_in_file(path, NULL, error);
    }
    return read_config(&source->document.json, &source->config, error) ||
           fail_in_file(path, &source->document, error);
}

/* `label` stands before an error that is of no single file. */
static bool read_merged(struct merge *merge, const char *label, const char *context,
                        struct kube_access *ret_access, struct error *error) {
    AUTO(kube_access_fini) struct kube_access access = {.server = NULL};
    if (!compose(merge, context, &access, error)) {
        const struct source *source = merge->at_fault;
        return source != NULL ? fail_in_file(source->path, &source->document, error)
                              : error_wrap(error, "%s", label);
    }
    if (!kube_proxy_from_environment(&access, error)) {
        return false;
    }
    *ret_access = TAKE(access);
    return true;
}

bool kubeconfig_read(const char *path, const char *context, struct kube_access *ret_access,
                     struct error *error) {
    AUTO(merge_fini) struct merge merge = {.sources = NULL};
    if (path == NULL) {
        return kubeconfig_from_pod(KUBECONFIG_POD_FOLDER, ret_access, error);
    }
    return add_source(&merge, path, error) && read_merged(&merge, path, context, ret_access, error);
}

/* kubectl passes over files that are not there, as long as there is one. */
static bool add_listed(struct merge *merge, const char *paths, struct error *error) {
    for (const char *at = paths; *at != '\0';) {
        size_t size = strcspn(at, ":");
        AUTO_FREE char *path = memory_copy(at, size);
        bool is_missing = false;
        if (size > 0 && !add_source(merge, path, error)) {
            is_missing = error->kind == ERROR_NOT_FOUND && access(path, F_OK) != 0;
            if (!is_missing) {
                return false;
            }
        }
        at += size + (at[size] == ':');
    }
    return merge->n_sources > 0 ||
           error_set(error, ERROR_NOT_FOUND, "KUBECONFIG names no file that is there: '%.128s'",
                     paths);
}

bool kubeconfig_find(const char *path, const char *context, struct kube_access *ret_access,
                     struct error *error) {
    AUTO(merge_fini) struct merge merge = {.sources = NULL};
    const char *paths = getenv("KUBECONFIG");
    const char *home = getenv("HOME");
    AUTO_FREE char *usual = memory_format("%s/.kube/config", home == NULL ? "" : home);
    if (path != NULL) {
        return kubeconfig_read(path, context, ret_access, error);
    }
    if (paths != NULL && *paths != '\0') {
        return add_listed(&merge, paths, error) &&
               read_merged(&merge, "KUBECONFIG", context, ret_access, error);
    }
    if (getenv("KUBERNETES_SERVICE_HOST") == NULL && access(usual, F_OK) == 0) {
        return kubeconfig_read(usual, context, ret_access, error);
    }
    return kubeconfig_from_pod(KUBECONFIG_POD_FOLDER, ret_access, error);
}
