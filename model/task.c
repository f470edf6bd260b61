#include "model/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/dgd.h"
#include "model/linear.h"
#include "model/logistic.h"

const struct task_ops *task_find(const struct task_spec *spec,
                                 struct error *error)
{
    static const struct task_ops *const all[] = {&logistic_ops, &linear_ops,
                                                 &dgd_ops};
    static const char *const later[] = {
        "softmax", "mlp", "cnn", "cox", "gwas", "pca", "summary", "evaluate"};
    const size_t count = sizeof all / sizeof all[0];
    bool known = false;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i]->kind, spec->kind) != 0)
            continue;
        known = true;
        if (strcmp(all[i]->method, spec->method) == 0)
            return all[i];
    }
    if (known) {
        error_set(error, -EINVAL,
                  "method: found '%s', which is not in this version for kind "
                  "'%s', expected newton%s",
                  spec->method, spec->kind,
                  strcmp(spec->kind, "logistic") == 0 ? " or dgd" : "");
        return NULL;
    }
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        known = known || strcmp(later[i], spec->kind) == 0;
    error_set(error, -EINVAL, "kind: found '%s'%s, expected logistic or linear",
              spec->kind, known ? ", which is not in this version" : "");
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
    report->coefficient_count = 0;
}
