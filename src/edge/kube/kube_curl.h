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

/* The functions that are used, without "curl_". */
#define KUBE_CURL_FUNCTIONS(X)                                                                     \
    X(global_init)                                                                                 \
    X(global_cleanup)                                                                              \
    X(version_info)                                                                                \
    X(easy_init)                                                                                   \
    X(easy_cleanup)                                                                                \
    X(easy_reset)                                                                                  \
    X(easy_setopt)                                                                                 \
    X(easy_getinfo)                                                                                \
    X(easy_strerror)                                                                               \
    X(multi_init)                                                                                  \
    X(multi_cleanup)                                                                               \
    X(multi_setopt)                                                                                \
    X(multi_add_handle)                                                                            \
    X(multi_remove_handle)                                                                         \
    X(multi_perform)                                                                               \
    X(multi_info_read)                                                                             \
    X(multi_poll)                                                                                  \
    X(multi_wakeup)                                                                                \
    X(slist_append)                                                                                \
    X(slist_free_all)

#define KUBE_CURL_MEMBER(name) __typeof__(curl_##name) *name;

struct kube_curl {
    void *handle;
    KUBE_CURL_FUNCTIONS(KUBE_CURL_MEMBER)
};

/* Loads and initialises libcurl. `library` is KUBE_CURL_LIBRARY except in tests. ERROR_UNAVAILABLE
   if it is missing, lacks a function, or is too old. */
bool kube_curl_load(const char *library, struct kube_curl *ret_curl,
                    struct error *error) MUST_CHECK;

/* Call it after everything from the library was freed. */
void kube_curl_unload(struct kube_curl *curl);

#endif
