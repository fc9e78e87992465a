// SPDX-License-Identifier: Apache-2.0
#include "edge/kubeconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "edge/file.h"
#include "edge/yaml.h"
#include "kubeconfig_decode.h"
#include "kubeconfig_exec.h"

enum { FILE_MAX = 4 << 20 };

/* One of the lists of a kubeconfig: its items are {name: ..., <key>: {...}}. */
struct named_list {
    const char *name; /* of the list: "clusters" */
    const char *key;  /* "cluster"; of what it is a list */
    struct named_part {
        char *name;
        struct kubeconfig_part part;
    } * items;
    size_t n_items;
};

struct kubeconfig {
    const char *json; /* borrowed */
    struct named_list clusters, contexts, users;
    char *current_context; /* or NULL */
};

static void free_items(struct named_list *list) {
    for (size_t i = 0; i < list->n_items; i++) {
        free(list->items[i].name);
    }
    free(list->items);
}

static void kubeconfig_fini(struct kubeconfig *config) {
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
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        free(texts[i]);
    }
    kubeconfig_free_plugin(access->plugin);
    *access = (struct kube_access){.server = NULL};
}

/* False, and an error, if what comes next is there and no string. */
static bool take_text(struct json_reader *reader, const char *path, char **text,
                      struct error *error) {
    struct json_text value;
    size_t at = json_offset(reader);
    if (json_peek(reader) == JSON_NULL) {
        json_skip(reader);
        return true;
    }
    if (!json_read_text(reader, &value)) {
        return error_set_at(error, ERROR_INVALID, at, "%s: must be a string", path);
    }
    free(*text);
    *text = memory_new(value.size + 1, 1);
    return json_text_copy(&value, *text, value.size + 1) ||
           error_set_at(error, ERROR_INVALID, at, "%s: has a zero byte", path);
}

static bool take_constant(struct json_reader *reader, const char *path, const char *constant,
                          struct error *error) {
    AUTO_FREE char *text = NULL;
    size_t at = json_offset(reader);
    if (!take_text(reader, path, &text, error)) {
        return false;
    }
    return text == NULL || *text == '\0' || strcmp(text, constant) == 0 ||
           error_set_at(error, ERROR_INVALID, at, "%s: '%.64s' is not known; it must be %s", path,
                        text, constant);
}

static const struct named_part *find_part(const struct named_list *list, const char *name) {
    for (size_t i = 0; i < list->n_items; i++) {
        if (strcmp(list->items[i].name, name) == 0) {
            return &list->items[i];
        }
    }
    return NULL;
}

static bool read_item(struct json_reader *reader, const struct kubeconfig *config,
                      struct named_list *list, struct error *error) {
    struct named_part item = {.part = {.json = config->json, .at = json_offset(reader)}};
    AUTO_FREE char *name = NULL;
    struct json_text key;
    char path[KUBECONFIG_PATH_SIZE];
    snprintf(path, sizeof(path), "%s[%zu].name", list->name, list->n_items);
    snprintf(item.part.path, sizeof(item.part.path), "%s[%zu].%s", list->name, list->n_items,
             list->key);
    size_t at = item.part.at;
    if (!json_enter_object(reader)) {
        return error_set_at(error, ERROR_INVALID, at, "%s[%zu]: must be a mapping", list->name,
                            list->n_items);
    }
    while (json_next_member(reader, &key)) {
        struct json_text raw;
        if (json_text_is(&key, "name")) {
            at = json_offset(reader);
            if (!take_text(reader, path, &name, error)) {
                return false;
            }
        } else if (json_text_is(&key, list->key) && json_read_raw(reader, &raw)) {
            item.part.at = (size_t)(raw.at - config->json);
            item.part.size = raw.size;
        } else {
            json_skip(reader);
        }
    }
    if (name == NULL || *name == '\0') {
        return error_set_at(error, ERROR_INVALID, at, "%s: must be given", path);
    }
    if (find_part(list, name) != NULL) {
        return error_set_at(error, ERROR_INVALID, at, "%s: '%.64s' is there twice", path, name);
    }
    item.name = TAKE(name);
    list->items = memory_resize(list->items, list->n_items + 1, sizeof(item));
    list->items[list->n_items++] = item;
    return true;
}

static bool read_list(struct json_reader *reader, const struct kubeconfig *config,
                      struct named_list *list, struct error *error) {
    size_t at = json_offset(reader);
    if (json_peek(reader) == JSON_NULL) {
        json_skip(reader);
        return true;
    }
    if (!json_enter_array(reader)) {
        return error_set_at(error, ERROR_INVALID, at, "%s: must be a list", list->name);
    }
    while (json_next_item(reader)) {
        if (!read_item(reader, config, list, error)) {
            return false;
        }
    }
    return true;
}

