#include "sim/lab/lab.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/lab/checkpoint.h"
#include "sim/lab/shard.h"
#include "sim/lab/sweep.h"

enum {
    LARGE_BYTES = 1 << 28, /* worth a line before it is taken */
    CHECKED_MAX = 1000     /* nodes: all of a sweep is tried before it runs */
};

struct lab {
    struct experiment *experiment;
    struct plan *plan;
    struct sheet sheet;
    struct keep keep;
    struct lab_options options;
};

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void tell(const struct experiment_entry *entry, uint64_t first,
                 uint64_t step, uint64_t steps, double begun, double *told)
{
    double now = seconds();

    if (now - *told < 1)
        return;
    *told = now;
    fprintf(stderr, "\r%s: step %llu of %llu, %.0f s left   ", entry->label,
            (unsigned long long)step, (unsigned long long)steps,
            (now - begun) / (double)(step - first) * (double)(steps - step));
}

static void record(const struct lab *lab, struct course_row *row,
                   struct course *course, const struct experiment_entry *entry)
{
    course_measure(row, course);
    if (lab->options.watch != NULL)
        lab->options.watch(lab->options.context, entry->label, row, course);
}

static void save(struct checkpoint *checkpoint, uint64_t step,
                 struct course *course, const struct course_row *rows)
{
    double now = seconds();

    if (!checkpoint_is_due(checkpoint, step, now))
        return;
    checkpoint_save(checkpoint, step, course, rows);
    checkpoint_wait(checkpoint, seconds(), seconds() - now);
}

/* Steps until something is to be recorded or saved. */
static size_t until(const struct experiment *e,
                    const struct checkpoint *checkpoint, uint64_t step)
{
    const uint64_t every = checkpoint->every;
    uint64_t next = (step / e->every + 1) * e->every;

    if (every > 0 && next > (step / every + 1) * every)
        next = (step / every + 1) * every;
    return (size_t)((next < e->steps ? next : e->steps) - step);
}

/* From the start, or from where the checkpoint is. */
static int run_steps(const struct lab *lab, struct course_row *rows,
                     struct course *course,
                     const struct experiment_entry *entry,
                     struct checkpoint *checkpoint, struct error *error)
{
    const struct experiment *e = lab->experiment;
    double begun = seconds(), told = begun;
    uint64_t first;
    int code = checkpoint_load(&first, checkpoint, course, rows, error);

    if (code == 0 && first == 0)
        record(lab, &rows[0], course, entry);
    else if (code == 0 && lab->options.lines)
        fprintf(stderr, "%s: goes on after step %llu of %llu\n", entry->label,
                (unsigned long long)first, (unsigned long long)e->steps);
    for (uint64_t step = first; code == 0 && step < e->steps;) {
        size_t done = 0;
        code = course_advance(&done, course, until(e, checkpoint, step), error);
        step += done;
        if (code == 0 && step % e->every == 0)
            record(lab, &rows[step / e->every], course, entry);
        if (lab->options.progress)
            tell(entry, first, step, e->steps, begun, &told);
        if (code == 0 && step < e->steps)
            save(checkpoint, step, course, rows);
    }
    if (lab->options.progress && told > begun)
        fputc('\n', stderr);
    return code;
}

static int compute(struct lab *lab, struct sheet_column *column, size_t seed,
                   struct checkpoint *checkpoint, struct error *error)
{
    const struct experiment *e = lab->experiment;
    struct course_row *rows = column->rows + seed * lab->sheet.row_count;
    struct plan_run run;
    struct course *course = NULL;
    int code = shard_agree(
        plan_run(&run, lab->plan, column->entry, e->seeds[seed], error), error);

    if (code != 0)
        return code;
    if (run.note[0] != '\0' && seed == 0 && lab->options.watch == NULL &&
        shard_rank() == 0)
        fprintf(stderr, "starling: %s\n", run.note);
    if (seed == 0) {
        column->spectrum = run.spectrum;
        column->has_spectrum = run.has_spectrum;
    }
    if (lab->options.lines && seed == 0 &&
        course_bytes(&run.course) > LARGE_BYTES)
        fprintf(stderr, "%s: %zu nodes of %zu numbers take %.2f GiB\n",
                column->label, run.course.mixes->n, lab->plan->problem.d,
                course_bytes(&run.course) / 0x1p30);
    code = course_new(&course, &run.course, error);
    if (code == 0)
        code = run_steps(lab, rows, course, column->entry, checkpoint, error);
    course_free(course);
    plan_run_free(&run);
    return shard_agree(code, error);
}

/* From what was kept, or computed and kept. */
static int run_one(struct lab *lab, size_t place, size_t seed,
                   struct error *error)
{
    struct sheet_column *column = &lab->sheet.columns[place];
    const size_t count = lab->sheet.row_count;
    const size_t index = place * lab->experiment->seed_count + seed;
    struct course_row *rows = column->rows + seed * count;
    struct spectrum spectrum;
    bool has_spectrum;
    struct checkpoint checkpoint;

    bool kept =
        lab->options.watch == NULL &&
        keep_load(&lab->keep, index, rows, count, &spectrum, &has_spectrum);
    if (kept && seed == 0) {
        column->spectrum = spectrum;
        column->has_spectrum = has_spectrum;
    }
    shard_tell(&kept, sizeof kept, 0);
    if (kept)
        return 0;
    checkpoint_begin(&checkpoint, &lab->keep, index,
                     lab->options.checkpoint_every, lab->experiment->every,
                     seconds());
    int code = compute(lab, column, seed, &checkpoint, error);
    if (code == 0)
        code = shard_agree(keep_save(&lab->keep, index, rows, count,
                                     &column->spectrum, column->has_spectrum,
                                     error),
                           error);
    if (code == 0)
        checkpoint_remove(&checkpoint);
    return code;
}

