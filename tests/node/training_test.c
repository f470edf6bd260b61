/* The study file's keys of iterative training. */

#include "node/training.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/scratch.h"

static struct study *read_study(const char *task, const char *rounds,
                                const char *sum, struct error *error)
{
    static const char form[] = "version: 1\n"
                               "study: s\n"
                               "sites:\n"
                               "  - {name: a, data: a.csv}\n"
                               "  - {name: b, data: b.csv}\n"
                               "  - {name: c, data: c.csv}\n"
                               "task:\n"
                               "  target: y\n"
                               "  features: [x]\n"
                               "%s"
                               "rounds: {max: 9%s}\n"
                               "sum: {%s}\n";
    char text[2000];
    struct study *study = NULL;

    snprintf(text, sizeof text, form, task, rounds, sum);
    study_read(&study, scratch_write("t.yaml", text), error);
    return study;
}

static struct study *taken(const char *task, const char *rounds,
                           const char *sum)
{
    struct error error = {""};
    struct study *study = read_study(task, rounds, sum, &error);

    if (study == NULL)
        fail_msg("%s", error.text);
    return study;
}

/* `words` in the message, with a line of the file before them. */
static void refused(const char *task, const char *rounds, unsigned line,
                    const char *words)
{
    struct error error = {""};
    struct study *study = read_study(task, rounds, "lanes: 64", &error);
    char start[600];

    if (study != NULL)
        fail_msg("was taken: %s%s", task, rounds);
    snprintf(start, sizeof start, "%s:%u: ", scratch_path("t.yaml"), line);
    if (strncmp(error.text, start, strlen(start)) != 0 ||
        strstr(error.text, words) == NULL)
        fail_msg("got: %s, expected: %s...%s", error.text, start, words);
}

#define MLP "  kind: mlp\n  hidden: [8]\n"
#define AVG "  kind: logistic\n  method: fedavg\n"

static void every_key_is_read(void **state)
{
    struct study *s = taken("  kind: mlp\n"
                            "  method: fedprox\n"
                            "  classes: 10\n"
                            "  hidden: [32, 16]\n"
                            "  activation: tanh\n"
                            "  precision: double\n"
                            "  init: 5\n"
                            "  mu: 0.25\n"
                            "  server_step: 0.5\n",
                            ", local_epochs: 3, batch: 32, step: 0.2, momentum:"
                            " 0.9, schedule: exponential, decay: 0.99, "
                            "patience: 7",
                            "lanes: 16, value_bits: 12, clip: 0.5");
    const struct task_training *t = &s->task.training;

    (void)state;
    assert_int_equal(t->classes, 10);
    assert_int_equal(t->hidden_count, 2);
    assert_int_equal(t->hidden[0], 32);
    assert_int_equal(t->hidden[1], 16);
    assert_int_equal(t->activation, TASK_ACTIVATION_TANH);
    assert_int_equal(t->precision, TASK_PRECISION_DOUBLE);
    assert_int_equal(t->init, 5);
    assert_true(t->mu == 0.25 && t->server_step == 0.5);
    assert_int_equal(t->local_steps, 0);
    assert_int_equal(t->local_epochs, 3);
    assert_int_equal(t->batch, 32);
    assert_true(s->task.step == 0.2 && t->momentum == 0.9);
    assert_int_equal(t->schedule, TASK_SCHEDULE_EXPONENTIAL);
    assert_true(t->decay == 0.99);
    assert_int_equal(t->patience, 7);
    assert_int_equal(s->task.lane_bits, 16);
    assert_int_equal(s->task.value_bits, 12);
    assert_true(s->task.clip == 0.5);
    study_free(s);
}

static void what_is_left_out_has_a_default(void **state)
{
    struct study *s = taken(MLP, "", "lanes: 64");
    const struct task_training *t = &s->task.training;

    (void)state;
    assert_string_equal(s->task.method, "fedavg");
    assert_int_equal(t->classes, 2);
    assert_int_equal(t->local_steps, 1);
    assert_int_equal(t->batch, 0);
    assert_true(s->task.step == 0.1 && t->momentum == 0 && t->server_step == 1);
    assert_int_equal(t->precision, TASK_PRECISION_SINGLE);
    assert_int_equal(t->patience, 0);
    study_free(s);
    s = taken("  kind: logistic\n  method: fedadam\n", "", "lanes: 64");
    assert_true(s->task.training.server_step == 0.1);
    study_free(s);
}

static void a_key_without_use_is_refused(void **state)
{
    (void)state;
    refused("  kind: logistic\n", ", local_steps: 5", 11, "method 'newton'");
    refused("  kind: logistic\n", ", momentum: 0.9", 11, "method 'newton'");
    refused("  kind: logistic\n  server_step: 2\n", "", 11, "'newton'");
    refused(AVG "  mu: 0.1\n", "", 12, "mu: found it with method 'fedavg'");
    refused(AVG "  classes: 2\n", "", 12, "kind 'logistic', which has no use");
    refused("  kind: softmax\n  hidden: [3]\n", "", 11, "kind 'softmax'");
    refused(AVG, ", decay: 0.9", 12, "schedule: exponential");
}

