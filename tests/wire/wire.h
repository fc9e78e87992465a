// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_WIRE_WIRE_H
#define TESTS_WIRE_WIRE_H

/*
 * AdmissionReviews over the wire: the samples of tests/wire/samples with changes to them, POST
 * /mutate, and the verdict.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "edge/http/http_client.h"
#include "program.h"

/* An answer. The members after `body_size` hold only for status 200. */
struct verdict {
    int status;
    struct http_answer head; /* without its body */
    char body[4096];
    size_t body_size;
    char uid[512];
    bool is_allowed;
    int code; /* of a denial */
    char message[256];
    char patch[512];    /* its JSON; "" if there is none */
    char warned[128];   /* the rule in each warning: "stdio-cap,session-storage" */
    char warnings[512]; /* each whole, on a line of its own */
    char audited[128];  /* the keys of the audit annotations: "stdio-cap,grace-period" */
};

/* POST /mutate on a connection, which stays open. Checks kube-apiserver's demands on an answer: the
   members of an AdmissionReview, both `patch` and `patchType` or neither, at most 3 warnings of at
   most 120 printable ASCII bytes, and no Retry-After with any status. */
void wire_post(struct http_client *client, const char *json, struct verdict *ret_verdict);
void wire_post_bytes(struct http_client *client, const char *bytes, size_t size,
                     struct verdict *ret_verdict);

/* The same with the caller's own headers ("POST /mutate HTTP/1.1\r\n...\r\n\r\n"). */
void wire_send(struct http_client *client, const char *head, const char *bytes, size_t size);
void wire_read(struct http_client *client, struct verdict *ret_verdict);

/* The same on a connection of its own. */
void wire_ask(const struct program *program, const char *json, struct verdict *ret_verdict);

/* Posts an unchanged sample on a connection of its own. */
void wire_ask_sample(const struct program *program, const char *sample,
                     struct verdict *ret_verdict);

/* Fails the test unless the verdict allows, with this patch and warnings of these rules. */
void wire_assert(const struct verdict *verdict, const char *what, const char *patch,
                 const char *warned);

#define PATCH_REPLICAS_TO_1 "[{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":1}]"

/* Waits at most 2 s (6 s with sanitizers) for this patch and these warnings. */
void wire_wait_for(const struct program *program, const char *sample, const char *patch,
                   const char *warned);

/* A file of tests/wire/samples, by its name without ".json". The text is to be freed. */
char *sample_read(const char *name);
cJSON *sample_load(const char *name);

/* Sets the value at a path ("/request/object/spec/replicas") to this JSON text, which is sent
   unchanged; NULL removes it. sample_add() adds a second member beside an existing one: a duplicate
   key. */
void sample_set(cJSON *review, const char *path, const char *json);
void sample_add(cJSON *review, const char *path, const char *json);

/* The text of a review, and that of a sample with one change. Both are to be freed. */
char *sample_print(const cJSON *review);
char *sample_with(const char *name, const char *path, const char *json);

#endif
