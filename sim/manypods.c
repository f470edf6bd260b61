#include "sim/manypods.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/pods.h"
#include "sim/worlds.h"

enum { PATH_SIZE = 4096, FINE = 0, FAILED = 1 };

static int complain(const struct error *error)
{
    fprintf(stderr, "starling: %s\n", error->text);
    return FAILED;
}

static int read_rows(struct dataset **datasets, struct study *study,
                     struct error *error)
{
    int code = 0;

    for (uint32_t i = 0; i < study->site_count && code == 0; i++)
        if (study->sites[i].data == NULL)
            code = error_set(error, -EINVAL,
                             "%s:%" PRIu32 ": found site '%s' without data:, "
                             "expected a file; a world needs every site's rows",
                             study->path, study->sites[i].line,
                             study->sites[i].name);
    if (code == 0)
        code = study_resolve(study, study->sites[0].data, error);
    for (uint32_t i = 0; i < study->site_count && code == 0; i++) {
        const struct study_site *site = &study->sites[i];
        struct dataset_filter filter = {.column = site->rows_column,
                                        .equals = site->rows_equals};
        code = dataset_read(&datasets[i], site->data, &filter, &study->task,
                            error);
    }
    return code;
}

static int write_rounds(struct worlds *w, const char *folder,
                        struct error *error)
{
    char path[PATH_SIZE];
    size_t count;
    const struct worlds_round *r = worlds_rounds(w, &count);

    snprintf(path, sizeof path, "%s/rounds.csv", folder);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    fprintf(file, "round,virtual_ms,bytes_sent,loss,consensus,left_out\n");
    for (size_t k = 0; k < count; k++)
        fprintf(file, "%zu,%" PRIu64 ",%" PRIu64 ",%.17g,%.17g,%u\n", k,
                r[k].virtual_ms, r[k].bytes, r[k].loss, r[k].consensus,
                r[k].left_out);
    if (fclose(file) != 0)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    return 0;
}

static json_t *pod_of(struct worlds *w, const struct study *study, uint32_t p)
{
    const struct member *m = world_member(worlds_world(w, p), 0);
    struct gossip_view view;
    struct task_report report;
    struct error error;
    char hash[2 * GOSSIP_HASH_BYTES + 1];
    json_t *pod = json_object(), *coefficients = json_array();

    json_object_set_new(pod, "pod", json_integer(p));
    json_object_set_new(pod, "members",
                        json_integer(study->pods[p].site_count));
    if (m == NULL || member_report(m, &report, &error) != 0) {
        json_decref(coefficients);
        return pod;
    }
    member_view(m, &view);
    sodium_bin2hex(hash, sizeof hash, view.state_hash, GOSSIP_HASH_BYTES);
    for (size_t i = 0; i < report.coefficient_count; i++) {
        json_t *c = json_object();
        json_object_set_new(c, "name",
                            json_string(report.coefficients[i].name));
        json_object_set_new(c, "estimate",
                            json_real(report.coefficients[i].estimate));
        json_array_append_new(coefficients, c);
    }
    json_object_set_new(pod, "coefficients", coefficients);
    json_object_set_new(pod, "state_hash", json_string(hash));
    task_report_free(&report);
    return pod;
}

static int write_result(struct worlds *w, const struct study *study,
                        const struct options *o, struct error *error)
{
    json_t *root = json_object(), *pods = json_array();
    char path[PATH_SIZE];
    size_t count;
    int code = 0;

    worlds_rounds(w, &count);
    json_object_set_new(root, "version", json_integer(1));
    json_object_set_new(root, "study", json_string(study->name));
    json_object_set_new(root, "task", json_string(study->task.kind));
    json_object_set_new(root, "method", json_string(study->task.method));
    json_object_set_new(root, "mode",
                        json_string(study->exact ? "exact" : "gossip"));
    json_object_set_new(root, "rounds", json_integer((json_int_t)count));
    for (uint32_t p = 0; p < study->pod_count; p++)
        json_array_append_new(pods, pod_of(w, study, p));
    json_object_set_new(root, "pods", pods);
    if (o->json && json_dumpf(root, stdout, JSON_INDENT(2)) == 0)
        putchar('\n');
    if (o->out != NULL) {
        snprintf(path, sizeof path, "%s/result.json", o->out);
        if (json_dump_file(root, path, JSON_INDENT(2)) != 0)
            code = error_set(error, -EIO, "%s: cannot be written", path);
    }
    json_decref(root);
    return code;
}

static struct worlds_config config_of(const struct study *study,
                                      struct dataset **datasets,
                                      const struct options *o)
{
    return (struct worlds_config){
        .study = study,
        .datasets = (const struct dataset *const *)datasets,
        .threads = o->jobs,
        .seed = o->has_seed ? o->seed_from : study->seed,
        .ordeal = o->ordeal,
        .loss_ppm = (uint32_t)(study->loss * 1e6)};
}

