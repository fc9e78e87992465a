// SPDX-License-Identifier: Apache-2.0

/*
 * Reads the target of a request from its method and path.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attribute.h"
#include "base/text.h"
#include "fake_inside.h"

static void decode(const char *text, size_t size, char *out, size_t capacity) {
    size_t n = 0;
    for (size_t i = 0; i < size && n + 1 < capacity; i++) {
        unsigned byte;
        if (text[i] == '%' && i + 2 < size && sscanf(text + i + 1, "%2x", &byte) == 1) {
            out[n++] = (char)byte;
            i += 2;
        } else {
            out[n++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    out[n] = '\0';
}

bool fake_query(const char *query, const char *name, char *out, size_t size) {
    size_t name_size = strlen(name);
    out[0] = '\0';
    for (const char *at = query; *at != '\0'; at += strcspn(at, "&"), at += *at == '&') {
        if (strncmp(at, name, name_size) == 0 && at[name_size] == '=') {
            const char *value = at + name_size + 1;
            decode(value, strcspn(value, "&"), out, size);
            return true;
        }
    }
    return false;
}

/* The next part of a path, decoded; "" at the end. */
static void take_part(const char **path, char *out, size_t size) {
    *path += **path == '/';
    size_t part_size = strcspn(*path, "/?");
    decode(*path, part_size, out, size);
    *path += part_size;
}

static bool find_kind(const char *group, const char *version, const char *plural,
                      struct fake_route *route) {
    static const struct {
        const char *group;
        const char *plural;
    } kinds[FAKE_KIND_COUNT] = {
        [FAKE_SERVER] = {"toolhive.stacklok.dev", "mcpservers"},
        [FAKE_PROXY] = {"toolhive.stacklok.dev", "mcpremoteproxies"},
        [FAKE_VIRTUAL] = {"toolhive.stacklok.dev", "virtualmcpservers"},
        [FAKE_DEPLOYMENT] = {"apps", "deployments"},
        [FAKE_HPA] = {"autoscaling", "horizontalpodautoscalers"},
        [FAKE_LEASE] = {"coordination.k8s.io", "leases"},
        [FAKE_EVENT] = {"events.k8s.io", "events"},
        [FAKE_SECRET] = {"", "secrets"},
        [FAKE_NAMESPACE] = {"", "namespaces"},
        [FAKE_CONFIGURATION] = {"admissionregistration.k8s.io", "mutatingwebhookconfigurations"},
    };
    for (int kind = 0; kind < FAKE_KIND_COUNT; kind++) {
        if (strcmp(group, kinds[kind].group) == 0 && strcmp(plural, kinds[kind].plural) == 0) {
            route->kind = (enum fake_kind)kind;
            return kind < FAKE_FAMILY_COUNT || strcmp(version, "v1") == 0;
        }
    }
    return false;
}

static void find_place(const char *path, struct fake_route *route) {
    char group[64];
    char part[256];
    static const char definition[] =
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/mcpservers.toolhive.stacklok.dev";
    size_t size = strcspn(path, "?");
    if (size == sizeof(definition) - 1 && memcmp(path, definition, size) == 0) {
        route->place = FAKE_DEFINITION;
        return;
    }
    take_part(&path, part, sizeof(part));
    group[0] = '\0';
    if (strcmp(part, "apis") == 0) {
        take_part(&path, group, sizeof(group));
    } else if (strcmp(part, "api") != 0) {
        return;
    }
    take_part(&path, route->version, sizeof(route->version));
    if (route->version[0] == '\0') {
        route->place = strcmp(group, "toolhive.stacklok.dev") == 0 ? FAKE_GROUP : FAKE_NOWHERE;
        return;
    }
    take_part(&path, part, sizeof(part));
    if (part[0] == '\0') {
        route->place = strcmp(group, "toolhive.stacklok.dev") == 0 ? FAKE_VERSION : FAKE_NOWHERE;
        return;
    }
    if (strcmp(part, "namespaces") == 0) {
        take_part(&path, route->namespace, sizeof(route->namespace));
        take_part(&path, part, sizeof(part));
    }
    if (part[0] == '\0') {
        text_copy(part, sizeof(part), "namespaces");
        text_copy(route->name, sizeof(route->name), route->namespace);
        route->namespace[0] = '\0';
    } else {
        take_part(&path, route->name, sizeof(route->name));
    }
    take_part(&path, route->subresource, sizeof(route->subresource));
    if (find_kind(group, route->version, part, route)) {
        route->place = FAKE_RESOURCE;
    }
}

void fake_route_read(const struct fake_message *message, struct fake_route *ret_route) {
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    char watch[8];
    const char *query = strchr(message->path, '?');
    *ret_route = (struct fake_route){.verb = "OTHER", .query = query == NULL ? "" : query + 1};
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (strcmp(message->method, methods[i]) == 0) {
            ret_route->verb = methods[i];
        }
    }
    find_place(message->path, ret_route);
    if (strcmp(ret_route->verb, "GET") == 0 && ret_route->place == FAKE_RESOURCE &&
        ret_route->name[0] == '\0') {
        bool is_watch = fake_query(ret_route->query, "watch", watch, sizeof(watch)) &&
                        (strcmp(watch, "1") == 0 || strcmp(watch, "true") == 0);
        ret_route->verb = is_watch ? "WATCH" : "LIST";
    }
}
