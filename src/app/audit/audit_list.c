// SPDX-License-Identifier: Apache-2.0
#include "audit_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/json_edit.h"
#include "base/memory.h"
#include "core/cluster/discovery.h"
#include "core/cluster/feed.h"
#include "exit_status.h"

enum {
    TIMEOUT_MS = 30000,
    ANSWER_MAX = 64 << 20,
    PAGE_SIZE = 500,
    PATH_MAX_SIZE = 16384,
    ROUNDS_MAX = 4, /* of one list, if its continue token expires */
};

/* A request, and what came back. */
struct reply {
    bool is_answered;
    bool is_good;
    int status;
    struct buffer body;
    struct error error;
};

/* One list: a kind, in a namespace or, if that is NULL, in all. */
struct query {
    struct audit_list *list;
    enum object_kind kind;
    const char *namespace;
    const char *version;
    size_t n_before; /* objects of the lists before */
};

static void on_answer(void *context, const struct kube_answer *answer) {
    struct reply *reply = context;
    reply->is_answered = true;
    reply->is_good = answer->is_good;
    reply->status = answer->status;
    reply->error = answer->error;
    if (answer->is_good) {
        buffer_add(&reply->body, answer->body, answer->body_size);
    }
}

/* Sends a GET and waits for the answer. The body is to be freed. */
static void ask(struct audit_list *list, const char *path, struct reply *ret_reply) {
    const struct kube_request request = {
        .verb = KUBE_GET,
        .path = path,
        .timeout_ms = TIMEOUT_MS,
        .answer_max = ANSWER_MAX,
        .done = on_answer,
        .context = ret_reply,
    };
    *ret_reply = (struct reply){.is_answered = false};
    buffer_init(&ret_reply->body, SIZE_MAX);
    kube_begin(list->kube, &request);
    while (!ret_reply->is_answered) {
        kube_wait(list->kube, NULL, 0, TIMEOUT_MS);
    }
    list->is_silent = !ret_reply->is_good && ret_reply->status == 0;
}

static void complain_of_list(const struct query *query, const struct reply *reply) {
    const struct kind *row = &kind_rows[query->kind];
    bool is_one = query->namespace != NULL;
    struct audit_list *list = query->list;
    AUTO(buffer_fini) struct buffer line;
    buffer_init(&line, SIZE_MAX);
    buffer_add_format(&line, "%s%s%s could not be listed, so they are not judged: %s", row->plural,
                      is_one ? " of namespace " : "", is_one ? query->namespace : "",
                      reply->error.text);
    if (reply->status == HTTP_STATUS_FORBIDDEN) {
        buffer_add_format(&line, "; grant the right to list %s in the API group %s", row->plural,
                          row->group);
    }
    complain(buffer_text(&line));
    list->is_incomplete = true;
    list->lacks_family = list->lacks_family || kind_is_family(query->kind);
}

static void free_object(struct audit_object *object) {
    free(object->api_version);
    free(object->namespace);
    free(object->name);
    free(object->json);
}

static void drop_from(struct audit_list *list, size_t n) {
    while (list->n_objects > n) {
        free_object(&list->objects[--list->n_objects]);
    }
}

/* Copies an object member by member, except one of them. */
static void copy_without(const struct json_text *raw, const char *left_out, struct buffer *out) {
    struct json_reader reader;
    struct json_text key;
    struct json_text value;
    const char *comma = "";
    json_begin(&reader, raw->at, raw->size);
    buffer_add_byte(out, '{');
    if (json_enter_object(&reader)) {
        while (json_next_member(&reader, &key)) {
            bool is_read = json_read_raw(&reader, &value);
            if (is_read && !json_text_is(&key, left_out)) {
                buffer_add_format(out, "%s\"", comma);
                buffer_add(out, key.at, key.size);
                buffer_add_text(out, "\":");
                buffer_add(out, value.at, value.size);
                comma = ",";
            }
        }
    }
    buffer_add_byte(out, '}');
}

