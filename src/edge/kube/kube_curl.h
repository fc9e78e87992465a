// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_KUBE_KUBE_CURL_H
#define EDGE_KUBE_KUBE_CURL_H

/*
 * libcurl, loaded when a cluster is first used. Linking it, and the thirty libraries behind it,
 * would cost every start 5 ms and one to two megabytes, even without a cluster (`serve --objects`,
 * `review`), and the start time has a limit. Only its header is used at build time.
 */

#include <stdbool.h>

#include <curl/curl.h>

#include "base/attribute.h"
#include "base/error.h"

#define KUBE_CURL_LIBRARY "libcurl.so.4"

/* Each member has the name of its function without "curl_". */
struct kube_curl {
    void *handle;
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_global_cleanup) *global_cleanup;
    __typeof__(curl_version_info) *version_info;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_reset) *easy_reset;
    __typeof__(curl_easy_setopt) *easy_setopt;
    __typeof__(curl_easy_getinfo) *easy_getinfo;
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_multi_init) *multi_init;
    __typeof__(curl_multi_cleanup) *multi_cleanup;
    __typeof__(curl_multi_setopt) *multi_setopt;
    __typeof__(curl_multi_add_handle) *multi_add_handle;
    __typeof__(curl_multi_remove_handle) *multi_remove_handle;
    __typeof__(curl_multi_perform) *multi_perform;
    __typeof__(curl_multi_info_read) *multi_info_read;
    __typeof__(curl_multi_poll) *multi_poll;
    __typeof__(curl_multi_wakeup) *multi_wakeup;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
};

/* Loads and initialises libcurl. `library` is KUBE_CURL_LIBRARY except in tests. ERROR_UNAVAILABLE
   if it is missing, lacks a function, or is too old. */
bool kube_curl_load(const char *library, struct kube_curl *ret_curl,
                    struct error *error) MUST_CHECK;

/* Call it after everything from the library was freed. */
void kube_curl_unload(struct kube_curl *curl);

#endif
