// SPDX-License-Identifier: Apache-2.0
#include "audit_list.h"

#include <stdlib.h>
#include <string.h>

#include "audit_ask.h"
#include "base/http_status.h"
#include "base/json_edit.h"
#include "base/memory.h"
#include "base/text.h"
#include "core/cluster/discovery.h"
#include "core/cluster/feed.h"
#include "core/cluster/watch.h"
#include "exit_status.h"

enum {
    PATH_MAX_SIZE = 16384,
    EXPIRED_MAX = 3, /* continue tokens of one list */
};

/* One list: a kind, in a namespace or, if that is NULL, in all. */
struct query {
    struct audit_list *list;
    enum object_kind kind;
    const char *namespace;
    const char *version;
    int page_size;
    size_t n_before; /* objects of the lists before */
    size_t n_listed; /* of this kind, in all of the cluster */
};

static void ask(struct audit_list *list, const char *path, struct audit_reply *ret_reply) {
    audit_ask(list->kube, path, ret_reply);
    list->is_silent = !ret_reply->is_good && ret_reply->status == 0;
}

static void complain_of_list(const struct query *query, const struct audit_reply *reply) {
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
    progress_wipe(list->progress);
    complain(buffer_text(&line));
    list->is_incomplete = true;
    list->lacks[query->kind] = true;
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

/* The Deployment that the autoscaler scales is one of the family's, or may become so. Without the
   list that its owner would be in, the autoscaler cannot be judged, and must not pass for right. */
static bool is_targeting(struct audit_list *list, const struct object *object) {
    struct fact fact;
    const char *name = object_scaled_deployment(object);
    if (name == NULL) {
        return false;
    }
    if (facts_find(list->facts, OBJECT_DEPLOYMENT, object->namespace, name, &fact)) {
        return !list->lacks[fact.owner.kind] &&
               !(fact.is_selecting && list->lacks[OBJECT_MCPSERVER]);
    }
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_FAMILY_LAST; i++) {
        if (facts_find(list->facts, (enum object_kind)i, object->namespace, name, &fact)) {
            return true;
        }
    }
    return false;
}

/* Keeps a Deployment with an owner that cannot be read, since its verdict is unresolved. The facts
   do not get it: put_facts(). */
static bool is_kept(struct audit_list *list, const struct object *object) {
    if (kind_is_autoscaler(object->kind)) {
        return is_targeting(list, object);
    }
    return object->kind != OBJECT_DEPLOYMENT || object->owner.is_unusable ||
           object_names_family(object);
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
    struct query *query = context;
    (void)object;
    query->n_listed++;
}

static void show_progress(struct query *query) {
    AUTO_FREE char *words = memory_format("listing %s", kind_rows[query->kind].plural);
    progress_show(query->list->progress, words, query->n_listed);
}