/* The managedFields are half of a typical object, and no rule reads them. */
static char *copy_object(const struct json_text *raw) {
    static const char *const path[] = {"metadata"};
    AUTO(buffer_fini) struct buffer metadata;
    AUTO(buffer_fini) struct buffer out;
    struct json_text found = {.at = "{}", .size = 2};
    struct error error;
    buffer_init(&metadata, SIZE_MAX);
    buffer_init(&out, SIZE_MAX);
    (void)json_edit_find(raw->at, raw->size, path, COUNT_OF(path), &found);
    copy_without(&found, "managedFields", &metadata);
    if (!json_edit_add(raw->at, raw->size, path, COUNT_OF(path), buffer_text(&metadata), &out,
                       &error)) {
        return memory_copy(raw->at, raw->size);
    }
    return memory_copy(out.bytes, out.size);
}

/* The Deployment that the autoscaler scales is one of the family's, or may become so. */
static bool is_targeting(struct audit_list *list, const struct object *object) {
    struct fact fact;
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_DEPLOYMENT; i++) {
        if (facts_find(list->facts, (enum object_kind)i, object->namespace, object->target.name,
                       &fact)) {
            return true;
        }
    }
    return false;
}

static bool is_kept(struct audit_list *list, const struct object *object) {
    if (kind_is_autoscaler(object->kind)) {
        return is_targeting(list, object);
    }
    return object->kind != OBJECT_DEPLOYMENT || object->owner.kind != OBJECT_OTHER ||
           object->owner.is_unusable ||
           selection_names(&object->selection, OBJECT_MCPSERVER, object->name);
}

static void keep(const struct query *query, const struct json_text *raw) {
    struct audit_list *list = query->list;
    struct object object;
    if (!object_decode(raw->at, raw->size, &object)) {
        return;
    }
    object.kind = query->kind;
    if (!is_kept(list, &object)) {
        return;
    }
    list->objects = memory_grow(list->objects, list->n_objects, sizeof(list->objects[0]));
    list->objects[list->n_objects++] = (struct audit_object){
        .kind = query->kind,
        .api_version = memory_format("%s/%s", kind_rows[query->kind].group, query->version),
        .namespace = memory_copy(object.namespace, strlen(object.namespace)),
        .name = memory_copy(object.name, strlen(object.name)),
        .json = copy_object(raw),
    };
}

static void on_checked(void *context, const struct object *object) {
    (void)context;
    (void)object;
}

/* feed_read_page() makes sure that nothing else passes for a list. */
static bool read_page(const struct query *query, const struct buffer *body, struct feed_page *page,
                      struct error *error) {
    static const char *const path[] = {"items"};
    struct json_reader reader;
    struct json_text items;
    struct json_text raw;
    if (!feed_read_page(body->bytes, body->size, query->kind, on_checked, NULL, page, error)) {
        return false;
    }
    if (!json_edit_find(body->bytes, body->size, path, COUNT_OF(path), &items)) {
        return true;
    }
    json_begin(&reader, items.at, items.size);
    if (json_enter_array(&reader)) {
        while (json_next_item(&reader)) {
            if (json_read_raw(&reader, &raw)) {
                keep(query, &raw);
            }
        }
    }
    return true;
}