static void a_wrong_value_is_refused(void **state)
{
    (void)state;
    refused("  kind: mlp\n  hidden: 8\n", "", 11, "hidden");
    refused("  kind: mlp\n  hidden: []\n", "", 11, "found 0 layers");
    refused("  kind: mlp\n  hidden: [8, 0]\n", "", 11, "found '0'");
    refused("  kind: mlp\n  hidden: [2.5]\n", "", 11,
            "hidden: found '2.5', expected units of each layer, whole");
    refused("  kind: mlp\n", "", 10, "hidden: expected it");
    refused("  kind: softmax\n", "", 10, "classes: expected it");
    refused(MLP "  classes: 1\n", "", 12, "classes");
    refused(MLP "  activation: gelu\n", "", 12, "relu");
    refused(MLP, ", momentum: 1", 12, "momentum");
    refused(MLP, ", step: 0", 12, "step: found 0");
    refused(MLP, ", schedule: linear", 12, "cosine");
    refused(MLP, ", schedule: exponential", 12, "decay: expected");
    refused(MLP, ", local_steps: 2, local_epochs: 2", 12, "one of the two");
    refused(MLP, ", local_step: 2", 12, "local_steps");
    refused(MLP, ", patience: 0", 12, "patience");
    refused(AVG "  server_step: 0\n", "", 12, "server_step: found 0");
    refused("  kind: logistic\n  method: fedprox\n", "", 10, "mu: expected it");
    refused("  kind: logistic\n  method: fedprox\n  mu: 0\n", "", 12,
            "mu: found 0");
    refused("  kind: logistic\n  method: fedsgd\n", ", local_steps: 5", 12,
            "'fedsgd'");
    refused("  kind: logistic\n  method: fedsgd\n", ", batch: 5", 12,
            "'fedsgd'");
    refused("  kind: logistic\n  method: fedsgd\n", ", momentum: 0.9", 12,
            "'fedsgd'");
}

/* A pod's own sum is narrow; those of all pods are added up in 64 bits. */
static void narrow_lanes_hold_a_pods_own_sum(void **state)
{
    static const char form[] =
        "version: 1\nstudy: s\nsites: [{name: a}, {name: b}, {name: c},\n"
        "  {name: d}, {name: e}, {name: f}]\n"
        "task: {kind: logistic, method: fedavg, target: y, features: [x]}\n"
        "pods: {sites: [[a, b, c], [d, e, f]], mode: %s}\n"
        "sum: {lanes: %d}\n";
    struct error error = {""};
    struct study *study;
    char text[600];

    (void)state;
    snprintf(text, sizeof text, form, "exact", 16);
    assert_int_equal(study_read(&study, scratch_write("p.yaml", text), &error),
                     0);
    assert_int_equal(study->task.value_bits, 14); /* 3 (2^14 - 1) < 2^16 */
    study_free(study);
    snprintf(text, sizeof text, form, "gossip", 64);
    assert_true(study_read(&study, scratch_write("p.yaml", text), &error) < 0);
    assert_non_null(strstr(error.text, "expected 'mode: exact'"));
    snprintf(text, sizeof text, form, "exact", 64);
    assert_int_equal(study_read(&study, scratch_write("p.yaml", text), &error),
                     0);
    study_free(study);
}

static void every_key_is_in_the_charter(void **state)
{
    static const char *const tasks[] = {MLP,
                                        MLP "  classes: 3\n",
                                        "  kind: mlp\n  hidden: [8, 8]\n",
                                        MLP "  activation: tanh\n",
                                        MLP "  precision: double\n",
                                        MLP "  init: 1\n",
                                        MLP "  server_step: 2\n",
                                        MLP "  method: fedprox\n  mu: 1\n",
                                        MLP "  method: fedprox\n  mu: 2\n"};
    static const char *const rounds[] = {", step: 0.3",
                                         ", local_steps: 2",
                                         ", local_epochs: 2",
                                         ", batch: 4",
                                         ", momentum: 0.5",
                                         ", schedule: cosine",
                                         ", schedule: exponential, decay: 0.5",
                                         ", schedule: exponential, decay: 0.6",
                                         ", patience: 3"};
    enum { TASKS = 9, ALL = TASKS + 9 };
    struct gossip_field fields[GOSSIP_FIELDS_MAX];
    uint8_t charter[ALL][GOSSIP_HASH_BYTES];

    (void)state;
    for (int i = 0; i < ALL; i++) {
        struct study *s =
            taken(i < TASKS ? tasks[i] : MLP,
                  i < TASKS ? "" : rounds[i - TASKS], "lanes: 64");
        study_fields(fields, charter[i], s);
        study_free(s);
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(charter[i], charter[j], sizeof charter[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_left_out_has_a_default),
        cmocka_unit_test(a_key_without_use_is_refused),
        cmocka_unit_test(a_wrong_value_is_refused),
        cmocka_unit_test(narrow_lanes_hold_a_pods_own_sum),
        cmocka_unit_test(every_key_is_in_the_charter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
