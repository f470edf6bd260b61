/* Exact regression by secure sums: the engine that the tasks logistic and
 * linear share. Newton's method on the pooled objective, whose value, gradient
 * and Hessian are sums over the sites (iteratively reweighted least squares:
 * McCullagh and Nelder, "Generalized Linear Models", 2nd edition, chapter 2).
 *
 * The model is always fitted on standardised columns; with `standardise: none`
 * the ridge is weighted and the report scaled back, so that the result is the
 * raw columns' own. The public state is an array of little-endian doubles:
 * the slots below, then scale[2, width], beta[width], base[width],
 * gradient[width], hessian[width, width], metrics[2, NEWTON_METRICS].
 */

#ifndef MODEL_NEWTON_H
#define MODEL_NEWTON_H

#include "model/dataset.h"
#include "model/design.h"
#include "model/task.h"

enum newton_phase {
    NEWTON_MEANS,
    NEWTON_SCALES,
    NEWTON_FIT,
    NEWTON_MEASURE,
    NEWTON_FINISHED,
    NEWTON_FAILED
};

enum newton_reason {
    NEWTON_FINE,
    NEWTON_NO_ROWS,        /* of all sites; possible only with forged sums */
    NEWTON_FEW_ROWS,       /* fewer than coefficients, no ridge */
    NEWTON_ONE_CLASS,      /* y is the same everywhere */
    NEWTON_COLUMN_MISSING, /* AT: in every training row */
    NEWTON_COLUMN_CONSTANT,
    NEWTON_DEPENDENT,     /* AT: a combination of the columns before */
    NEWTON_SEPARATED,     /* by a plane */
    NEWTON_SEPARATED_ONE, /* AT: that column's coefficient runs away */
    NEWTON_ROUNDS,        /* out of rounds */
    NEWTON_STUCK          /* no step lowers the objective */
};

/* Slots of the state, each one double. */
enum newton_slot {
    NEWTON_PHASE,
    NEWTON_REASON,
    NEWTON_AT,      /* column 1..width - 1 that the reason is about */
    NEWTON_SUMS,    /* opened so far */
    NEWTON_N_TRAIN, /* over all sites */
    NEWTON_N_TEST,
    NEWTON_Y_SUM,     /* over training rows */
    NEWTON_EVALUATED, /* 1: beta's objective has been opened once */
    NEWTON_OBJECTIVE, /* at base, with the ridge */
    NEWTON_LOSS,      /* at base, without */
    NEWTON_LAST_LOSS, /* at the beta opened last */
    NEWTON_HALVED,    /* times the current step was halved */
    NEWTON_HALVINGS,  /* in all */
    NEWTON_POLISH,    /* steps taken below the sum's resolution */
    NEWTON_STEP,      /* largest element of the step taken last */
    NEWTON_SLOTS
};

/* What is stored of one split. */
enum newton_metric {
    NEWTON_ROWS,
    NEWTON_SUM,     /* of log losses; of squared residuals */
    NEWTON_CORRECT, /* p >= 1/2 as y; squares about the training mean of y */
    NEWTON_BRIER,
    NEWTON_AUC, /* METRIC_NONE: one class */
    NEWTON_METRICS
};

/* Where the two regressions differ. */
struct newton_kind {
    bool classes;        /* y is 0 or 1, and stays so */
    size_t metric_count; /* lanes of one split */
    /* *objective, gradient[width], hessian[width, width] (upper triangle) of
     * rows 0..train - 1 at beta[width]. scratch[NEWTON_BLOCK * (width + 2)] */
    void (*evaluate)(double *objective, double *gradient, double *hessian,
                     const struct design *rows, const double *beta,
                     double *scratch);
    /* sums[metric_count] of rows first..first + count - 1 */
    void (*measure)(double *sums, const struct design *rows, size_t first,
                    size_t count, const double *beta, double *scratch);
    /* metrics[NEWTON_METRICS] from the opened sums; bit-identical */
    void (*collect)(double *metrics, const double *sums);
};

enum { NEWTON_BLOCK = 512 }; /* rows that stay in the cache */

struct task { /* of kinds logistic and linear */
    const struct task_ops *ops;
    const struct newton_kind *kind;
    const struct task_spec *spec;
    const struct dataset *data;
    size_t width;          /* coefficients */
    struct design *design; /* private; made at the first need */
    double *seen;          /* [slots] contribute's copy of the state */
    double *work;   /* [width * width + 2 * width + block] contribute's */
    double *next;   /* [slots] absorb's */
    double *factor; /* [width * width + width] absorb's */
};

/* The state's parts, as pointers into slots. */
struct newton_state {
    double *slots, *scale, *beta, *base, *gradient, *hessian, *metrics;
};
struct newton_state newton_view(double *slots, size_t width);
size_t newton_slot_count(size_t width);

int newton_open(struct task **task, const struct task_ops *ops,
                const struct newton_kind *kind, const struct task_spec *spec,
                const struct dataset *data, struct error *error);

/* The members of task_ops that both kinds share. */
void newton_close(struct task *task);
size_t newton_state_size(const struct task *task);
size_t newton_memory_size(const struct task *task);
size_t newton_length_max(const struct task *task);
void newton_start(const struct task *task, void *state);
struct fixed_shape newton_shape(const struct task *task, const void *state);
int newton_contribute(struct task *task, double *x, void *memory,
                      const void *state, struct prg *prg, struct error *error);
struct fixed_region newton_mixed(const struct task *task, const void *state);
const char *newton_phase(const struct task *task, const void *state);
double newton_loss(const struct task *task, const void *state);

/* The ridge's weight of coefficient j. */
double newton_ridge(const struct task_spec *spec, const double *scale,
                    size_t width, size_t j);

#endif
