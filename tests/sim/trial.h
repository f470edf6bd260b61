/* Small problems for the lab's tests, as files in a folder of their own. */

#ifndef TESTS_SIM_TRIAL_H
#define TESTS_SIM_TRIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "node/scratch.h"
#include "sim/lab/lab.h"

enum { TRIAL_NODES = 12 };

static inline void trial_near(double got, double expected, double allowed)
{
    if (!(fabs(got - expected) <= allowed))
        fail_msg("found %.17g, expected %.17g", got, expected);
}

/* node,k,c,a: f_i = h_i (x - c_i)^2 / 2, in two coordinates. */
static inline void trial_problem(void)
{
    FILE *file = fopen(scratch_path("q.csv"), "w");

    assert_non_null(file);
    fputs("node,k,c,a0,a1\n", file);
    for (int i = 0; i < TRIAL_NODES; i++) {
        fprintf(file, "%d,0,%d,%.17g,0.25\n", i, i % 5, 1 + i % 3 / 4.0);
        fprintf(file, "%d,1,%.17g,0.25,%.17g\n", i, -i / 3.0, 1 + i % 2 / 2.0);
    }
    fclose(file);
    file = fopen(scratch_path("x.csv"), "w");
    assert_non_null(file);
    for (int i = 0; i < TRIAL_NODES; i++)
        fprintf(file, "%.17g\n", (i * i + 3 * i) % 7 / 7.0);
    fclose(file);
}

static inline struct lab *trial_run(const char *text, size_t threads)
{
    const struct lab_options options = {.threads = threads};
    struct error error = {{0}};
    struct lab *lab;

    if (lab_run(&lab, scratch_write("e.yaml", text), &options, &error) != 0)
        fail_msg("%s", error.text);
    return lab;
}

static inline int trial_open(void **state)
{
    int code = scratch_make(state);

    if (code == 0)
        trial_problem();
    return code;
}

#endif
