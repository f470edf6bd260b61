#include "model/task.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/dgd.h"
#include "model/linear.h"
#include "model/logistic.h"
#include "model/train.h"

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static bool is_regression(const char *kind)
{
    return strcmp(kind, "logistic") == 0 || strcmp(kind, "linear") == 0;
}

const char *task_method(const char *kind)
{
    return is_regression(kind) ? "newton" : "fedavg";
}

const struct task_ops *task_find(const struct task_spec *spec,
                                 struct error *error)
{
    static const char *const later[] = {"cnn", "cox",     "gwas",
                                        "pca", "summary", "evaluate"};
    static const char *const kinds[] = {"logistic", "linear", "softmax", "mlp"};
    const bool exact = is_regression(spec->kind);

    if (exact && strcmp(spec->method, "newton") == 0)
        return strcmp(spec->kind, "linear") == 0 ? &linear_ops : &logistic_ops;
    if (strcmp(spec->kind, "logistic") == 0 && strcmp(spec->method, "dgd") == 0)
        return &dgd_ops;
    if (train_knows(spec->kind, spec->method))
        return &train_ops;
    if (is_one_of(spec->kind, kinds, sizeof kinds / sizeof *kinds)) {
        const bool trained = train_knows(spec->kind, "fedavg");
        error_set(error, -EINVAL,
                  "method: found '%s', which is not in this version for kind "
                  "'%s', expected %s%s",
                  spec->method, spec->kind,
                  !exact    ? ""
                  : trained ? "newton, dgd, "
                            : "newton",
                  trained ? "fedsgd, fedavg, fedprox, scaffold or fedadam"
                          : "");
        return NULL;
    }
    error_set(error, -EINVAL,
              "kind: found '%s'%s, expected logistic, linear, softmax or mlp",
              spec->kind,
              is_one_of(spec->kind, later, sizeof later / sizeof *later)
                  ? ", which is not in this version"
                  : "");
    return NULL;
}

void task_settle(const struct task_ops *ops, const struct task *task,
                 void *state)
{
    while (ops->settle != NULL && ops->mixed(task, state).count > 0)
        ops->settle(task, state);
}

const struct task_metric task_no_metric = {.log_loss = NAN,
                                           .auc = NAN,
                                           .accuracy = NAN,
                                           .brier = NAN,
                                           .mse = NAN,
                                           .r2 = NAN};

struct task_coefficient task_estimate(double value)
{
    return (struct task_coefficient){.estimate = value,
                                     .std_error = NAN,
                                     .z = NAN,
                                     .p = NAN,
                                     .low = NAN,
                                     .high = NAN};
}

uint64_t task_count(double sum)
{
    return sum > 0 && sum < 0x1p63 ? (uint64_t)sum : 0;
}

int task_fill_scaling(struct task_report *report, char *const *names,
                      const double *scale, size_t width)
{
    report->scaling = calloc(width, sizeof *report->scaling);
    if (report->scaling == NULL)
        return -ENOMEM;
    report->scaling_count = width - 1;
    for (size_t j = 1; j < width; j++) {
        struct task_scaling *to = &report->scaling[j - 1];
        snprintf(to->name, sizeof to->name, "%s", names[j - 1]);
        to->mean = scale[j];
        to->sd = scale[width + j];
    }
    return 0;
}

void task_report_free(struct task_report *report)
{
    if (report == NULL)
        return;
    free(report->coefficients);
    free(report->scaling);
    report->coefficients = NULL;
    report->scaling = NULL;
    report->coefficient_count = report->scaling_count = 0;
}
