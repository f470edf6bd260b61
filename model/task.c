#include "model/task.h"

#include <errno.h>
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
