/* What a study computes: a task alternates between this site's vector
 * (`contribute`, private) and the next public state (`absorb`, from the sum
 * over the sites alone).
 *
 * The public state is flat, little-endian bytes that the engine owns, hashes,
 * saves and serves. `start`, `shape` and `absorb` are bit-identical on every
 * machine: only + - * / and sqrt in a fixed order, no BLAS, no exp, no log.
 */

#ifndef MODEL_TASK_H
#define MODEL_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/fixed.h"
#include "crypto/prg.h"
#include "model/error.h"

struct dataset;
struct task; /* opaque; begins with a `const struct task_ops *` */

enum task_missing { TASK_MISSING_DROP, TASK_MISSING_MEAN, TASK_MISSING_FAIL };
enum task_standardise { TASK_STANDARDISE_POOLED, TASK_STANDARDISE_NONE };

struct task_categorical {
    char *column;
    char **levels; /* [level_count] as they stand in the file; first dropped */
    size_t level_count;
};

enum task_schedule {
    TASK_SCHEDULE_CONSTANT,
    TASK_SCHEDULE_EXPONENTIAL, /* step * decay^round */
    TASK_SCHEDULE_COSINE       /* to 0 at the last round */
};
enum task_activation { TASK_ACTIVATION_RELU, TASK_ACTIVATION_TANH };
enum task_precision { TASK_PRECISION_SINGLE, TASK_PRECISION_DOUBLE };

enum { TASK_HIDDEN_MAX = 8, TASK_CLASSES_MAX = 1000 };

/* What iterative training needs; not read by exact methods. */
struct task_training {
    uint32_t classes;               /* softmax, mlp: y is 0..classes - 1 */
    size_t hidden[TASK_HIDDEN_MAX]; /* mlp: units of each hidden layer */
    size_t hidden_count;
    enum task_activation activation;
    enum task_precision precision;
    uint64_t init;         /* public seed of an mlp's first weights */
    uint64_t local_steps;  /* of one round; 0: local_epochs instead */
    uint64_t local_epochs; /* passes over this site's rows */
    uint64_t batch;        /* rows in a step; 0: all */
    double momentum;       /* 0 or more, below 1 */
    enum task_schedule schedule;
    double decay;
    double mu;          /* fedprox */
    double server_step; /* by which the mean difference is taken */
    uint32_t patience;  /* rounds without a better loss; 0: no early stop */
};

/* The study file's `task:`, with what a task needs of `rounds:` and `sum:`.
 * Borrowed by a task for its whole life. Strings are owned by the study. */
struct task_spec {
    char *kind, *method, *target;
    char **features; /* [feature_count]; resolved: never empty when opened */
    size_t feature_count;
    struct task_categorical *categorical;
    size_t categorical_count;
    char *split_column, *split_train, *split_test; /* NULL: all rows train */
    enum task_missing missing;
    enum task_standardise standardise;
    double l2;
    double tolerance;
    uint32_t rounds_max;   /* opened sums after which the task gives up */
    uint32_t members;      /* g */
    uint8_t fraction_bits; /* of exact statistics */
    uint8_t lane_bits;  /* of training vectors: 16, 32, or 64 as statistics */
    uint8_t value_bits; /* of these in lanes of 16 or 32 */
    double clip;        /* their bound */
    double step;        /* of gradient methods */
    /* of pods: */
    uint32_t pods;    /* that share the problem but not a sum; 0: one */
    bool tracks;      /* gradients are tracked */
    uint32_t restart; /* rounds after which trackers begin anew; 0: never */
    double rows; /* training rows of all pods; 0: all pods count the same */
    struct task_training training;
};

/* One opened sum. */
struct task_sum {
    const double *values; /* [shape.length] */
    uint64_t survivors;   /* bit i: member i is in the sum */
    uint32_t members;     /* number of survivors */
};

enum { TASK_NAME_SIZE = 96 };

struct task_coefficient {
    char name[TASK_NAME_SIZE]; /* "(intercept)", "age", "cp=2" */
    double estimate;
    double std_error, z, p, low, high; /* NAN where the method gives none */
};

