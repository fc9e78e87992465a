// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_WIRE_PROGRAM_H
#define TESTS_WIRE_PROGRAM_H

/*
 * `capstan serve` as a process of its own, in a folder of its own:
 *
 *     certs/        made by `capstan certs`
 *     objects/      --objects
 *     policy.yaml   --config, if a test wants it
 *     status/       --status-dir, if a test wants it
 *     kubeconfig    --kubeconfig, if a test wants it in place of --objects
 *     log           its standard error
 *
 * The environment variable CAPSTAN names the binary. Any failure that a test does not expect fails
 * the test here.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "edge/http/http_client.h"

enum { PROGRAM_PATH_SIZE = 512 };

struct program {
    /* Set by program_init(). A test may change these before program_start(). */
    bool has_policy;
    bool has_status;
    bool has_kubeconfig;
    bool elects_leader;
    bool makes_certificates;         /* it has none from files */
    bool fails_closed;               /* with makes_certificates alone */
    const char *trust_delay;         /* --ca-trust-delay; NULL: the default */
    const char *watch_namespaces[3]; /* --watch-namespace; NULL ends them */
    const char *shutdown_delay;      /* "0s" */
    const char *log_level;           /* "info" */
    unsigned workers;                /* 2 */
    const char *host;                /* of all three ports: "127.0.0.1" */
    uint16_t fixed_port;             /* of the webhook; 0: any */
    unsigned descriptors_max;        /* 0: the limit of the test's process */
    uid_t user;                      /* 0: that of the test's process */

    char folder[PROGRAM_PATH_SIZE];
    SSL_CTX *client; /* trusts the CA in the folder */
    pid_t pid;       /* 0: not running */
    uint16_t webhook_port;
    uint16_t probe_port;
    uint16_t metrics_port;
};

/* Makes the folder and the certificates. */
void program_init(struct program *program);

/* Kills the process if it still runs, and removes the folder. */
void program_fini(struct program *program);

/* For cmocka: *state is a running struct program with the samples' facts (mcpservers-live.json and
   deployments-live.json). */
int program_setup(void **state);
int program_teardown(void **state);

/* Each starts the process. program_start_unready() waits at most 10 s until it listens,
   program_start() until it is ready. Both then know its ports. */
void program_launch(struct program *program);
void program_start_unready(struct program *program);
void program_start(struct program *program);

void program_signal(const struct program *program, int signal);

/* Waits at most 10 s for the end. Returns the exit status, or 128 and the signal. */
int program_wait(struct program *program);

/* SIGTERM, then program_wait(). */
int program_stop(struct program *program);

bool program_is_running(const struct program *program);

/* Connects over TLS to the name "localhost", and checks the certificate. */
void program_connect(const struct program *program, struct http_client *ret_client);

/* Files of the folder, by their path in it. program_put() replaces a file by a rename, and makes
   missing folders. program_write() writes in place. */
void program_path(const struct program *program, const char *name, char out[PROGRAM_PATH_SIZE]);
void program_put(const struct program *program, const char *name, const char *text);
void program_write(const struct program *program, const char *name, const char *text);
void program_remove(const struct program *program, const char *name);
bool program_has(const struct program *program, const char *name);
char *program_read(const struct program *program, const char *name);

/* Puts a file of tests/wire/samples into objects/. */
void program_put_sample(const struct program *program, const char *sample);

/* Counts the lines of the log with this text. program_wait_for_log() waits at most 5 s for the
   `n`th. */
size_t program_count_log(const struct program *program, const char *text);
void program_wait_for_log(const struct program *program, const char *text, size_t n);

/* Waits until the program has read all earlier changes and updated the conditions. It needs a valid
   policy, because it waits for a new reading of all files. */
void program_wait_for_pass(const struct program *program);

/* The value of a series of /metrics, by its name with its labels. program_wait_for_metric() waits
   at most 5 s until the value is in a range. */
int64_t program_metric(const struct program *program, const char *series);
void program_wait_for_metric(const struct program *program, const char *series, int64_t low,
                             int64_t high);

/* The processor time of the program, in ticks of 10 ms; and a line of its /proc/PID/status in KiB,
   such as "VmRSS". */
int64_t program_cpu_ticks(const struct program *program);
int64_t program_memory_kib(const struct program *program, const char *line);

/* Runs a shell command. Returns its exit status. Cuts its output, which includes standard error, to
   the size. The command can use $CAPSTAN, $PORT and $SAMPLES, and $FOLDER if there is a program. */
int program_shell(const struct program *program, const char *command, char *ret_output,
                  size_t output_size);

/* True in a build with sanitizers, which multiply time and memory. */
bool program_is_sanitized(void);

#endif
