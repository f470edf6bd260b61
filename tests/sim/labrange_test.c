/* Parameters, networks and matrices that an algorithm does not allow are
 * refused, and what is at their edge runs. */

#include "sim/trial.h"

static void write_matrix(const char *name, int back)
{
    FILE *file = fopen(scratch_write(name, ""), "w");

    assert_non_null(file);
    fprintf(file, "%%%%MatrixMarket matrix coordinate real general\n12 12 %d\n",
            back ? 36 : 24);
    for (int i = 1; i <= 12; i++) {
        fprintf(file, "%d %d 0.5\n%d %d 0.5\n", i, i, i, i % 12 + 1);
        if (back) /* written, and still no link */
            fprintf(file, "%d %d 0\n", i % 12 + 1, i);
    }
    fclose(file);
}

static void try(const char *problem, const char *entry, const char *says)
{
    const struct lab_options options = {.threads = 1};
    char text[1024];
    struct error error = {{0}};
    struct lab *lab;

    snprintf(text, sizeof text,
             "version: 1\nnodes: 12\nsteps: 2\nproblem: %s\n"
             "graph: {name: ring}\nalgorithms:\n- %s\n",
             problem, entry);
    int code = lab_run(&lab, scratch_write("e.yaml", text), &options, &error);
    if ((code != 0) != (says != NULL) ||
        (code != 0 && strstr(error.text, says) == NULL))
        fail_msg("%s: found \"%s\", expected \"%s\"", entry, error.text,
                 says == NULL ? "" : says);
    lab_free(lab);
}

struct one {
    const char *entry, *says;
};

static void try_all(const struct one *cases, size_t count)
{
    for (size_t k = 0; k < count; k++)
        try("{kind: quadratic, file: q.csv}", cases[k].entry, cases[k].says);
}

static void a_parameter_outside_its_range_is_refused(void **state)
{
    static const struct one cases[] = {
        {"{name: dmsgd, step: 0.1, beta: 1}",
         ":7: beta: found 1 for dmsgd, expected it below 1, else the momentum "
         "grows without end"},
        {"{name: dmsgd, step: 0.1, beta: 1, unsafe: yes}", NULL},
        {"{name: dmsgd, step: 0.1, beta: 0.999}", NULL},
        {"{name: decentlam, step: 0.1, beta: 1.5}",
         ":7: beta: found 1.5 for decentlam, expected it below 1"},
        {"{name: qg-dsgdm, step: 0.1, beta: 1}",
         ":7: beta: found 1 for qg-dsgdm, expected it below 1"},
        {"{name: qg-dsgdm-n, step: 0.1, beta: 2}",
         ":7: beta: found 2 for qg-dsgdm-n, expected it below 1"},
        {"{name: qg-dsgdm, step: 0.1, beta: 0.5, mu: 1.01}",
         ":7: mu: found 1.01 for qg-dsgdm, expected it at most 1, as it is "
         "the old part of a mean"},
        {"{name: qg-dsgdm-n, step: 0.1, beta: 0.5, mu: 2}",
         ":7: mu: found 2 for qg-dsgdm-n, expected it at most 1"},
        {"{name: qg-dsgdm-n, step: 0.1, beta: 0.5, mu: 1}", NULL},
        {"{name: fedprox, step: 0.1, mu: 2}", NULL},
        {"{name: momentum-tracking, step: 0.1, beta: 1}",
         ":7: beta: found 1 for momentum-tracking, expected it below 1"},
        {"{name: choco-gossip, gamma: 1.1}",
         ":7: gamma: found 1.1 for choco-gossip, expected it above 0 and at "
         "most 1: the part of the way to the neighbours' mean"},
        {"{name: choco-gossip, gamma: 0}",
         ":7: gamma: found 0 for choco-gossip, expected it above 0"},
        {"{name: choco-gossip, gamma: 1}", NULL},
        {"{name: choco-sgd, step: 0.1, gamma: 2}",
         ":7: gamma: found 2 for choco-sgd, expected it above 0 and at most 1"},
        {"{name: deepsqueeze, step: 0.1, gamma: 0}",
         ":7: gamma: found 0 for deepsqueeze, expected it above 0"},
        {"{name: beer, step: 0.1, gamma: 1.5}",
         ":7: gamma: found 1.5 for beer, expected it above 0 and at most 1"},
        {"{name: ltadmm, step: 0.1, beta: 0, rho: 1}",
         ":7: beta: found 0 for ltadmm, expected it above 0, else no node "
         "takes from another"},
        {"{name: ltadmm, step: 0.1, beta: 0.1, rho: 0}",
         ":7: rho: found 0 for ltadmm, expected it above 0"},
        {"{name: dgd-atc, step: -0.1}",
         ":7: step: found '-0.1', expected a number from 0 to"},
        {"{name: dgd-atc, step: nan}", ":7: step: found 'nan', expected"},
        {"{name: dgd-atc, step: .inf}", ":7: step: found '.inf', expected"},
        {"{name: dgd-atc, step: 1e999}", ":7: step: found '1e999', expected"},
        {"{name: clipped-gossip, tau: -1}", ":7: tau: found '-1', expected"},
    };

    (void)state;
    try_all(cases, sizeof cases / sizeof *cases);
}