static bool read_member(struct json_reader *reader, const struct json_text *key,
                        struct kubeconfig *config, struct error *error) {
    struct named_list *const lists[] = {&config->clusters, &config->contexts, &config->users};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (json_text_is(key, lists[i]->name)) {
            return read_list(reader, config, lists[i], error);
        }
    }
    if (json_text_is(key, "apiVersion")) {
        return take_constant(reader, "apiVersion", "v1", error);
    }
    if (json_text_is(key, "kind")) {
        return take_constant(reader, "kind", "Config", error);
    }
    if (json_text_is(key, "current-context")) {
        return take_text(reader, "current-context", &config->current_context, error);
    }
    json_skip(reader);
    return true;
}

static bool read_config(const struct buffer *json, struct kubeconfig *config, struct error *error) {
    struct json_reader reader;
    struct json_text key;
    json_begin(&reader, json->bytes, json->size);
    if (!json_enter_object(&reader)) {
        return error_set_at(error, ERROR_INVALID, 0, "the document must be a mapping");
    }
    while (json_next_member(&reader, &key)) {
        if (!read_member(&reader, &key, config, error)) {
            return false;
        }
    }
    return json_finish(&reader, error);
}

static bool fail_missing(const struct named_list *list, const char *name, struct error *error) {
    char text[140];
    snprintf(text, sizeof(text), "there %s", list->n_items == 0 ? "is none" : "are: ");
    for (size_t i = 0; i < list->n_items; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s", i == 0 ? "" : ", ", list->items[i].name);
    }
    if (name == NULL) {
        return error_set(error, ERROR_INVALID, "there is no current-context; of contexts %s", text);
    }
    return error_set(error, ERROR_NOT_FOUND, "%s '%.64s' is not there; %s", list->key, name, text);
}

static bool find_by_name(const struct named_list *list, const char *name,
                         const struct kubeconfig_part **ret_part, struct error *error) {
    const struct named_part *item = find_part(list, name);
    if (item == NULL) {
        return fail_missing(list, name, error);
    }
    *ret_part = &item->part;
    return true;
}

static bool compose(const struct kubeconfig *config, const char *name, const char *folder,
                    struct kube_access *access, struct error *error) {
    AUTO(kubeconfig_context_fini) struct kubeconfig_context context = {.cluster = NULL};
    const struct kubeconfig_part *part = NULL;
    name = name == NULL ? config->current_context : name;
    if (name == NULL || *name == '\0') {
        return fail_missing(&config->contexts, NULL, error);
    }
    if (!find_by_name(&config->contexts, name, &part, error) ||
        !kubeconfig_decode_context(part, &context, error) ||
        !find_by_name(&config->clusters, context.cluster, &part, error) ||
        !kubeconfig_decode_cluster(part, folder, access, error)) {
        return false;
    }
    access->namespace =
        context.namespace == NULL ? memory_copy("default", 7) : TAKE(context.namespace);
    return context.user == NULL || (find_by_name(&config->users, context.user, &part, error) &&
                                    kubeconfig_decode_user(part, folder, access, error));
}

/* Puts the path before the text, and line and column if they are known: path:3:5. */
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

bool kubeconfig_read(const char *path, const char *context, struct kube_access *ret_access,
                     struct error *error) {
    AUTO(buffer_fini) struct buffer content;
    AUTO(yaml_document_fini) struct yaml_document document = {.n_marks = 0};
    AUTO(kube_access_fini) struct kube_access access = {.server = NULL};
    buffer_init(&content, FILE_MAX);
    if (!file_read(path, &content, error)) {
        return false;
    }
    if (!read_document(&content, &document, error)) {
        return fail_in_file(path, NULL, error);
    }
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = memory_copy(path, slash == NULL ? 0 : (size_t)(slash - path) + 1);
    AUTO(kubeconfig_fini)
    struct kubeconfig config = {.json = document.json.bytes,
                                .clusters = {.name = "clusters", .key = "cluster"},
                                .contexts = {.name = "contexts", .key = "context"},
                                .users = {.name = "users", .key = "user"}};
    if (!read_config(&document.json, &config, error) ||
        !compose(&config, context, folder, &access, error)) {
        return fail_in_file(path, &document, error);
    }
    *ret_access = TAKE(access);
    return true;
}
