// SPDX-License-Identifier: Apache-2.0

/*
 * The input of `capstan review`: what it reads, in which order, and the places that it reports.
 * Each test works in a folder of its own, so that paths are short.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "document.h"
#include "edge/file/file_fixtures.h"
#include "review/review_input.h"

enum { PATHS_MAX = 4 };

/* Also makes the folders above the file. */
static void put(const char *path, const char *text) {
    char folder[128];
    snprintf(folder, sizeof(folder), "%s", path);
    for (char *slash = folder; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        assert_true(mkdir(folder, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    write_text(path, text);
}

/* Adds a line such as "a.yaml:1:1 ConfigMap a". The name is the value of "name" in the JSON. */
static bool note(void *context, const struct review_input *input, struct error *error) {
    const struct manifest_item *item = input->item;
    AUTO_FREE char *json = memory_copy(item->raw.at, item->raw.size);
    const char *name = strstr(json, "\"name\":\"");
    int size = name == NULL ? 0 : (int)strcspn(name + 8, "\"");
    (void)error;
    buffer_add_format(context, "%s:%u:%u %s %.*s\n", input->path, (unsigned)input->line,
                      (unsigned)input->column, item->kind, size, name == NULL ? "" : name + 8);
    return true;
}

/* Reads the paths up to NULL. */
static bool read_paths(const char *const *paths, const char *standard_input,
                       review_input_visit *visit, void *context, struct error *error) {
    AUTO(buffer_fini) struct buffer input;
    const char *items[PATHS_MAX];
    struct option_texts texts = {.items = items};
    while (paths[texts.n_items] != NULL) {
        assert_true(texts.n_items < PATHS_MAX);
        items[texts.n_items] = paths[texts.n_items];
        texts.n_items++;
    }
    buffer_init(&input, SIZE_MAX);
    buffer_add_text(&input, standard_input);
    return review_input_each(&texts, &input, visit, context, error);
}

static void check_found(const char *const *paths, const char *standard_input,
                        const char *expected) {
    AUTO(buffer_fini) struct buffer out;
    struct error error;
    buffer_init(&out, SIZE_MAX);
    if (!read_paths(paths, standard_input, note, &out, &error)) {
        fail_msg("%s", error.text);
    }
    assert_string_equal(buffer_text(&out), expected);
}

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define MAP(name)  "kind: ConfigMap\nmetadata: {name: " name "}\n"

static void test_review_input__folders_are_read_in_the_order_of_names(void **state) {
    (void)state;
    put("d/b.yaml", MAP("b"));
    put("d/a.yml", MAP("a"));
    put("d/a/z.json", "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"z\"}}");
    put("d/c/deep/er/x.yaml", MAP("x"));
    put("d/B.yaml", MAP("B"));
    check_found(PATHS("d"), "",
                "d/B.yaml:1:1 ConfigMap B\n"
                "d/a.yml:1:1 ConfigMap a\n"
                "d/a/z.json:1:1 ConfigMap z\n"
                "d/b.yaml:1:1 ConfigMap b\n"
                "d/c/deep/er/x.yaml:1:1 ConfigMap x\n");
}

static void test_review_input__paths_are_read_in_the_order_given(void **state) {
    (void)state;
    put("b.yaml", MAP("b"));
    put("a.yaml", MAP("a"));
    put("d/c.yaml", MAP("c"));
    check_found(PATHS("b.yaml", "d", "a.yaml"), "",
                "b.yaml:1:1 ConfigMap b\n"
                "d/c.yaml:1:1 ConfigMap c\n"
                "a.yaml:1:1 ConfigMap a\n");
    check_found(PATHS("a.yaml", "-", "b.yaml"), MAP("i"),
                "a.yaml:1:1 ConfigMap a\n"
                "<stdin>:1:1 ConfigMap i\n"
                "b.yaml:1:1 ConfigMap b\n");
}

static void test_review_input__what_is_hidden_or_has_another_ending_is_passed_over(void **state) {
    (void)state;
    put("d/a.yaml", MAP("a"));
    put("d/.b.yaml", MAP("b"));
    put("d/.git/c.yaml", MAP("c"));
    put("d/README.md", "# not {{ yaml }}");
    put("d/e.yaml.orig", MAP("e"));
    put("d/f.YAML", MAP("f"));
    check_found(PATHS("d"), "", "d/a.yaml:1:1 ConfigMap a\n");
    /* A file that is named on the command line may have any name. */
    check_found(PATHS("d/.b.yaml", "d/e.yaml.orig", "d/.git"), "",
                "d/.b.yaml:1:1 ConfigMap b\n"
                "d/e.yaml.orig:1:1 ConfigMap e\n"
                "d/.git/c.yaml:1:1 ConfigMap c\n");
}

static void test_review_input__each_object_has_its_place(void **state) {
    static const struct {
        const char *name;
        const char *text;
        const char *found;
    } rows[] = {
        {"one", MAP("a"), "f:1:1 ConfigMap a\n"},
        {"comments before it", "# one\n\n# two\n" MAP("a"), "f:4:1 ConfigMap a\n"},
        {"several documents", MAP("a") "---\n" MAP("b") "---\n# c\n" MAP("c"),
         "f:1:1 ConfigMap a\nf:4:1 ConfigMap b\nf:8:1 ConfigMap c\n"},
        {"empty documents", "---\n---\n# nothing\n---\n" MAP("a") "---\n---\nnull\n",
         "f:5:1 ConfigMap a\n"},
        {"nothing", "", ""},
        {"only comments", "# nothing\n", ""},
        {"on the line of the separator", "--- {kind: A, metadata: {name: a}}\n", "f:1:5 A a\n"},
        {"a List",
         "apiVersion: v1\nkind: List\nitems:\n- kind: A\n  metadata: {name: a}\n-\n"
         "  kind: B\n  metadata: {name: b}\n",
         "f:4:3 A a\nf:7:3 B b\n"},
        {"a List within another document",
         MAP("a") "---\nitems:\n  - metadata: {name: b}\n"
                  "    kind: B\nkind: List\n",
         "f:1:1 ConfigMap a\nf:5:5 B b\n"},
        {"a typed list", "kind: SecretList\nitems:\n- metadata: {name: a}\n- {kind: B}\n",
         "f:3:3 Secret a\nf:4:3 B \n"},
        {"an empty List", "kind: List\nitems: []\n", ""},
        {"a List without items is an object", "kind: AccessList\n", "f:1:1 AccessList \n"},
        {"JSON", "{\"kind\":\"A\"}", "f:1:1 A \n"},
        {"JSON, one behind the other", "{\n \"kind\":\"A\"\n}\n  {\"kind\":\"B\"}",
         "f:1:1 A \nf:4:3 B \n"},
        {"a List in JSON", "{\"kind\":\"List\",\"items\":[{\"kind\":\"A\"},\n  {\"kind\":\"B\"}]}",
         "f:1:25 A \nf:2:3 B \n"},
        {"characters, not bytes", "{kind: List, items: [{kind: \"\xc3\xa4\"}, {kind: B}]}\n",
         "f:1:22 \xc3\xa4 \nf:1:35 B \n"},
        {"an anchor", "kind: List\nitems:\n- &a {kind: A}\n- *a\n", "f:3:3 A \nf:4:3 A \n"},
        {"no kind", "a: 1\n", "f:1:1  \n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        struct error error = {.text = ""};
        buffer_init(&out, SIZE_MAX);
        put("f", rows[i].text);
        if (!read_paths(PATHS("f"), "", note, &out, &error) ||
            strcmp(buffer_text(&out), rows[i].found) != 0) {
            fail_msg("%s: %s%s", rows[i].name, error.text, buffer_text(&out));
        }
    }
}

static bool never(void *context, const struct review_input *input, struct error *error) {
    (void)context;
    (void)input;
    return error_set(error, ERROR_INTERNAL, "visited");
}

static void check_refused(const char *const *paths, const char *standard_input,
                          enum error_kind kind, const char *text) {
    struct error error = {.text = ""};
    if (read_paths(paths, standard_input, never, NULL, &error)) {
        fail_msg("'%s' was read", paths[0]);
    }
    if (strncmp(error.text, text, strlen(text)) != 0 || error.kind != kind) {
        fail_msg("'%s' (%d) instead of '%s'", error.text, (int)error.kind, text);
    }
}

static void test_review_input__errors_name_file_line_and_column(void **state) {
    static const struct {
        const char *text;
        const char *error;
    } rows[] = {
        {"a: 1\nb: [\n", "f:3:1: "},
        {"kind: A\na: 1\na: 2\n", "f:3:1: "},
        {"kind: A\n\tb: 1\n", "f:2:1: "},
        {"{\"kind\":\"A\",\n \"kind\":\"B\"}", "f:2:2: "},
        {"- kind: A\n", "f:1:1: not a Kubernetes object"},
        {"# text\n\njust words\n", "f:3:1: not a Kubernetes object"},
        {"kind: A\nname: {{ .Values.name }}\n", "f:2:7: '{{' looks like a template"},
        {"metadata:\n  labels:\n    {{- include \"x\" . }}\n", "f:3:5: '{{' looks like a template"},
        {"{{- if .Values.x }}\nkind: A\n{{- end }}\n", "f:1:1: '{{' looks like a template"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        put("f", rows[i].text);
        check_refused(PATHS("f"), "", ERROR_INVALID, rows[i].error);
        char on_stdin[128];
        snprintf(on_stdin, sizeof(on_stdin), "<stdin>%s", rows[i].error + 1);
        check_refused(PATHS("-"), rows[i].text, ERROR_INVALID, on_stdin);
    }
}

static void test_review_input__a_fault_in_a_later_document_is_found_first(void **state) {
    (void)state;
    /* The reader takes nothing from a file with a fault. */
    put("f", MAP("a") "---\na: [\n");
    check_refused(PATHS("f"), "", ERROR_INVALID, "f:5:1: ");
}

static void test_review_input__what_cannot_be_read_is_an_error(void **state) {
    (void)state;
    assert_int_equal(symlink("loop.yaml", "loop.yaml"), 0);
    assert_int_equal(mkdir("d", 0700), 0);
    /* Nobody can read this file from its beginning, not even root. */
    assert_int_equal(symlink("/proc/self/mem", "d/mem.yaml"), 0);
    check_refused(PATHS("nowhere.yaml"), "", ERROR_NOT_FOUND, "looking at 'nowhere.yaml': ");
    check_refused(PATHS("loop.yaml"), "", ERROR_NOT_FOUND, "looking at 'loop.yaml': ");
    check_refused(PATHS("d"), "", ERROR_UNAVAILABLE, "reading 'd/mem.yaml': ");
    assert_int_equal(mkdir("e", 0700), 0);
    assert_int_equal(symlink("nowhere.yaml", "e/link.yaml"), 0);
    check_refused(PATHS("e"), "", ERROR_NOT_FOUND, "reading 'e/link.yaml': no such file");
    write_text("secret.yaml", MAP("a"));
    assert_int_equal(chmod("secret.yaml", 0), 0);
    become_nobody();
    check_refused(PATHS("secret.yaml"), "", ERROR_UNAVAILABLE, "reading 'secret.yaml': ");
    become_oneself();
}

static void test_review_input__an_empty_folder_has_no_objects(void **state) {
    (void)state;
    assert_int_equal(mkdir("d", 0700), 0);
    check_found(PATHS("d"), "", "");
}

/* Stops at the second object. */
static bool end_at_second(void *context, const struct review_input *input, struct error *error) {
    unsigned *n = context;
    return ++*n < 2 || error_set_at(error, ERROR_INVALID, input->item->offset, "the end");
}

static void test_review_input__a_visit_ends_the_reading(void **state) {
    struct error error;
    unsigned n = 0;
    (void)state;
    put("a", "kind: List\nitems:\n- {kind: A}\n- {kind: B}\n- {kind: C}\n---\nkind: D\n");
    put("b", "{{ is never looked at");
    assert_false(read_paths(PATHS("a", "b"), "", end_at_second, &n, &error));
    assert_int_equal(n, 2);
    assert_string_equal(error.text, "a:4:3: the end");
}

/* Changes the next file. */
static bool change_next(void *context, const struct review_input *input, struct error *error) {
    if (strcmp(input->path, "d/a.yaml") == 0) {
        put("d/b.yaml", MAP("after"));
    }
    return note(context, input, error);
}

static void test_review_input__a_file_is_read_when_its_turn_comes(void **state) {
    AUTO(buffer_fini) struct buffer out;
    struct error error;
    (void)state;
    buffer_init(&out, SIZE_MAX);
    put("d/a.yaml", MAP("a"));
    put("d/b.yaml", MAP("before"));
    assert_true(read_paths(PATHS("d"), "", change_next, &out, &error));
    assert_string_equal(buffer_text(&out), "d/a.yaml:1:1 ConfigMap a\n"
                                           "d/b.yaml:1:1 ConfigMap after\n");
}

/* Makes standard input a file of this size. */
static bool read_stdin_of(off_t size, struct buffer *content, struct error *error) {
    int before = dup(STDIN_FILENO);
    int file = open("input", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(before >= 0 && file >= 0);
    assert_int_equal(ftruncate(file, size), 0);
    assert_int_equal(dup2(file, STDIN_FILENO), STDIN_FILENO);
    bool is_read = review_input_read_stdin(content, error);
    assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
    close(before);
    close(file);
    return is_read;
}

static void test_review_input__standard_input_has_a_limit(void **state) {
    static const struct {
        off_t size;
        bool is_read;
    } rows[] = {{0, true}, {1, true}, {DOCUMENT_FILE_MAX, true}, {DOCUMENT_FILE_MAX + 1, false}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer content;
        struct error error = {.text = ""};
        assert_int_equal(read_stdin_of(rows[i].size, &content, &error), rows[i].is_read);
        if (rows[i].is_read) {
            assert_int_equal(content.size, rows[i].size);
        } else {
            assert_int_equal(error.kind, ERROR_TOO_LARGE);
            assert_string_equal(error.text, "standard input is larger than 64 MiB");
        }
    }
}

static void test_review_input__standard_input_is_named_by_a_dash(void **state) {
    static const char *const items[] = {"a", "-", "b"};
    const char *borrowed[3];
    memcpy(borrowed, items, sizeof(borrowed));
    (void)state;
    struct option_texts texts = {.items = borrowed, .n_items = 3};
    assert_true(review_input_names_stdin(&texts));
    texts.n_items = 1;
    assert_false(review_input_names_stdin(&texts));
    borrowed[0] = "./-";
    assert_false(review_input_names_stdin(&texts));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_review_input__folders_are_read_in_the_order_of_names),
        IN_FOLDER(test_review_input__paths_are_read_in_the_order_given),
        IN_FOLDER(test_review_input__what_is_hidden_or_has_another_ending_is_passed_over),
        IN_FOLDER(test_review_input__each_object_has_its_place),
        IN_FOLDER(test_review_input__errors_name_file_line_and_column),
        IN_FOLDER(test_review_input__a_fault_in_a_later_document_is_found_first),
        IN_FOLDER(test_review_input__what_cannot_be_read_is_an_error),
        IN_FOLDER(test_review_input__an_empty_folder_has_no_objects),
        IN_FOLDER(test_review_input__a_visit_ends_the_reading),
        IN_FOLDER(test_review_input__a_file_is_read_when_its_turn_comes),
        IN_FOLDER(test_review_input__standard_input_has_a_limit),
        cmocka_unit_test(test_review_input__standard_input_is_named_by_a_dash),
    };
    return cmocka_run_group_tests_name("app/review_input", tests, NULL, NULL);
}
