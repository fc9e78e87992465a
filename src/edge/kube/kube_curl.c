// SPDX-License-Identifier: Apache-2.0
#include "kube_curl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* 7.87.0 has CURLOPT_CA_CACHE_TIMEOUT and CURLOPT_QUICK_EXIT. */
enum { VERSION_MIN = 0x075700 };

#define FUNCTION(name) {"curl_" #name, offsetof(struct kube_curl, name)},

static const struct {
    const char *name;
    size_t offset;
} functions[] = {KUBE_CURL_FUNCTIONS(FUNCTION)};

static void close_library(void **library) {
    if (*library != NULL) {
        dlclose(*library);
    }
}

bool kube_curl_load(const char *library, struct kube_curl *ret_curl, struct error *error) {
    /* RTLD_NODELETE: a resolver thread may outlive the request that started it, so the code must
       stay mapped after dlclose(). */
    AUTO(close_library) void *opened = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (opened == NULL) {
        return error_set(error, ERROR_UNAVAILABLE,
                         "libcurl is needed to talk to a cluster (package libcurl4): %s",
                         dlerror());
    }
    struct kube_curl curl;
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        void *function = dlsym(opened, functions[i].name);
        if (function == NULL) {
            return error_set(error, ERROR_UNAVAILABLE, "'%s' has no %s", library,
                             functions[i].name);
        }
        memcpy((char *)&curl + functions[i].offset, &function, sizeof(function));
    }
    const curl_version_info_data *version = curl.version_info(CURLVERSION_NOW);
    if (version->version_num < VERSION_MIN || (version->features & CURL_VERSION_SSL) == 0) {
        return error_set(error, ERROR_UNAVAILABLE,
                         "libcurl 7.87 or newer, with TLS, is needed, and here is %s",
                         version->version);
    }
    CURLcode code = curl.global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) {
        return error_set(error, ERROR_UNAVAILABLE, "libcurl: %s", curl.easy_strerror(code));
    }
    curl.handle = TAKE(opened);
    *ret_curl = curl;
    return true;
}

void kube_curl_unload(struct kube_curl *curl) {
    if (curl->handle != NULL) {
        curl->global_cleanup();
        dlclose(TAKE(curl->handle));
    }
}
