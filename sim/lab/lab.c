#include "sim/lab/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lab {
    struct experiment *experiment;
    struct plan *plan;
    struct sheet sheet;
    struct lab_options options;
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

static void record(const struct lab *lab, struct course_row *row,
                   struct course *course, const struct experiment_entry *entry)
{
    course_measure(row, course);
    if (lab->options.watch != NULL)
        lab->options.watch(lab->options.context, entry->label, row, course);
}

static int run_steps(const struct lab *lab, struct course_row *rows,
                     struct course *course,
                     const struct experiment_entry *entry, struct error *error)
{
    const struct experiment *e = lab->experiment;
    double begun = seconds(), told = begun;
    size_t row = 0;

    record(lab, &rows[row++], course, entry);
    for (uint64_t step = 1; step <= e->steps; step++) {
        int code = course_step(course, error);
        if (code != 0)
            return code;
        if (step % e->every == 0)
            record(lab, &rows[row++], course, entry);
        if (lab->options.progress)
            tell(entry, step, e->steps, begun, &told);
    }
    if (lab->options.progress && told > begun)
        fputc('\n', stderr);
    return 0;
}

static int run_one(struct lab *lab, size_t entry, size_t seed,
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
    if (run.note[0] != '\0' && seed == 0 && lab->options.watch == NULL)
        fprintf(stderr, "starling: %s\n", run.note);
    if (seed == 0) {
        column->spectrum = run.spectrum;
        column->has_spectrum = run.has_spectrum;
    }
    code = course_new(&course, &run.course, error);
    if (code == 0)
        code = run_steps(lab, column->rows + seed * lab->sheet.row_count,
                         course, &e->entries[entry], error);
    course_free(course);
    plan_run_free(&run);
    return code;
}

static int run_all(struct lab *lab, struct error *error)
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
            int code = run_one(lab, i, k, error);
            if (code != 0)
                return code;
        }
        if (i + 1 == e->entry_count)
            return 0;
    }
    return error_set(error, -ENOMEM, "%s: out of memory", e->path);
}

int lab_run(struct lab **lab, const char *path,
            const struct lab_options *options, struct error *error)
{
    struct lab *l = calloc(1, sizeof *l);
    double begun = seconds();
    int code = -ENOMEM;

    *lab = NULL;
    if (l == NULL) {
        error_set(error, code, "%s: out of memory", path);
        goto fail;
    }
    l->options = *options;
    if ((code = experiment_read(&l->experiment, path, error)) != 0)
        goto fail;
    if ((code = plan_open(&l->plan, l->experiment, options->threads, error)) !=
        0)
        goto fail;
    if ((code = run_all(l, error)) != 0)
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

const struct course_row *lab_rows(const struct lab *l, const char *label,
                                  size_t seed)
{
    for (size_t i = 0; i < l->experiment->entry_count; i++)
        if (strcmp(l->experiment->entries[i].label, label) == 0)
            return l->sheet.columns[i].rows + seed * l->sheet.row_count;
    return NULL;
}
