// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_SERVE_OPTIONS_H
#define APP_SERVE_SERVE_OPTIONS_H

/*
 * The options of `capstan serve`. Their names follow controller-runtime's.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attribute.h"
#include "edge/log.h"
#include "options.h"

/* Each namespace costs two watches. Clusters with more of them watch all. */
enum { WATCH_NAMESPACES_MAX = 64 };

struct serve_options {
    struct option_texts objects;
    const char *status_dir;
    const char *kubeconfig; /* NULL: the pod's service account, unless there are objects */
    bool elects_leader;
    const char *namespace; /* Capstan's own; NULL: that of the kubeconfig or the pod */
    struct option_texts watch_namespaces; /* each once; none: all */
    const char *service_name;
    const char *webhook_config_name;
    bool fails_closed;
    int64_t trust_delay_ms;
    int64_t retire_delay_ms;
    const char *config;
    const char *webhook_address;
    const char *probe_address;   /* NULL: off */
    const char *metrics_address; /* NULL: off */
    const char *cert_path;       /* NULL: Capstan makes its own, in a cluster */
    const char *cert_name;
    const char *cert_key;
    int64_t workers;
    int64_t shutdown_delay_ms;
    const char *log_format_text;
    const char *log_level_text;
    enum log_format log_format;
    enum log_level log_level;
};

/* As options_begin(). Free with serve_options_fini() in either case. */
bool serve_options_read(int argc, char **argv, struct serve_options *ret_options,
                        int *ret_status) MUST_CHECK;
void serve_options_fini(struct serve_options *options);

#endif