/* Every entry with every seed, for one value of the sweep. */
static int run_value(struct lab *lab, size_t value, struct error *error)
{
    struct experiment *e = lab->experiment;
    struct sheet *s = &lab->sheet;

    plan_close(lab->plan);
    lab->plan = NULL;
    int code = sweep_apply(e, value, error);
    if (code == 0)
        code = plan_open(&lab->plan, e, lab->options.threads, error);
    code = shard_agree(code, error);
    if (code != 0)
        return code;
    assert(lab->plan != NULL);
    s->threads = pool_threads(lab->plan->pool);
    for (size_t i = 0; code == 0 && i < e->entry_count; i++) {
        const size_t place = value * e->entry_count + i;
        struct sheet_column *c = &s->columns[place];
        c->entry = &e->entries[i];
        if (e->sweep_count > 0)
            snprintf(c->label, sizeof c->label, "%s@%s", e->entries[i].label,
                     e->sweep_values[value]);
        else
            snprintf(c->label, sizeof c->label, "%s", e->entries[i].label);
        c->rows = calloc(s->row_count * e->seed_count, sizeof *c->rows);
        if (c->rows == NULL)
            code = error_set(error, -ENOMEM, "%s: out of memory", e->path);
        code = shard_agree(code, error);
        for (size_t k = 0; code == 0 && k < e->seed_count; k++)
            code = run_one(lab, place, k, error);
    }
    return code;
}

/* For the picture: drawn again, so that a resumed experiment has it too. */
static int take_graph(struct lab *lab, struct error *error)
{
    struct sheet *s = &lab->sheet;
    struct plan_run run;

    s->nodes = lab->plan->n;
    if (lab->options.out == NULL || s->nodes > SHEET_GRAPH_MAX)
        return 0;
    int code = plan_run(&run, lab->plan, s->columns[0].entry,
                        lab->experiment->seeds[0], error);
    if (code != 0)
        return code;
    const struct mixing *m = sequence_at(run.course.mixes, 0);
    s->graph = m == NULL ? NULL : mixing_graph(m);
    plan_run_free(&run);
    return 0;
}

/* A mistake in the last entry, or in a later value of the sweep, is told before
 * anything is computed. */
static int check_all(const struct lab *lab, struct error *error)
{
    struct experiment *e = lab->experiment;
    struct plan *plan = NULL;
    struct plan_run run;
    int code = 0;

    if (lab->options.out == NULL ||
        (e->entry_count == 1 && e->sweep_count <= 1))
        return 0;
    for (size_t k = 0; code == 0 && (k == 0 || k < e->sweep_count); k++) {
        code = sweep_apply(e, k, error);
        if (code != 0 || (k > 0 && e->nodes > CHECKED_MAX))
            continue;
        code = plan_open(&plan, e, 1, error);
        for (size_t i = 0; code == 0 && i < e->entry_count; i++) {
            code = plan_run(&run, plan, &e->entries[i], e->seeds[0], error);
            if (code == 0)
                plan_run_free(&run);
        }
        plan_close(plan);
        plan = NULL;
    }
    return code;
}

static int run_all(struct lab *lab, struct error *error)
{
    const struct experiment *e = lab->experiment;
    const size_t values = e->sweep_count == 0 ? 1 : e->sweep_count;
    struct sheet *s = &lab->sheet;
    const char *out = shard_rank() == 0 ? lab->options.out : NULL;
    int code = shard_agree(check_all(lab, error), error);

    if (code == 0)
        code = shard_agree(keep_open(&lab->keep, out, e, error), error);
    s->experiment = e;
    s->row_count = (size_t)(e->steps / e->every) + 1;
    s->columns = calloc(values * e->entry_count, sizeof *s->columns);
    if (s->columns == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", e->path);
    s->column_count = values * e->entry_count;
    for (size_t i = 0; code == 0 && i < values; i++)
        code = run_value(lab, i, error);
    return code == 0 ? take_graph(lab, error) : code;
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
    code = shard_agree(experiment_read(&l->experiment, path, error), error);
    if (code != 0)
        goto fail;
    if ((code = run_all(l, error)) != 0)
        goto fail;
    l->sheet.wall_seconds = seconds() - begun;
    *lab = l;
    return 0;
fail:
    if (l != NULL)
        keep_close(&l->keep);
    lab_free(l);
    return code;
}

void lab_free(struct lab *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->sheet.column_count; i++)
        free(l->sheet.columns[i].rows);
    free(l->sheet.columns);
    graph_free(l->sheet.graph);
    plan_close(l->plan);
    experiment_free(l->experiment);
    free(l);
}

void lab_finish(struct lab *l)
{
    keep_clear(&l->keep);
}

const struct sheet *lab_sheet(const struct lab *l)
{
    return &l->sheet;
}

const struct course_row *lab_rows(const struct lab *l, const char *label,
                                  size_t seed)
{
    for (size_t i = 0; i < l->sheet.column_count; i++)
        if (strcmp(l->sheet.columns[i].label, label) == 0)
            return l->sheet.columns[i].rows + seed * l->sheet.row_count;
    return NULL;
}
