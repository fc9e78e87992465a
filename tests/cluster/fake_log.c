// SPDX-License-Identifier: Apache-2.0

/*
 * The functions of fake_api.h for the log of requests.
 */

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "edge/clock.h"
#include "fake_inside.h"

static bool is_write(const char *verb, const char *path) {
    return (strcmp(verb, "POST") == 0 || strcmp(verb, "PUT") == 0 || strcmp(verb, "PATCH") == 0) &&
           strstr(path, "/leases") == NULL;
}

bool fake_matches(const char *verb, const char *path, const char *wanted_verb,
                  const char *wanted_path) {
    if (wanted_path != NULL && strstr(path, wanted_path) == NULL) {
        return false;
    }
    if (wanted_verb != NULL && strcmp(wanted_verb, "WRITE") == 0) {
        return is_write(verb, path);
    }
    return wanted_verb == NULL || strcmp(wanted_verb, verb) == 0;
}

size_t fake_log_add(struct fake_api *api, const struct fake_route *route,
                    const struct fake_message *message) {
    enum { STEP = 256 };
    if (api->n_requests % STEP == 0) {
        api->requests =
            memory_resize(api->requests, api->n_requests + STEP, sizeof(struct fake_request));
    }
    struct fake_request *request = &api->requests[api->n_requests];
    memset(request, 0, sizeof(*request));
    request->at_ms = clock_boot_ms();
    text_copy(request->verb, sizeof(request->verb), route->verb);
    text_copy(request->path, sizeof(request->path), message->path);
    text_copy(request->content_type, sizeof(request->content_type), message->content_type);
    text_copy(request->authorization, sizeof(request->authorization), message->authorization);
    snprintf(request->body, sizeof(request->body), "%.*s", (int)message->body.size,
             message->body.size == 0 ? "" : message->body.bytes);
    return api->n_requests++;
}

static size_t count(const struct fake_api *api, const char *verb, const char *path) {
    size_t n = 0;
    for (size_t i = 0; i < api->n_requests; i++) {
        n += fake_matches(api->requests[i].verb, api->requests[i].path, verb, path);
    }
    return n;
}

size_t fake_count(struct fake_api *api, const char *verb, const char *path) {
    pthread_mutex_lock(&api->mutex);
    size_t n = count(api, verb, path);
    pthread_mutex_unlock(&api->mutex);
    return n;
}

bool fake_find(struct fake_api *api, const char *verb, const char *path, size_t index,
               struct fake_request *ret_request) {
    bool is_found = false;
    pthread_mutex_lock(&api->mutex);
    for (size_t i = 0; i < api->n_requests && !is_found; i++) {
        const struct fake_request *request = &api->requests[i];
        if (fake_matches(request->verb, request->path, verb, path) && index-- == 0) {
            *ret_request = *request;
            is_found = true;
        }
    }
    pthread_mutex_unlock(&api->mutex);
    return is_found;
}

bool fake_wait(struct fake_api *api, const char *verb, const char *path, size_t n,
               int64_t within_ms) {
    int64_t until_ms = clock_boot_ms() + within_ms;
    pthread_mutex_lock(&api->mutex);
    while (count(api, verb, path) < n && clock_boot_ms() < until_ms) {
        fake_wait_for_change(api, until_ms);
    }
    bool is_there = count(api, verb, path) >= n;
    pthread_mutex_unlock(&api->mutex);
    return is_there;
}

void fake_forget(struct fake_api *api) {
    pthread_mutex_lock(&api->mutex);
    api->n_requests = 0;
    pthread_mutex_unlock(&api->mutex);
}