/* l = 4 on the ring: without gradients 8/3 is the last that does not grow. */
static void ltadmm_stays_below_what_its_graph_allows(void **state)
{
    static const struct one cases[] = {
        {"{name: ltadmm, step: 0.1, beta: 0.1, rho: 1, local_steps: 7}",
         ":7: ltadmm: found local_steps beta rho l = 2.8, where l = 4 is the "
         "largest eigenvalue"},
        {"{name: ltadmm, step: 0.1, beta: 0.1, rho: 1, local_steps: 6}", NULL},
        {"{name: ltadmm, step: 0.1, beta: 0.1, rho: 1, local_steps: 7, unsafe: "
         "yes}",
         NULL},
    };

    (void)state;
    try_all(cases, sizeof cases / sizeof *cases);
}

static void a_rule_for_losses_is_for_its_matrix(void **state)
{
    static const struct one cases[] = {
        {"{name: dgd-atc, step: 0.1, on_loss: lost}",
         ":7: on_loss: found lost for dgd-atc, expected self, symmetric or "
         "renormalise; it is for push-sum, ab, push-pull and sgp"},
        {"{name: gossip}\nnetwork: {on_loss: returned}",
         ":8: on_loss: found returned for gossip, expected self, symmetric or "
         "renormalise; it is for push-sum, ab, push-pull and sgp"},
        {"{name: push-sum, on_loss: self}",
         ":7: on_loss: found self for push-sum, expected lost or returned, as "
         "its senders give shares away"},
        {"{name: sgp, step: 0.1}\nnetwork: {on_loss: renormalise}",
         ":8: on_loss: found renormalise for sgp, expected lost or returned"},
        {"{name: sgp, step: 0.1, on_loss: lost}", NULL},
        {"{name: ab, step: 0.1, on_loss: lost}", NULL},
        {"{name: ab, step: 0.1, on_loss: symmetric}", NULL},
        {"{name: adpsgd, step: 0.1, on_loss: self}",
         ":7: on_loss: found self for adpsgd, which mixes with no matrix that "
         "loses anything; remove it"},
        {"{name: fedavg, step: 0.1, on_loss: lost}",
         ":7: on_loss: found lost for fedavg, which mixes with no matrix"},
        {"{name: ltadmm, step: 0.1, beta: 0.1, rho: 1, on_loss: self}",
         ":7: on_loss: found self for ltadmm, which mixes with no matrix"},
        {"{name: ltadmm, step: 0.1, beta: 0.1, rho: 1}\n"
         "- {name: dgd-atc, step: 0.1}\nnetwork: {on_loss: symmetric}",
         NULL},
    };

    (void)state;
    try_all(cases, sizeof cases / sizeof *cases);
}

static void links_that_go_one_way_are_no_meetings(void **state)
{
    static const struct one cases[] = {
        {"{name: pairwise, weights: {file: oneway.mtx}}",
         ":7: pairwise: found links that go one way only, expected both ways, "
         "as two that meet both move"},
        {"{name: pairwise, weights: {file: zeros.mtx}}",
         ":7: pairwise: found links that go one way only"},
        {"{name: adpsgd, step: 0.1, weights: {file: oneway.mtx}}",
         ":7: adpsgd: found links that go one way only"},
        {"{name: adpsgd, step: 0.1, weights: {file: oneway.mtx}}\n"
         "network: {wake: wake.csv}",
         ":7: adpsgd: found links that go one way only"},
        {"{name: pairwise, graph: {name: static-exponential}}",
         ":7: pairwise: found links that go one way only"},
        {"{name: sgp, step: 0.1, weights: {file: oneway.mtx}}\n"
         "network: {offline: 0.5}",
         ":7: sgp: found links that go one way only, expected both ways with "
         "offline: nodes"},
        {"{name: sgp, step: 0.1, weights: {file: oneway.mtx}}", NULL},
        {"{name: sgp, step: 0.1, graph: {name: one-peer-exponential}}\n"
         "network: {offline: 0.5}",
         NULL},
        {"{name: pairwise}", NULL},
    };

    (void)state;
    write_matrix("oneway.mtx", 0);
    write_matrix("zeros.mtx", 1);
    scratch_write("wake.csv", "0,0,1\n");
    try_all(cases, sizeof cases / sizeof *cases);
}

