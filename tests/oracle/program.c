// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "core/admission/decide.h"
#include "core/admission/policy.h"
#include "core/facts/facts.h"
#include "tree.h"

enum { RESPONSE_MAX = 64 * 1024, WARNING_MAX = 120, WARNINGS_MAX = 3 };

struct program {
    struct facts *facts;
    struct policy *policy;
};

static bool decode_object(const cJSON *tree, struct object *object) {
    char *json = cJSON_PrintUnformatted(tree);
    bool is_read = object_decode(json, strlen(json), object);
    free(json);
    return is_read && object->namespace[0] != '\0' && object->name[0] != '\0';
}

static bool decode_policy(const cJSON *tree, struct policy **ret_policy) {
    cJSON *document = tree_copy(tree);
    struct error error;
    tree_put_text(document, "apiVersion", POLICY_API_VERSION);
    tree_put_text(document, "kind", POLICY_KIND);
    char *json = cJSON_PrintUnformatted(document);
    bool is_read = policy_decode(json, strlen(json), ret_policy, &error);
    free(json);
    cJSON_Delete(document);
    return is_read;
}

struct program *program_new(const cJSON *facts, const cJSON *policy) {
    struct program *program = memory_new(1, sizeof(*program));
    AUTO_FREE struct object *object = memory_new(1, sizeof(*object));
    const cJSON *item;
    program->facts = facts_new();
    bool is_read = decode_policy(policy, &program->policy);
    cJSON_ArrayForEach(item, facts) {
        is_read = is_read && decode_object(item, object);
        if (is_read) {
            facts_put(program->facts, object);
        }
    }
    if (!is_read) {
        program_free(program);
        return NULL;
    }
    return program;
}

void program_free(struct program *program) {
    facts_free(program->facts);
    policy_free(program->policy);
    free(program);
}

/* ---- the look-up ---- */

/* Asks the API server for the one of that kind with the review's name. */
static void set_evidence(const struct question *question, const struct review *review,
                         enum object_kind kind, struct evidence *evidence) {
    AUTO_FREE struct object *object = memory_new(1, sizeof(*object));
    const cJSON *live;
    evidence->states[kind] = question->world == WORLD_FAILED ? EVIDENCE_FAILED : EVIDENCE_ABSENT;
    if (question->world != WORLD_FOUND) {
        return;
    }
    cJSON_ArrayForEach(live, question->live) {
        if (decode_object(live, object) && object->kind == kind &&
            strcmp(object->namespace, review->namespace) == 0 &&
            strcmp(object->name, review->name) == 0) {
            facts_of(object, &evidence->servers[kind]);
            evidence->states[kind] = EVIDENCE_FOUND;
        }
    }
}

/* Decides as a server does: first from the facts, then with a look-up as long as one could tell
   more. Returns how many there were. */
static int judge(struct program *program, const struct question *question,
                 const struct review *review, struct decision *decision) {
    AUTO_FREE struct subject *subject = memory_new(1, sizeof(*subject));
    AUTO_FREE struct evidence *evidence = memory_new(1, sizeof(*evidence));
    bool has_api = question->world != WORLD_OFFLINE;
    int n = 0;
    subject_find(program->facts, review, has_api ? evidence : NULL, subject);
    decide(program->policy, review, subject, question->now, decision);
    while (has_api && decision->is_unresolved && subject->lookup_kind != OBJECT_OTHER &&
           n <= OBJECT_FAMILY_COUNT) {
        set_evidence(question, review, subject->lookup_kind, evidence);
        subject_find(program->facts, review, evidence, subject);
        decide(program->policy, review, subject, question->now, decision);
        n++;
    }
    return n;
}

/* ---- the answer ---- */

static cJSON *decode_patch(const char *base64) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    AUTO_FREE char *out = memory_new(strlen(base64) + 1, 1);
    size_t n_out = 0;
    unsigned bits = 0;
    int n_bits = 0;
    for (; *base64 != '\0' && *base64 != '='; base64++) {
        bits = bits << 6 | (unsigned)(strchr(digits, *base64) - digits);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[n_out++] = (char)(bits >> n_bits & 0xff);
        }
    }
    return cJSON_Parse(out);
}

static void breach(cJSON *answer, const char *what) {
    tree_put_text(answer, "breach", what);
}

