// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_WIRE_WIRE_H
#define TESTS_WIRE_WIRE_H

/*
 * AdmissionReviews over the wire: the samples of tests/wire/samples and what can be changed of
 * them, POST /mutate, and the verdict as it came.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "edge/http/http_client.h"
#include "program.h"

/* What came back. Everything below `body` is for status 200 alone. */
struct verdict {
    int status;
    struct http_answer head; /* its body is not filled */
    char body[4096];
    size_t body_size;
    char uid[512];
    bool is_allowed;
    int code; /* of a denial */
    char message[256];
    char patch[512]; /* its JSON, "" without one */
    char
        warned[128]; /* what stands before the colon of each warning: "stdio-cap,session-storage" */
    char warnings[512]; /* whole, each on a line of its own */
    char audited[128];  /* the keys of the audit annotations: "stdio-cap,grace-period" */
};

/* POST /mutate on a connection, which stays open. The answer must keep to what kube-apiserver asks
   of one: the members of an AdmissionReview, `patch` and `patchType` both or none, at most 3
   warnings of at most 120 printable ASCII bytes, and no Retry-After on any status. */
void wire_post(struct http_client *client, const char *json, struct verdict *ret_verdict);
void wire_post_bytes(struct http_client *client, const char *bytes, size_t size,
                     struct verdict *ret_verdict);

/* The same with headers of the caller's ("POST /mutate HTTP/1.1\r\n...\r\n\r\n"). */
void wire_send(struct http_client *client, const char *head, const char *bytes, size_t size);
void wire_read(struct http_client *client, struct verdict *ret_verdict);

/* The same on a connection of its own. */
void wire_ask(const struct program *program, const char *json, struct verdict *ret_verdict);

/* Posts a sample as it is, on a connection of its own. */
void wire_ask_sample(const struct program *program, const char *sample,
                     struct verdict *ret_verdict);

/* Fails the test unless the verdict is to allow, with this patch, and warnings of these rules. */
void wire_assert(const struct verdict *verdict, const char *what, const char *patch,
                 const char *warned);

#define PATCH_REPLICAS_TO_1 "[{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":1}]"

/* Waits at most `within_ms` until a sample is answered with this patch and these warnings. */
void wire_wait_for(const struct program *program, const char *sample, const char *patch,
                   const char *warned);

/* A file of tests/wire/samples by its name without ".json". The first is to be freed. */
char *sample_read(const char *name);
cJSON *sample_load(const char *name);

/* Replaces what is at a path ("/request/object/spec/replicas"), or adds it there, as JSON text that
   is sent as it stands; NULL removes. sample_add() adds beside what is there, which makes a
   duplicate key. */
void sample_set(cJSON *review, const char *path, const char *json);
void sample_add(cJSON *review, const char *path, const char *json);

/* The text, to be freed; and the text of a sample with one change. */
char *sample_print(const cJSON *review);
char *sample_with(const char *name, const char *path, const char *json);

#endif