static void faults_that_would_be_passed_over_are_refused(void **state)
{
    static const struct one cases[] = {
        {"{name: fedavg, step: 0.1}\nnetwork: {offline: 0.5}",
         ":7: fedavg: found offline: nodes, expected none, as it averages all "
         "nodes exactly"},
        {"{name: scaffold, step: 0.1}\nnetwork: {offline: off.csv}",
         ":7: scaffold: found offline: nodes"},
        {"{name: fedprox, step: 0.1, mu: 1}\nnetwork: {byzantine: liar.csv}",
         ":7: fedprox: found byzantine: nodes, expected none"},
        {"{name: pairwise}\nnetwork: {byzantine: liar.csv}",
         ":7: pairwise: found byzantine: nodes, expected none"},
        {"{name: relaysgd, step: 0.1, graph: {name: path}}\n"
         "network: {byzantine: liar.csv}",
         ":7: relaysgd: found byzantine: nodes, expected none"},
        {"{name: dgd-atc, step: 0.1}\nnetwork: {byzantine: liar.csv}", NULL},
        {"{name: choco-gossip, gamma: 0.5}\nnetwork: {loss: 0.1}",
         ":7: choco-gossip: found messages that are lost or nodes offline, "
         "expected none, as neighbours add up"},
        {"{name: choco-sgd, step: 0.1, gamma: 0.5}\n"
         "network: {offline: off.csv}",
         ":7: choco-sgd: found messages that are lost or nodes offline"},
        {"{name: beer, step: 0.1, gamma: 0.5}\nnetwork: {drop: drop.csv}",
         ":7: beer: found messages that are lost or nodes offline"},
        {"{name: beer, step: 0.1, gamma: 0.5, unsafe: yes}\n"
         "network: {drop: drop.csv}",
         NULL},
        {"{name: choco-gossip, gamma: 0.5}\nnetwork: {loss: 0}", NULL},
        {"{name: deepsqueeze, step: 0.1, gamma: 0.5}\nnetwork: {loss: 0.1}",
         NULL},
        {"{name: teleportation, step: 0.1, tokens: 4}\n"
         "network: {offline: 0.5}",
         ":7: teleportation: found byzantine:, offline: or drop:, expected "
         "none of them, as its states wander"},
        {"{name: teleportation, step: 0.1, tokens: 4}\n"
         "network: {compute_ms: ms.csv}",
         ":7: teleportation: found times that differ from node to node"},
        {"{name: teleportation, step: 0.1, tokens: 4}\n"
         "network: {compute_ms: 3, loss: 0.1}",
         NULL},
        {"{name: teleportation, step: 0.1, tokens: 13}",
         ":7: teleportation: found 13 tokens, expected at most 12"},
        {"{name: teleportation, step: 0.1, tokens: 12}", NULL},
    };

    (void)state;
    scratch_write("off.csv", "0,3\n");
    scratch_write("drop.csv", "0,3,4\n");
    scratch_write("liar.csv", "5,4,100\n");
    scratch_write("ms.csv", "1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n2\n");
    try_all(cases, sizeof cases / sizeof *cases);
}

static void draws_of_one_step_are_not_those_of_the_next(void **state)
{
    const char *noisy = "{kind: quadratic, file: q.csv, noise: 1}";

    (void)state;
    try(noisy, "{name: local-dsgd, step: 0.1, local_steps: 4097}",
        ":7: local-dsgd: found local_steps: 4097, expected at most 4096 with "
        "noise: or batch:");
    try(noisy, "{name: local-dsgd, step: 0.1, local_steps: 4096}", NULL);
    try("{kind: quadratic, file: q.csv}",
        "{name: local-dsgd, step: 0.1, local_steps: 4097}", NULL);
}

/* 64 nodes have 2016 links then. */
static void the_fastest_weights_have_a_limit(void **state)
{
    const struct lab_options options = {.threads = 1};
    struct error error = {{0}};
    struct lab *lab;

    (void)state;
    FILE *file = fopen(scratch_write("x64.csv", ""), "w");
    assert_non_null(file);
    for (int i = 0; i < 64; i++)
        fprintf(file, "%d\n", i);
    fclose(file);
    const char *path =
        scratch_write("e.yaml", "version: 1\nnodes: 64\nsteps: 1\n"
                                "problem: {kind: consensus, init: x64.csv}\n"
                                "graph: {name: complete}\n"
                                "weights: {rule: fmmc}\n"
                                "algorithms: [{name: gossip}]\n");
    assert_int_not_equal(lab_run(&lab, path, &options, &error), 0);
    assert_non_null(strstr(error.text,
                           ":5: weights: found 64 nodes and 2016 links, "
                           "expected at most 1001 and 2000 for fdla and fmmc; "
                           "take rule: best-constant"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parameter_outside_its_range_is_refused),
        cmocka_unit_test(ltadmm_stays_below_what_its_graph_allows),
        cmocka_unit_test(a_rule_for_losses_is_for_its_matrix),
        cmocka_unit_test(links_that_go_one_way_are_no_meetings),
        cmocka_unit_test(faults_that_would_be_passed_over_are_refused),
        cmocka_unit_test(draws_of_one_step_are_not_those_of_the_next),
        cmocka_unit_test(the_fastest_weights_have_a_limit),
    };
    return cmocka_run_group_tests(tests, trial_open, scratch_remove);
}