static void add_patch(const cJSON *response, cJSON *answer) {
    const cJSON *patch = tree_at(response, "patch", NULL);
    const cJSON *type = tree_at(response, "patchType", NULL);
    cJSON *paths = cJSON_AddObjectToObject(answer, "patch");
    const cJSON *operation;
    if (patch == NULL && type == NULL) {
        return;
    }
    if (!cJSON_IsString(patch) || !cJSON_IsString(type) ||
        strcmp(type->valuestring, "JSONPatch") != 0) {
        breach(answer, "patch and patchType");
        return;
    }
    cJSON *operations = decode_patch(patch->valuestring);
    if (cJSON_GetArraySize(operations) == 0) {
        breach(answer, "an empty patch");
    }
    cJSON_ArrayForEach(operation, operations) {
        const cJSON *path = tree_at(operation, "path", NULL);
        if (strcmp(tree_at(operation, "op", NULL)->valuestring, "add") != 0 ||
            cJSON_HasObjectItem(paths, path->valuestring)) {
            breach(answer, "an operation that is not add, or comes twice");
        }
        cJSON_AddItemToObject(paths, path->valuestring,
                              tree_copy(tree_at(operation, "value", NULL)));
    }
    cJSON_Delete(operations);
}

static void add_warnings(const cJSON *response, cJSON *answer) {
    cJSON *rules = cJSON_AddArrayToObject(answer, "warnings");
    const cJSON *warnings = tree_at(response, "warnings", NULL);
    const cJSON *warning;
    if (cJSON_GetArraySize(warnings) > WARNINGS_MAX) {
        breach(answer, "more than 3 warnings");
    }
    cJSON_ArrayForEach(warning, warnings) {
        const char *text = warning->valuestring;
        const char *end = strstr(text, ": ");
        AUTO_FREE char *rule = memory_copy(text, end == NULL ? strlen(text) : (size_t)(end - text));
        cJSON_AddItemToArray(rules, cJSON_CreateString(rule));
        if (end == NULL || strlen(text) > WARNING_MAX) {
            breach(answer, "a warning is too long, or names no rule");
        }
        for (; *text != '\0'; text++) {
            if (*text < ' ' || *text > '~') {
                breach(answer, "a warning is not ASCII");
            }
        }
    }
}

static void add_verdict(const cJSON *response, const char *uid, cJSON *answer) {
    const cJSON *allowed = tree_at(response, "allowed", NULL);
    const cJSON *status = tree_at(response, "status", NULL);
    const cJSON *code = tree_at(status, "code", NULL);
    cJSON_AddBoolToObject(answer, "allowed", cJSON_IsTrue(allowed));
    if (cJSON_IsTrue(allowed) != (status == NULL) ||
        (status != NULL && (!cJSON_IsNumber(code) || code->valueint != 403))) {
        breach(answer, "a refusal has no status 403, or an admission has a status");
    }
    if (strcmp(tree_at(response, "uid", NULL)->valuestring, uid) != 0) {
        breach(answer, "the answer has another uid");
    }
}

static cJSON *read_answer(const struct review *review, const struct decision *decision,
                          cJSON *answer, cJSON **ret_notes) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, RESPONSE_MAX);
    review_encode(review->uid, decision, &out);
    cJSON *document = cJSON_ParseWithLength(out.bytes, out.size);
    const cJSON *response = tree_at(document, "response", NULL);
    if (response == NULL) {
        breach(answer, "the answer is no AdmissionReview");
        cJSON_Delete(document);
        return answer;
    }
    add_verdict(response, review->uid, answer);
    add_patch(response, answer);
    add_warnings(response, answer);
    cJSON *audit = cJSON_AddArrayToObject(answer, "audit");
    const cJSON *note;
    cJSON_ArrayForEach(note, tree_at(response, "auditAnnotations", NULL)) {
        cJSON_AddItemToArray(audit, cJSON_CreateString(note->string));
        cJSON_AddItemToObject(*ret_notes, note->string, tree_copy(note));
        if (note->valuestring[0] == '\0') {
            breach(answer, "an empty audit annotation");
        }
    }
    cJSON_Delete(document);
    return answer;
}

cJSON *program_answer(struct program *program, const struct question *question, cJSON **ret_notes) {
    AUTO_FREE struct review *review = memory_new(1, sizeof(*review));
    AUTO_FREE struct decision *decision = memory_new(1, sizeof(*decision));
    struct error error;
    cJSON *answer = cJSON_CreateObject();
    *ret_notes = cJSON_CreateObject();
    if (!review_decode(question->review, strlen(question->review), review, &error)) {
        cJSON_AddStringToObject(answer, "outcome", "malformed");
        cJSON_AddFalseToObject(answer, "lookup");
        return answer;
    }
    int n_lookups = judge(program, question, review, decision);
    cJSON_AddStringToObject(answer, "outcome",
                            decision->fails           ? "failed"
                            : decision->is_unresolved ? "unresolved"
                                                      : "decided");
    cJSON_AddBoolToObject(answer, "lookup", n_lookups > 0);
    if (n_lookups > OBJECT_FAMILY_COUNT) {
        breach(answer, "a look-up comes twice");
    }
    return decision->fails ? answer : read_answer(review, decision, answer, ret_notes);
}
