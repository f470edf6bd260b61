/* Training by rounds of local steps, for the kinds logistic, softmax and mlp:
 * every site starts from the public parameters w, takes gradient steps on its
 * own rows, and sends the difference; the sites' mean, weighted by training
 * rows, is the next w.
 *   fedsgd   one step on all rows: gradient descent on all sites' rows
 *   fedavg   McMahan et al., AISTATS 2017
 *   fedprox  + mu/2 |v - w|^2 at each site: Li et al., MLSys 2020
 *   scaffold control variates, option II: Karimireddy et al., ICML 2020
 *   fedadam  the mean goes through Adam: Reddi et al., ICLR 2021
 *
 * The local objective is the mean negative log likelihood of the site's rows
 * + l2 / (2 N) |weights|^2, N all sites' training rows.
 *
 * The public state is an array of little-endian doubles: the slots below, then
 * scale[2, width], w[count], control[count] (scaffold), moments[2, count]
 * (fedadam), best[count] (with patience), metrics[2, TRAIN_METRICS].
 *
 * A training round's vector is difference[count] and control[count] (scaffold),
 * both weighted with gain n_k / N; then, as exact numbers (model/digits.h),
 * TRAIN_SPLIT of the training rows and, if there are any, of the test rows, at
 * w. The gain is 1, and the number of sites in narrow lanes, whose clip is
 * then that of one site's difference.
 */

#ifndef MODEL_TRAIN_H
#define MODEL_TRAIN_H

#include "model/dataset.h"
#include "model/net.h"
#include "model/task.h"

enum train_phase {
    TRAIN_MEANS,
    TRAIN_SCALES,
    TRAIN_ROUNDS,
    TRAIN_MEASURE,
    TRAIN_FINISHED,
    TRAIN_FAILED
};

enum train_reason {
    TRAIN_FINE,
    TRAIN_NO_ROWS,
    TRAIN_FEW_ROWS, /* for standard deviations */
    TRAIN_ONE_CLASS,
    TRAIN_COLUMN_MISSING, /* AT: in every training row */
    TRAIN_COLUMN_CONSTANT,
    TRAIN_RAN_AWAY /* ended with a higher loss than it began with */
};

/* Slots of the state, each one double. */
enum train_slot {
    TRAIN_PHASE,
    TRAIN_REASON,
    TRAIN_AT,      /* column 1..width - 1 that the reason is about */
    TRAIN_SUMS,    /* opened so far */
    TRAIN_TRAINED, /* of them training rounds */
    TRAIN_N_TRAIN, /* over all sites */
    TRAIN_N_TEST,
    TRAIN_MEASURED,      /* 1: the four below are known */
    TRAIN_LOSS,          /* mean, at the w of the sum opened last */
    TRAIN_ACCURACY,      /* of training rows there */
    TRAIN_TEST_LOSS,     /* 0 without test rows */
    TRAIN_TEST_ACCURACY, /* 0 without test rows */
    TRAIN_FIRST_LOSS,    /* the first of TRAIN_LOSS */
    TRAIN_BEST,          /* least loss seen (test rows', if any) */
    TRAIN_STALE,         /* rounds since */
    TRAIN_STOPPED,       /* 1: by patience */
    TRAIN_SLOTS
};

/* What a training round tells of one split. */
enum train_split {
    TRAIN_SPLIT_ROWS, /* of the sites in the sum */
    TRAIN_SPLIT_LOSS,
    TRAIN_SPLIT_CORRECT,
    TRAIN_SPLIT
};

/* What is stored of one split in the end. */
enum train_metric {
    TRAIN_METRIC_ROWS,
    TRAIN_METRIC_LOSS,
    TRAIN_METRIC_CORRECT,
    TRAIN_METRIC_BRIER,
    TRAIN_METRIC_AUC, /* METRIC_NONE: one class, or more than two */
    TRAIN_METRICS
};

enum train_method {
    TRAIN_FEDSGD,
    TRAIN_FEDAVG,
    TRAIN_FEDPROX,
    TRAIN_SCAFFOLD,
    TRAIN_FEDADAM
};

struct task {                   /* of iterative methods */
    const struct task_ops *ops; /* first: struct task is opaque elsewhere */
    const struct task_spec *spec;
    const struct dataset *data;
    enum train_method method;
    struct net net;
    const struct net_kernel *kernel;
    size_t width; /* 1 + features */
    size_t count; /* parameters */
    size_t train, test;
    void *x;       /* [train + test, width] the kernel's reals; made at need */
    int32_t *y;    /* [train + test] */
    double *scale; /* [2 * width] that x was made with, if it was */
    bool made;
    double *seen;  /* [slots] contribute's copy of the state */
    double *next;  /* [slots] absorb's */
    double *shift; /* [count] scaffold: public minus own control */
    double *p;     /* [train + test] */
    void *work;    /* the kernel's */
};

/* The state's parts, as pointers into slots; NULL where there is none. */
struct train_state {
    double *slots, *scale, *w, *control, *moments, *best, *metrics;
};
struct train_state train_view(const struct task *task, double *slots);
size_t train_slot_count(const struct task *task);

/* Elements of one split in the metrics' vector: NET_SUMS, rows, and with two
 * classes bins of predictions. */
size_t train_metrics_length(const struct task *task);
/* Of one training round's: its length apart. */
struct fixed_shape train_lanes(const struct task *task);
double train_gain(const struct task *task);
/* Whether the outputs are one logit. */
bool train_is_binary(const struct task *task);

/* x and y from the data, standardised by scale[2, width] unless the study says
 * none. */
void train_prepare(struct task *task, const double *scale);

extern const struct task_ops train_ops;

/* Whether model/train.h does `method` for `kind`. */
bool train_knows(const char *kind, const char *method);

#endif