/* feed_read_page() makes sure that nothing else passes for a list. */
static bool read_page(struct query *query, const struct buffer *body, struct feed_page *page,
                      struct error *error) {
    static const char *const path[] = {"items"};
    struct json_reader reader;
    struct json_text items;
    struct json_text raw;
    if (!feed_read_page(body->bytes, body->size, query->kind, on_checked, query, page, error)) {
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

static void ask_page(const struct query *query, const char *token, struct audit_reply *ret_reply) {
    const struct kind *row = &kind_rows[query->kind];
    bool is_one = query->namespace != NULL;
    AUTO(buffer_fini) struct buffer path;
    buffer_init(&path, PATH_MAX_SIZE);
    buffer_add_format(&path, "/apis/%s/%s%s%s/%s?limit=%d", row->group, query->version,
                      is_one ? "/namespaces/" : "", is_one ? query->namespace : "", row->plural,
                      query->page_size);
    if (token[0] != '\0') {
        char escaped[3 * FEED_CONTINUE_SIZE];
        text_escape_percent(escaped, sizeof(escaped), token, "");
        buffer_add_format(&path, "&continue=%s", escaped);
    }
    ask(query->list, buffer_text(&path), ret_reply);
}

/* Asks page after page. Returns the last HTTP status: 200 if all of it came. */
static int read_round(struct query *query, struct audit_reply *reply) {
    struct feed_page page = {.continue_token = ""};
    size_t n_listed = query->n_listed;
    drop_from(query->list, query->n_before);
    do {
        ask_page(query, page.continue_token, reply);
        bool is_good = reply->is_good && read_page(query, &reply->body, &page, &reply->error);
        buffer_fini(&reply->body);
        show_progress(query);
        if (!is_good) {
            drop_from(query->list, query->n_before);
            query->n_listed = n_listed;
            return reply->is_good || reply->status == HTTP_STATUS_OK ? 0 : reply->status;
        }
    } while (page.continue_token[0] != '\0');
    return HTTP_STATUS_OK;
}

/* A continue token that expires begins the list again, and so does a page that is too large, with
   smaller pages. */
static int read_rounds(struct query *query, struct audit_reply *reply) {
    int n_expired = 0;
    for (;;) {
        int status = read_round(query, reply);
        if (status == HTTP_STATUS_GONE && n_expired < EXPIRED_MAX) {
            n_expired++;
        } else if (audit_reply_is_too_large(reply) && query->page_size > 1) {
            query->page_size = watch_smaller_page(query->page_size);
        } else {
            return status;
        }
    }
}

/* True if the version is served. */
static bool read_version(struct query *query) {
    struct audit_reply reply;
    query->n_before = query->list->n_objects;
    int status = read_rounds(query, &reply);
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
    struct audit_reply reply;
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
    struct query query = {.list = list, .kind = kind, .page_size = WATCH_PAGE_SIZE};
    struct discovery discovery;
    if (list->is_silent) {
        list->lacks[kind] = true;
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
        list->has_family = list->has_family || (is_served && kind_is_family(kind));
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

/* The facts get what they have in `capstan serve`, so that an autoscaler is judged as there: if the
   owner of its Deployment cannot be read, the name tells. */
static void put_fact(struct facts *facts, const struct object *object) {
    if (object->kind != OBJECT_DEPLOYMENT || object_names_family(object)) {
        facts_put(facts, object);
    }
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
            put_fact(list->facts, &object);
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

bool audit_list_lacks_family(const struct audit_list *list) {
    bool lacks = false;
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_FAMILY_LAST; i++) {
        lacks = lacks || list->lacks[i];
    }
    return lacks;
}

static void complain_of_lack(const struct audit_list *list, const char *consequence,
                             enum object_kind first, enum object_kind last) {
    const char *comma = "";
    AUTO(buffer_fini) struct buffer line;
    buffer_init(&line, SIZE_MAX);
    buffer_add_text(&line, "without the list of ");
    for (int i = (int)first; i <= (int)last; i++) {
        if (list->lacks[i]) {
            buffer_add_format(&line, "%s%s", comma, kind_rows[i].plural);
            comma = ", ";
        }
    }
    if (comma[0] != '\0') {
        buffer_add_format(&line, ", %s", consequence);
        complain(buffer_text(&line));
    }
}

void audit_list_complain(const struct audit_list *list) {
    complain_of_lack(list,
                     "Capstan cannot tell whose some Deployments are: these are unresolved, and "
                     "their autoscalers are not judged",
                     OBJECT_MCPSERVER, OBJECT_VIRTUALMCPSERVER);
    complain_of_lack(list,
                     "no Deployment is judged, and an autoscaler only if its target has the name "
                     "of an object of ToolHive",
                     OBJECT_DEPLOYMENT, OBJECT_DEPLOYMENT);
    complain_of_lack(list, "no autoscaler of this kind is judged", OBJECT_HPA, OBJECT_SCALEDOBJECT);
    if (!list->has_family && !list->is_incomplete && list->n_objects == 0) {
        complain(
            "there is nothing to audit: the cluster has no CRD of the API group " TOOLHIVE_GROUP);
    }
}

void audit_list_fini(struct audit_list *list) {
    drop_from(list, 0);
    free(list->objects);
}
