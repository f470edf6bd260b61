/* What the nodes minimise: F = mean of f_i, with its optimum. Gradients are
 * exact, or with noise N(0, noise^2) on every coordinate. */

#ifndef LAB_PROBLEM_H
#define LAB_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

#include "model/error.h"
#include "sim/lab/learner.h"
#include "sim/lab/slopes.h"

enum problem_kind {
    PROBLEM_CONSENSUS, /* only a start: f_i = 0 */
    PROBLEM_QUADRATIC, /* (x - c_i)' A_i (x - c_i) / 2 */
    PROBLEM_LOGISTIC,  /* mean log(1 + exp(-y z'x)) + lambda / 2 |x|^2 */
    PROBLEM_MODEL      /* softmax or a perceptron on a data set */
};

struct problem {
    enum problem_kind kind;
    size_t n, d;
    double *init;  /* [n, d] */
    double *a, *c; /* quadratic: [n, d, d], [n, d] */
    size_t *start; /* logistic: rows of node i are start[i] .. start[i + 1] */
    double *z, *y; /* [rows, d], [rows] */
    double lambda;
    struct learner *learner; /* model: owned */
    double noise;
    double *best;      /* [d] the optimum; NULL: none, or not looked for */
    double best_value; /* 0 without one */
};

/* init NULL: zeros. All return 0 or a negative errno with an error that names
 * the file. */
int problem_consensus(struct problem *problem, size_t n, const char *init,
                      struct error *error);
int problem_quadratic(struct problem *problem, size_t n, const char *file,
                      const char *init, struct error *error);
int problem_logistic(struct problem *problem, size_t n, const char *file,
                     double lambda, const char *init, struct error *error);
/* seed: of a perceptron's start, the same on every node. */
int problem_model(struct problem *problem, size_t n,
                  const struct learner_spec *spec, const char *init,
                  struct error *error);
/* Fills best and best_value. */
int problem_solve(struct problem *problem, struct error *error);
void problem_free(struct problem *problem);

/* Numbers of scratch that a gradient needs. */
/* Whether alg_descend() may take its gradients. */
bool problem_descends(const struct problem *problem);
size_t problem_room(const struct problem *problem);
/* g[d] of f_i at x[d], without noise; chance: of a batch, else NULL; way: of
 * a model, else NULL. */
void problem_gradient(double *g, const struct problem *problem, size_t i,
                      const double *x, struct chance *chance,
                      const struct slopes_way *way);
double problem_value(const struct problem *problem, const double *x);

#endif
