#include "sim/lab/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct lab {
    struct experiment *experiment;
    struct plan *plan;
    struct sheet sheet;
};

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void tell(const struct experiment_entry *entry, uint64_t step,
                 uint64_t steps, double begun, double *told)
{
    double now = seconds();

    if (now - *told < 1)
        return;
    *told = now;
    fprintf(stderr, "\r%s: step %llu of %llu, %.0f s left   ", entry->label,
            (unsigned long long)step, (unsigned long long)steps,
            step == 0 ? 0.0
                      : (now - begun) / (double)step * (double)(steps - step));
}

static int run_steps(struct course_row *rows, struct course *course,
                     const struct experiment *e,
                     const struct experiment_entry *entry, bool progress,
                     struct error *error)
{
    double begun = seconds(), told = begun;
    size_t row = 0;

    course_measure(&rows[row++], course);
    for (uint64_t step = 1; step <= e->steps; step++) {
        int code = course_step(course, error);
        if (code != 0)
            return code;
        if (step % e->every == 0)
            course_measure(&rows[row++], course);
        if (progress)
            tell(entry, step, e->steps, begun, &told);
    }
    if (progress && told > begun)
        fputc('\n', stderr);
    return 0;
}

static int run_one(struct lab *lab, size_t entry, size_t seed, bool progress,
                   struct error *error)
{
    const struct experiment *e = lab->experiment;
    struct sheet_column *column = &lab->sheet.columns[entry];
    struct plan_run run;
    struct course *course = NULL;
    int code =
        plan_run(&run, lab->plan, &e->entries[entry], e->seeds[seed], error);

    if (code != 0)
        return code;
    if (run.note[0] != '\0' && seed == 0)
        fprintf(stderr, "starling: %s\n", run.note);
    if (seed == 0) {
        column->spectrum = run.spectrum;
        column->has_spectrum = run.has_spectrum;
    }
    code = course_new(&course, &run.course, error);
    if (code == 0)
        code = run_steps(column->rows + seed * lab->sheet.row_count, course, e,
                         &e->entries[entry], progress, error);
    course_free(course);
    plan_run_free(&run);
    return code;
}

static int run_all(struct lab *lab, bool progress, struct error *error)
{
    const struct experiment *e = lab->experiment;
    struct sheet *s = &lab->sheet;

    s->experiment = e;
    s->row_count = (size_t)(e->steps / e->every) + 1;
    s->threads = pool_threads(lab->plan->pool);
    s->columns = calloc(e->entry_count, sizeof *s->columns);
    for (size_t i = 0; s->columns != NULL && i < e->entry_count; i++) {
        s->columns[i].entry = &e->entries[i];
        s->columns[i].rows =
            calloc(s->row_count * e->seed_count, sizeof *s->columns[i].rows);
        if (s->columns[i].rows == NULL)
            break;
        for (size_t k = 0; k < e->seed_count; k++) {
            int code = run_one(lab, i, k, progress, error);
            if (code != 0)
                return code;
        }
        if (i + 1 == e->entry_count)
            return 0;
    }
    return error_set(error, -ENOMEM, "%s: out of memory", e->path);
}

int lab_run(struct lab **lab, const char *path, size_t threads, bool progress,
            struct error *error)
{
    struct lab *l = calloc(1, sizeof *l);
    double begun = seconds();
    int code = -ENOMEM;

    *lab = NULL;
    if (l == NULL) {
        error_set(error, code, "%s: out of memory", path);
        goto fail;
    }
    if ((code = experiment_read(&l->experiment, path, error)) != 0)
        goto fail;
    if ((code = plan_open(&l->plan, l->experiment, threads, error)) != 0)
        goto fail;
    if ((code = run_all(l, progress, error)) != 0)
        goto fail;
    l->sheet.wall_seconds = seconds() - begun;
    *lab = l;
    return 0;
fail:
    lab_free(l);
    return code;
}

void lab_free(struct lab *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0;
         l->sheet.columns != NULL && i < l->experiment->entry_count; i++)
        free(l->sheet.columns[i].rows);
    free(l->sheet.columns);
    plan_close(l->plan);
    experiment_free(l->experiment);
    free(l);
}

const struct sheet *lab_sheet(const struct lab *l)
{
    return &l->sheet;
}
