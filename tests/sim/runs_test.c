/* `starling sim world` as a person types it: exit statuses and files. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <unistd.h>

#include "sim/cohort.h"
#include "sim/runs.h"

enum { TEXT_SIZE = 1 << 20, WORDS_MAX = 12 };

static struct cohort cohort;

static int begin(void **state)
{
    (void)state;
    cohort_new(&cohort, "linear", 4, "wait");
    return 0;
}

static const char *path_of(const char *name)
{
    static char path[COHORT_PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s", cohort.folder, name);
    return path;
}

static int end(void **state)
{
    (void)state;
    unlink(path_of("result.json"));
    unlink(path_of("rounds.csv"));
    unlink(path_of("trace.txt"));
    cohort_free(&cohort);
    return 0;
}

/* The words after "world STUDY.yaml --out FOLDER". */
static int world(const char *const *words)
{
    char study[COHORT_PATH_SIZE], given[WORDS_MAX][64];
    char *argv[WORDS_MAX + 5] = {"world", study, "--out", cohort.folder};
    int argc = 4;

    snprintf(study, sizeof study, "%s", path_of("study.yaml"));
    for (int i = 0; words != NULL && words[i] != NULL; i++) {
        snprintf(given[i], sizeof given[i], "%s", words[i]);
        argv[argc++] = given[i];
    }
    return runs_main(argc, argv);
}

static char *content(const char *name)
{
    FILE *file = fopen(path_of(name), "r");
    char *text = calloc(1, TEXT_SIZE);

    if (text == NULL)
        abort();
    if (file == NULL) {
        free(text);
        return NULL;
    }
    size_t size = fread(text, 1, TEXT_SIZE - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void holds(const char *name, const char *words)
{
    char *text = content(name);

    if (text == NULL || strstr(text, words) == NULL)
        fail_msg("%s does not hold '%s'", name, words);
    free(text);
}

static void a_run_leaves_its_result(void **state)
{
    (void)state;
    assert_int_equal(world(NULL), 0);
    holds("result.json", "\"sum_exact\": true");
    holds("result.json", "\"seed\": 7");
    holds("result.json", "\"site\": \"dan\"");
    holds("rounds.csv", "round,virtual_ms,survivors,loss");
    assert_null(content("trace.txt"));
}

static void a_trace_is_the_same_again(void **state)
{
    const char *const words[] = {"--seed", "12", "--trace", "--chaos", NULL};

    (void)state;
    world(words);
    char *first = content("trace.txt");
    world(words);
    char *again = content("trace.txt");
    assert_non_null(first);
    assert_true(strlen(first) > 1000);
    assert_string_equal(first, again);
    free(first);
    free(again);
}

/* ben is lost for good in round 1, and wait is what the study says. */
static void lose_ben(void)
{
    char *text = content("study.yaml");
    char *last = text == NULL ? NULL : strrchr(text, '}');

    assert_non_null(last);
    *last = '\0';
    FILE *file = cohort_open(&cohort, "study.yaml");
    fprintf(file, "%s, crash: [{site: ben, round: 1, at: before-y}]}\n", text);
    fclose(file);
    free(text);
}

static void a_run_that_fails_leaves_no_result(void **state)
{
    (void)state;
    assert_int_equal(world(NULL), 0);
    lose_ben();
    assert_int_equal(world(NULL), 1);
    assert_null(content("result.json"));
    assert_null(content("rounds.csv"));
}

static void seeds_end_well_with_made_up_members(void **state)
{
    const char *const words[] = {"--seeds",   "1-3", "--chaos",
                                 "--members", "3-5", NULL};

    (void)state;
    assert_int_equal(world(words), 0);
}

/* What `words` print on stdout. */
static char *printed(const char *const *words)
{
    int out = dup(STDOUT_FILENO);

    fflush(stdout);
    assert_non_null(freopen(path_of("stdout"), "w", stdout));
    int status = world(words);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    assert_int_equal(status, 0);
    char *text = content("stdout");
    assert_non_null(text);
    unlink(path_of("stdout"));
    return text;
}

static void seeds_print_one_object_a_line_and_nothing_else(void **state)
{
    const char *const words[] = {"--seeds", "3-5", "--json", NULL};
    char *text = printed(words);
    uint64_t seed = 3;

    (void)state;
    for (char *line = strtok(text, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        assert_int_equal(json_integer_value(json_object_get(object, "seed")),
                         seed++);
        assert_true(json_is_true(json_object_get(object, "finished")));
        json_decref(object);
    }
    assert_int_equal(seed, 6);
    free(text);
}

static void several_processes_print_the_same(void **state)
{
    const char *const one[] = {"--seeds", "1-5", "--chaos", "--json", NULL};
    const char *const three[] = {"--seeds", "1-5", "--chaos", "--json",
                                 "--jobs",  "3",   NULL};
    char *alone = printed(one), *shared = printed(three);

    (void)state;
    assert_string_equal(alone, shared);
    free(alone);
    free(shared);
}

static void misuse_has_its_own_status(void **state)
{
    static const char *const wrong[][3] = {
        {"--seed", "x", NULL},    {"--seeds", "5-2", NULL},
        {"--members", "2", NULL}, {"--nonsense", NULL, NULL},
        {"--seed", "1-2", NULL},  {"another.yaml", NULL, NULL},
        {"--jso", NULL, NULL},    {"--json=1", NULL, NULL},
        {"--seed", NULL, NULL},   {"--jobs", "0", NULL}};
    char *alone[] = {"world", NULL};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(world(wrong[i]), 2);
    assert_int_equal(runs_main(1, alone), 2);
}

static void a_missing_study_is_a_failure(void **state)
{
    (void)state;
    assert_int_equal(world(NULL), 0);
    unlink(path_of("study.yaml"));
    assert_int_equal(world(NULL), 1);
    assert_null(content("result.json")); /* of the run before */
    assert_null(content("rounds.csv"));
}

int main(void)
{
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CLAIM(a_run_leaves_its_result),
        CLAIM(a_trace_is_the_same_again),
        CLAIM(a_run_that_fails_leaves_no_result),
        CLAIM(seeds_end_well_with_made_up_members),
        CLAIM(seeds_print_one_object_a_line_and_nothing_else),
        CLAIM(several_processes_print_the_same),
        CLAIM(misuse_has_its_own_status),
        CLAIM(a_missing_study_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
