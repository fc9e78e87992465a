// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "commands.h"
#include "edge/clock.h"
#include "edge/file.h"
#include "edge/x509.h"
#include "exit_status.h"
#include "options.h"

#define DAY            ((int64_t)86400)
#define CA_LIFETIME    (5 * 365 * DAY)
#define LEAF_LIFETIME  (365 * DAY)
#define CA_COMMON_NAME "Capstan development CA"

enum { PATH_SIZE = 4096, FOLDER_MODE = 0755, CERTIFICATE_MODE = 0644, KEY_MODE = 0600 };

/* The names by which the API server and others in the cluster call the Service, and this machine.
 */
static const char *const default_names[] = {
    "capstan.capstan-system.svc",
    "capstan.capstan-system.svc.cluster.local",
    "capstan.capstan-system",
    "capstan",
    "localhost",
    "127.0.0.1",
    "::1",
};

struct certs_options {
    const char *out;
    struct option_texts names;
    bool forces;
};

static const struct option certs_option_list[] = {
    {"out", "DIR", "where to write; it is made if it is not there", OPTION_TEXT,
     offsetof(struct certs_options, out), 0},
    {"dns", "NAME", "a DNS name or IP address to serve; repeatable, replaces the defaults",
     OPTION_TEXTS, offsetof(struct certs_options, names), 0},
    {"force", NULL, "overwrite what is there", OPTION_SWITCH,
     offsetof(struct certs_options, forces), 0},
};

static bool check(void *target, struct error *error) {
    const struct certs_options *options = target;
    return options->out != NULL ||
           error_set(error, ERROR_INVALID, "certs needs --out DIR; see --help");
}

static const struct option_table certs_table = {
    .usage = "capstan certs --out DIR [--dns NAME]...",
    .summary = "Makes a CA (5 years) and a serving pair (1 year), ECDSA P-256, for development or\n"
               "for installs without a network: ca.crt, ca.key, tls.crt and tls.key.",
    .options = certs_option_list,
    .n_options = COUNT_OF(certs_option_list),
    .check = check,
    .epilogue = "Without --dns: capstan.capstan-system.svc and its shorter and longer forms,\n"
                "localhost, 127.0.0.1 and ::1. The keys are secrets: mode 0600, never for git.",
};

struct certs_file {
    const char *name;
    const char *text;
    mode_t mode;
};

/* Writes the file, or sees whether it may be written. */
static bool write_file(const struct certs_options *options, const struct certs_file *file,
                       bool is_trial, struct error *error) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", options->out, file->name);
    if (!is_trial) {
        return file_write(path, file->text, strlen(file->text), file->mode, error);
    }
    return options->forces || access(path, F_OK) != 0 ||
           error_set(error, ERROR_INVALID,
                     "'%s' is there already; --force overwrites it, and the other three", path);
}

static bool make_certificates(const struct certs_options *options, struct error *error) {
    AUTO(x509_pair_fini) struct x509_pair ca = {.key_pem = NULL};
    AUTO(x509_pair_fini) struct x509_pair leaf = {.key_pem = NULL};
    const bool has_names = options->names.n_items > 0;
    const char *const *names = has_names ? options->names.items : default_names;
    size_t n_names = has_names ? options->names.n_items : COUNT_OF(default_names);
    int64_t now = clock_wall_seconds();
    if (!x509_make_ca(CA_COMMON_NAME, now, CA_LIFETIME, &ca, error) ||
        !x509_make_leaf(&ca, names, n_names, now, LEAF_LIFETIME, &leaf, error)) {
        return false;
    }
    const struct certs_file files[] = {
        {"ca.crt", ca.certificate_pem, CERTIFICATE_MODE},
        {"ca.key", ca.key_pem, KEY_MODE},
        {"tls.crt", leaf.certificate_pem, CERTIFICATE_MODE},
        {"tls.key", leaf.key_pem, KEY_MODE},
    };
    bool is_good = true;
    for (size_t i = 0; is_good && i < COUNT_OF(files); i++) {
        is_good = write_file(options, &files[i], true, error);
    }
    is_good = is_good && file_make_folder(options->out, FOLDER_MODE, error);
    for (size_t i = 0; is_good && i < COUNT_OF(files); i++) {
        is_good = write_file(options, &files[i], false, error);
    }
    return is_good;
}

static int run(const struct certs_options *options) {
    struct error error;
    if (!make_certificates(options, &error)) {
        return exit_with(&error);
    }
    printf("wrote ca.crt, ca.key, tls.crt and tls.key to %s\n", options->out);
    return STATUS_OK;
}

int certs_command(int argc, char **argv) {
    struct certs_options options = {.out = NULL};
    int status;
    if (options_begin(&certs_table, argc, argv, &options, &status)) {
        status = run(&options);
    }
    option_texts_fini(&options.names);
    return status;
}