/* DIR/trace-0.txt and so on, of each pod. */
static int open_traces(FILE **traces, const struct study *study,
                       const char *folder, struct error *error)
{
    char path[PATH_SIZE];

    for (uint32_t p = 0; p < study->pod_count; p++) {
        snprintf(path, sizeof path, "%s/trace-%u.txt", folder, p);
        traces[p] = fopen(path, "w");
        if (traces[p] == NULL)
            return error_set(error, -errno, "%s: %s; choose another --out",
                             path, strerror(errno));
    }
    return 0;
}

static int run_traced(const struct worlds_config *config,
                      const struct options *o, struct error *error)
{
    const struct study *study = config->study;
    struct worlds *w;
    size_t count;
    int code = worlds_new(&w, config, error);

    if (code != 0)
        return code;
    if (worlds_run(w) != 0)
        code = error_set(error, -ETIMEDOUT, "%s: %s", study->path,
                         worlds_reason(w));
    const struct worlds_round *r = worlds_rounds(w, &count);
    if (code == 0 && o->out != NULL)
        code = write_rounds(w, o->out, error);
    if (code == 0)
        code = write_result(w, study, o, error);
    if (code == 0 && !o->json && count > 0)
        printf("study %s: %u pods, %zu rounds, %.3f s of virtual time, "
               "consensus distance %.3g\n",
               study->name, study->pod_count, count,
               (double)r[count - 1].virtual_ms / 1000, r[count - 1].consensus);
    worlds_free(w);
    return code;
}

static int run(const struct study *study, struct dataset **datasets,
               const struct options *o, struct error *error)
{
    struct worlds_config config = config_of(study, datasets, o);
    FILE *traces[PODS_MAX] = {NULL};
    int code = 0;

    if (o->trace) {
        code = open_traces(traces, study, o->out, error);
        config.traces = traces;
    }
    if (code == 0)
        code = run_traced(&config, o, error);
    for (uint32_t p = 0; p < study->pod_count; p++)
        if (traces[p] != NULL)
            fclose(traces[p]);
    return code;
}

struct tally {
    uint64_t runs, finished, returning, returning_finished, violations;
};

static void tell(struct tally *t, struct worlds *w, const struct study *study,
                 uint64_t seed)
{
    const bool finished = worlds_reason(w)[0] == '\0';
    struct worlds_facts f;
    size_t count;

    worlds_facts(w, &f);
    worlds_rounds(w, &count);
    printf("seed %" PRIu64 ": %s, %u pods, %zu rounds, %.1f s virtual, "
           "%" PRIu64 " messages, %" PRIu64 " crashes, %" PRIu64 " returns, "
           "%u liars, %" PRIu64 " lies, left out %u times, %" PRIu64
           " vectors taken%s%s\n",
           seed, finished ? "finished" : "no result", study->pod_count, count,
           (double)f.virtual_ms / 1000, f.messages, f.crashes, f.restarts,
           f.liars, f.lies, f.left_out, f.matched, finished ? "" : ": ",
           worlds_reason(w));
    fflush(stdout);
    t->runs++;
    t->finished += finished;
    t->returning += f.all_return;
    t->returning_finished += f.all_return && finished;
    if (worlds_violation(w)[0] == '\0')
        return;
    t->violations++;
    fprintf(stderr, "starling: seed %" PRIu64 ": %s\n", seed,
            worlds_violation(w));
}

static int run_seeds(const struct study *study, struct dataset **datasets,
                     const struct options *o, struct error *error)
{
    struct worlds_config config = config_of(study, datasets, o);
    struct tally t = {0};
    struct worlds *w;

    for (uint64_t seed = o->seed_from; seed <= o->seed_to; seed++) {
        config.seed = seed;
        int code = worlds_new(&w, &config, error);
        if (code != 0)
            return code;
        worlds_run(w);
        tell(&t, w, study, seed);
        worlds_free(w);
    }
    printf("finished %" PRIu64 " of %" PRIu64 "; where every lost member "
           "returns %" PRIu64 " of %" PRIu64 "; violations %" PRIu64 "\n",
           t.finished, t.runs, t.returning_finished, t.returning, t.violations);
    return t.violations == 0
               ? 0
               : error_set(error, -EPROTO, "%s: a checker found a violation",
                           study->path);
}

static const char *refused(const struct options *o)
{
    return o->has_seeds && o->trace  ? "--trace with --seeds"
           : o->members_to > 0       ? "--members"
           : o->has_seeds && o->json ? "--json with --seeds"
                                     : NULL;
}

int manypods_run(struct study *study, const struct options *o)
{
    struct dataset **datasets = calloc(study->site_count, sizeof *datasets);
    struct error error = {{0}};
    int code = 0;

    if (refused(o) != NULL) {
        free(datasets);
        fprintf(stderr,
                "starling: found %s with a study of several pods, expected "
                "no such flag\n",
                refused(o));
        return 2;
    }
    if (datasets == NULL)
        code = error_set(&error, -ENOMEM, "out of memory for the rows");
    if (code == 0)
        code = read_rows(datasets, study, &error);
    if (code == 0)
        code = (o->has_seeds ? run_seeds : run)(study, datasets, o, &error);
    for (uint32_t i = 0; datasets != NULL && i < study->site_count; i++)
        dataset_free(datasets[i]);
    free(datasets);
    return code == 0 ? FINE : complain(&error);
}