struct task_metric { /* of one split, over all sites */
    uint64_t n;      /* 0: no such rows, the rest is NAN */
    double log_loss, auc, accuracy, brier; /* classification, else NAN */
    double mse, r2;                        /* regression, else NAN */
};

struct task_scaling { /* public mean and SD (n-1) of one feature */
    char name[TASK_NAME_SIZE];
    double mean, sd;
};

/* What a finished task tells. Wipe nothing: it is public, but for `local`. */
struct task_report {
    bool converged;
    char failure[256]; /* not empty: the task gave up, this is the reason */
    uint64_t n_train, n_test;
    double deviance;
    struct task_coefficient *coefficients; /* [coefficient_count], owned */
    size_t coefficient_count;
    struct task_scaling *scaling; /* [scaling_count] or NULL, owned */
    size_t scaling_count;
    struct task_metric train, test;
    char notes[4][256]; /* e.g. "this site has one class only" */
    size_t note_count;
    struct { /* this site's own rows: stays at the site */
        uint64_t n_train, n_test;
        double local_auc;  /* a model fitted here alone, on our test rows */
        double global_auc; /* the joint model on them; NAN: one class */
    } local;
};

/* How training goes, at the parameters that the sum opened last was of. NAN:
 * not known. */
struct task_watch {
    double accuracy;                 /* of training rows */
    double test_loss, test_accuracy; /* of test rows; the loss is a mean */
};

struct task_ops {
    const char *kind, *method;
    /* Borrows spec and data until close. -EINVAL: the spec does not fit. */
    int (*open)(struct task **, const struct task_spec *,
                const struct dataset *, struct error *);
    void (*close)(struct task *);
    size_t (*state_size)(const struct task *);
    size_t (*memory_size)(const struct task *);
    size_t (*length_max)(const struct task *); /* of any shape, elements */
    size_t (*lanes_max)(const struct task *); /* ... bytes of its lanes; NULL: 8
                                                 an element */
    void (*start)(const struct task *, void *state);
    /* length 0: finished (then ask report whether it converged or failed) */
    struct fixed_shape (*shape)(const struct task *, const void *state);
    /* x[shape.length] from this site's rows. memory: private, saved by the
     * driver. May run on another thread than the rest. Nonzero: this site
     * cannot contribute, error says why. */
    int (*contribute)(struct task *, double *x, void *memory, const void *state,
                      struct prg *, struct error *);
    void (*absorb)(const struct task *, void *next, const void *state,
                   const struct task_sum *);
    /* What pods mix before the round goes on, after absorb and after each
     * settle, until count is 0, never more than length_max; settle goes on
     * once it is mixed. settle NULL: nothing ever is. */
    struct fixed_region (*mixed)(const struct task *, const void *state);
    void (*settle)(const struct task *, void *state);
    /* What the state says so far: a word for the phase ("means", "newton"),
     * and the loss per training row, NAN if it has none yet. */
    const char *(*phase)(const struct task *, const void *state);
    double (*loss)(const struct task *, const void *state);
    /* NULL: the method measures nothing but in the end. */
    struct task_watch (*watch)(const struct task *, const void *state);
    /* Fills `report`; free with task_report_free. */
    int (*report)(const struct task *, const void *state,
                  struct task_report *report, struct error *);
};

/* The method of a study that names none. */
const char *task_method(const char *kind);

/* The operations of spec->kind and spec->method, or NULL with an error that
 * lists what there is. */
const struct task_ops *task_find(const struct task_spec *spec,
                                 struct error *error);
/* Goes on to the next round where there are no other pods to mix with. */
void task_settle(const struct task_ops *ops, const struct task *task,
                 void *state);

/* For those that fill reports. */
extern const struct task_metric task_no_metric; /* n is 0, the rest NAN */
/* Without a name, and NAN but for the estimate. */
struct task_coefficient task_estimate(double value);
/* A sum of counts: one who lies can make it negative, and no integer; then 0.
 */
uint64_t task_count(double sum);
/* report->scaling of names[width - 1], by scale[2 * width]: means, then SDs, of
 * column 0 first, which is left out. Returns 0 or -ENOMEM. */
int task_fill_scaling(struct task_report *report, char *const *names,
                      const double *scale, size_t width);
void task_report_free(struct task_report *report);

#endif
