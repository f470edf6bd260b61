/* One truth: the same pods, graph, method and step give the same trajectory in
 * the lab, whose nodes are the pods, and in the engine, whose pods are real
 * ones with masked sums on a virtual network. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "node/scratch.h"
#include "sim/county.h"
#include "sim/lab/lab.h"
#include "sim/worlds.h"

enum { PODS = 8, MEMBERS = 3, FEATURES = 2, WIDTH = 3, ROUNDS = 40 };

/* Drawn once: a random graph that joins all pods. */
static const char edges[] = "[[0, 3], [3, 6], [6, 1], [1, 4], [4, 7], [7, 2], "
                            "[2, 5], [0, 4], [3, 7], [1, 2], [6, 5]]";
static const char edge_file[] = "0 3\n3 6\n6 1\n1 4\n4 7\n7 2\n2 5\n0 4\n3 7\n"
                                "1 2\n6 5\n";

static const struct {
    const char *engine, *lab;
} graphs[] = {
    {"graph: ring", "graph: {name: ring}"},
    {"graph: edges\n  edges: ", "graph: {file: random.edges}"},
    {"graph: exponential", "graph: {name: one-peer-exponential}"},
    {"graph: base\n  k: 2", "graph: {name: base, k: 2}"},
};

struct trajectory {
    double x[ROUNDS + 1][PODS][WIDTH];
    size_t seen;
};

static void watch(void *context, const char *label,
                  const struct course_row *row, const struct course *course)
{
    struct trajectory *t = context;

    (void)label;
    if (row->step > ROUNDS)
        return;
    for (size_t i = 0; i < PODS; i++)
        memcpy(t->x[row->step][i], course_state(course, i),
               sizeof t->x[row->step][i]);
    t->seen++;
}

/* The pods' rows as the lab wants them: classes -1 and 1, ones in front. */
static void write_problem(const struct county *c)
{
    FILE *file = fopen(scratch_path("p.csv"), "w");

    assert_non_null(file);
    fprintf(file, "node,y,z0,z1,z2\n");
    for (uint32_t i = 0; i < c->study->site_count; i++)
        for (size_t r = 0; r < c->datasets[i]->row_count; r++) {
            const struct dataset *d = c->datasets[i];
            fprintf(file, "%u,%d,1,%.17g,%.17g\n", i / MEMBERS,
                    d->y[r] > 0 ? 1 : -1, d->x[r * FEATURES],
                    d->x[r * FEATURES + 1]);
        }
    fclose(file);
    scratch_write("random.edges", edge_file);
}

static void run_lab(struct trajectory *t, const char *graph, const char *method)
{
    const struct lab_options options = {
        .threads = 1, .watch = watch, .context = t};
    struct error error = {{0}};
    char text[1024];
    struct lab *lab;

    snprintf(text, sizeof text,
             "version: 1\nnodes: %d\n%s\nproblem: {kind: logistic, file: "
             "p.csv, lambda: 0}\nsteps: %d\nalgorithms:\n- {name: %s, step: "
             "0.5}\n",
             PODS, graph, ROUNDS, method);
    if (lab_run(&lab, scratch_write("e.yaml", text), &options, &error) != 0)
        fail_msg("%s", error.text);
    lab_free(lab);
    assert_int_equal(t->seen, ROUNDS + 1);
}

static double compare(size_t graph, const char *method)
{
    static struct trajectory lab;
    char pods[512];
    struct county_spec spec = {.pods = PODS,
                               .members = MEMBERS,
                               .features = FEATURES,
                               .rows = PODS * MEMBERS * 10,
                               .equal = true,
                               .method = "dgd",
                               .pods_text = pods,
                               .rounds = "max: 40, step: 0.5",
                               .fraction_bits = 46};
    struct worlds_config config = {.seed = 9};
    struct error error = {{0}};
    struct county c;
    struct worlds *w;
    double worst = 0;
    size_t count;

    snprintf(pods, sizeof pods, "%s%s\n  method: %s", graphs[graph].engine,
             strstr(graphs[graph].engine, "edges: ") ? edges : "", method);
    county_new(&c, &spec);
    write_problem(&c);
    memset(&lab, 0, sizeof lab);
    run_lab(&lab, graphs[graph].lab, method);
    config.study = c.study;
    config.datasets = (const struct dataset *const *)c.datasets;
    assert_int_equal(worlds_new(&w, &config, &error), 0);
    if (worlds_run(w) != 0)
        fail_msg("%s", worlds_reason(w));
    const struct worlds_round *rounds = worlds_rounds(w, &count);
    assert_int_equal(count, ROUNDS);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < (size_t)PODS * WIDTH; i++)
            worst = fmax(worst,
                         fabs(rounds[k].models[i] - (&lab.x[k + 1][0][0])[i]));
    assert_true(fabs(rounds[count - 1].models[0]) > 0.01);
    worlds_free(w);
    county_free(&c);
    return worst;
}

static void the_lab_and_the_engine_agree(void **state)
{
    static const char *const methods[] = {"dgd-atc", "gt-atc"};

    (void)state;
    for (size_t m = 0; m < 2; m++)
        for (size_t g = 0; g < sizeof graphs / sizeof *graphs; g++) {
            double worst = compare(g, methods[m]);
            print_message("%s, %s: %.2e\n", methods[m], graphs[g].lab, worst);
            if (!(worst < 1e-9))
                fail_msg("%s on %s: %.3e apart", methods[m], graphs[g].lab,
                         worst);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lab_and_the_engine_agree),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