static void add_escaped(struct buffer *out, const char *text) {
    for (; *text != '\0'; text++) {
        bool is_plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                        (*text >= '0' && *text <= '9') || strchr("-._~", *text) != NULL;
        buffer_add_format(out, is_plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
}

static void ask_page(const struct query *query, const char *token, struct reply *ret_reply) {
    const struct kind *row = &kind_rows[query->kind];
    bool is_one = query->namespace != NULL;
    AUTO(buffer_fini) struct buffer path;
    buffer_init(&path, PATH_MAX_SIZE);
    buffer_add_format(&path, "/apis/%s/%s%s%s/%s?limit=%d", row->group, query->version,
                      is_one ? "/namespaces/" : "", is_one ? query->namespace : "", row->plural,
                      PAGE_SIZE);
    if (token[0] != '\0') {
        buffer_add_text(&path, "&continue=");
        add_escaped(&path, token);
    }
    ask(query->list, buffer_text(&path), ret_reply);
}

/* Asks page after page. Returns the last HTTP status: 200 if all of it came. */
static int read_round(const struct query *query, struct reply *reply) {
    struct feed_page page = {.continue_token = ""};
    drop_from(query->list, query->n_before);
    do {
        ask_page(query, page.continue_token, reply);
        bool is_good = reply->is_good && read_page(query, &reply->body, &page, &reply->error);
        buffer_fini(&reply->body);
        if (!is_good) {
            drop_from(query->list, query->n_before);
            return reply->is_good ? 0 : reply->status;
        }
    } while (page.continue_token[0] != '\0');
    return HTTP_STATUS_OK;
}

/* True if the version is served. A continue token that expires begins the list again. */
static bool read_version(struct query *query) {
    struct reply reply;
    int status = HTTP_STATUS_GONE;
    query->n_before = query->list->n_objects;
    for (int i = 0; i < ROUNDS_MAX && status == HTTP_STATUS_GONE; i++) {
        status = read_round(query, &reply);
    }
    if (status == HTTP_STATUS_NOT_FOUND) {
        return false;
    }
    if (status != HTTP_STATUS_OK) {
        complain_of_list(query, &reply);
    }
    return true;
}

/* The versions of a kind, the one to prefer first. False if they could not be asked for. */
static bool find_versions(struct query *query, struct discovery *ret_discovery) {
    static const struct discovery apps = {.versions = {"v1"}, .n_versions = 1};
    static const struct discovery autoscaling = {.versions = {"v2", "v1"}, .n_versions = 2};
    const char *group = kind_rows[query->kind].group;
    *ret_discovery = (struct discovery){.n_versions = 0};
    if (query->kind == OBJECT_DEPLOYMENT || query->kind == OBJECT_HPA) {
        *ret_discovery = query->kind == OBJECT_DEPLOYMENT ? apps : autoscaling;
        return true;
    }
    AUTO_FREE char *path = memory_format("/apis/%s", group);
    struct reply reply;
    ask(query->list, path, &reply);
    bool is_read = reply.is_good && discovery_read_group(reply.body.bytes, reply.body.size,
                                                         ret_discovery, &reply.error);
    bool is_absent = reply.status == HTTP_STATUS_NOT_FOUND ||
                     (reply.is_good && reply.error.kind == ERROR_NOT_FOUND);
    buffer_fini(&reply.body);
    if (!is_read && !is_absent) {
        complain_of_list(query, &reply);
    }
    return is_read || is_absent;
}

static bool is_repeated(const struct option_texts *namespaces, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (strcmp(namespaces->items[i], namespaces->items[index]) == 0) {
            return true;
        }
    }
    return false;
}

/* A kind whose CRD is not installed has no objects. */
static void read_kind(struct audit_list *list, enum object_kind kind) {
    const struct option_texts *namespaces = list->namespaces;
    struct query query = {.list = list, .kind = kind};
    struct discovery discovery;
    if (list->is_silent) {
        list->lacks_family = list->lacks_family || kind_is_family(kind);
        return;
    }
    if (!find_versions(&query, &discovery)) {
        return;
    }
    for (size_t i = 0; !list->is_silent && i < MAX(namespaces->n_items, (size_t)1); i++) {
        bool is_served = false;
        query.namespace = namespaces->n_items > 0 ? namespaces->items[i] : NULL;
        for (size_t j = 0; !is_served && j < discovery.n_versions; j++) {
            query.version = discovery.versions[j];
            is_served = is_repeated(namespaces, i) || read_version(&query);
        }
    }
}

static int compare(const void *one, const void *other) {
    const struct audit_object *a = one;
    const struct audit_object *b = other;
    int order = strcmp(a->namespace, b->namespace);
    if (order == 0 && a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return order != 0 ? order : strcmp(a->name, b->name);
}

static void put_facts(struct audit_list *list) {
    struct object object;
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_DEPLOYMENT; i++) {
        facts_begin_round(list->facts, (enum object_kind)i);
    }
    for (size_t i = 0; i < list->n_objects; i++) {
        const char *json = list->objects[i].json;
        if (object_decode(json, strlen(json), &object)) {
            object.kind = list->objects[i].kind;
            facts_put(list->facts, &object);
        }
    }
}

/* Deployments first: then no Deployment is of an owner that was created after the list of
   MCPServers. Autoscalers last, since the others tell which of them count. */
void audit_list_read(struct audit_list *list) {
    read_kind(list, OBJECT_DEPLOYMENT);
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_FAMILY_LAST; i++) {
        read_kind(list, (enum object_kind)i);
    }
    put_facts(list);
    read_kind(list, OBJECT_HPA);
    read_kind(list, OBJECT_SCALEDOBJECT);
    if (list->n_objects > 0) {
        qsort(list->objects, list->n_objects, sizeof(list->objects[0]), compare);
    }
}

void audit_list_fini(struct audit_list *list) {
    drop_from(list, 0);
    free(list->objects);
}
