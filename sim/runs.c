#include "sim/runs.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "sim/chaos.h"
#include "sim/deal.h"
#include "sim/options.h"
#include "sim/summary.h"
#include "sim/trace.h"
#include "sim/world.h"

enum { PATH_SIZE = 4096, FINE = 0, FAILED = 1 };
#define TOLERANCE 1e-6 /* of a coefficient against the pooled fit */

/* A study with its rows, read once for all seeds. */
struct input {
    struct study *study;
    struct dataset *datasets[GOSSIP_MEMBERS_MAX];
    struct task_report pooled; /* what all rows in one place give */
    bool has_pooled;
};

/* One world to be, and what it needs of its own. */
struct run {
    struct study *study; /* dealt; NULL: the input's */
    struct dataset *dealt[GOSSIP_MEMBERS_MAX];
    struct world_config config;
    struct world *world;
    bool all_return;
};

struct tally {
    uint64_t runs, finished, returning, returning_finished, violations;
};

static int complain(const struct error *error)
{
    fprintf(stderr, "starling: %s\n", error->text);
    return FAILED;
}

static void input_free(struct input *in)
{
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        dataset_free(in->datasets[i]);
    if (in->has_pooled)
        task_report_free(&in->pooled);
    study_free(in->study);
}

static int read_input(struct input *in, const char *path, struct error *error)
{
    int status = study_read(&in->study, path, error);

    if (status != 0)
        return status;
    for (uint32_t i = 0; i < in->study->site_count; i++)
        if (in->study->sites[i].data == NULL)
            return error_set(error, -EINVAL,
                             "%s:%" PRIu32 ": found site '%s' without data:, "
                             "expected a file; a world needs every site's rows",
                             path, in->study->sites[i].line,
                             in->study->sites[i].name);
    status = study_resolve(in->study, in->study->sites[0].data, error);
    for (uint32_t i = 0; i < in->study->site_count && status == 0; i++) {
        const struct study_site *site = &in->study->sites[i];
        struct dataset_filter filter = {.column = site->rows_column,
                                        .equals = site->rows_equals};
        status = dataset_read(&in->datasets[i], site->data, &filter,
                              &in->study->task, error);
    }
    return status;
}

static void run_free(struct run *run)
{
    world_free(run->world);
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        dataset_free(run->dealt[i]);
    deal_study_free(run->study);
}

static int deal(struct run *run, const struct input *in,
                const struct options *o, uint64_t seed, struct error *error)
{
    uint8_t key[PRG_SEED_BYTES] = "starling deal";
    struct prg prg;

    for (int i = 0; i < 8; i++)
        key[24 + i] = (uint8_t)(seed >> 8 * i);
    prg_seed(&prg, key);
    uint32_t members =
        o->members_from +
        (uint32_t)prg_below(&prg, o->members_to - o->members_from + 1);
    int status = deal_study(&run->study, in->study, members, error);
    if (status != 0)
        return status;
    return deal_rows(run->dealt, members,
                     (const struct dataset *const *)in->datasets,
                     in->study->site_count, &prg, error);
}

static int run_new(struct run *run, const struct input *in,
                   const struct options *o, uint64_t seed, FILE *trace,
                   struct error *error)
{
    *run = (struct run){.all_return = true};
    if (o->members_from > 0) {
        int status = deal(run, in, o, seed, error);
        if (status != 0)
            return status;
    }
    world_config_of(&run->config, run->study ? run->study : in->study,
                    (const struct dataset *const *)(run->study ? run->dealt
                                                               : in->datasets));
    run->config.seed = seed;
    run->config.trace = trace;
    for (size_t i = 0; i < run->config.crash_count; i++)
        if (run->config.crashes[i].restart_after_ms == WORLD_NEVER)
            run->all_return = false;
    if (o->chaos)
        run->all_return = chaos_draw(&run->config);
    return world_new(&run->world, &run->config, error);
}

static FILE *open_trace(const struct options *o, uint64_t seed,
                        struct error *error)
{
    char path[PATH_SIZE];

    if (o->has_seeds)
        snprintf(path, sizeof path, "%s/trace-%" PRIu64 ".txt", o->out, seed);
    else
        snprintf(path, sizeof path, "%s/trace.txt", o->out);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        error_set(error, -errno, "%s: %s; choose another --out", path,
                  strerror(errno));
    return file;
}

static int make_folder(const char *path, struct error *error)
{
    if (path == NULL)
        return 0;
    if (mkdir(path, 0777) == 0 || errno == EEXIST) {
        summary_remove(path); /* whatever fails from here on */
        return 0;
    }
    return error_set(error, -errno, "%s: %s; choose another --out", path,
                     strerror(errno));
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A reason that came from the study's reader names the file already. */
static int give_reason(struct error *error, const char *path,
                       const char *reason)
{
    size_t size = strlen(path);

    if (strncmp(reason, path, size) == 0 && reason[size] == ':')
        return error_set(error, -ETIMEDOUT, "%s", reason);
    return error_set(error, -ETIMEDOUT, "%s: %s", path, reason);
}

static int run_once(const struct input *in, const struct options *o)
{
    const uint64_t seed = o->has_seed ? o->seed_from : in->study->seed;
    struct error error = {{0}};
    struct run run = {0};
    FILE *trace = NULL;
    double began = seconds();

    if (o->trace && (trace = open_trace(o, seed, &error)) == NULL)
        return complain(&error);
    int status = run_new(&run, in, o, seed, trace, &error);
    if (status == 0 && world_run(run.world) != 0)
        status = give_reason(&error, in->study->path, world_reason(run.world));
    if (status == 0)
        status = summary_write(run.world, &run.config, o->out, o->json,
                               seconds() - began, &error);
    if (trace != NULL && fclose(trace) != 0 && status == 0)
        status = error_set(&error, -errno, "%s/trace.txt: %s", o->out,
                           strerror(errno));
    run_free(&run);
    return status == 0 ? FINE : complain(&error);
}

/* The largest distance of a coefficient from the pooled fit; INFINITY if they
 * are not of one model. */
static double distance(const struct task_report *a, const struct task_report *b)
{
    double largest = 0;

    if (a->coefficient_count != b->coefficient_count || a->failure[0] != '\0' ||
        b->failure[0] != '\0')
        return (double)INFINITY;
    for (size_t i = 0; i < a->coefficient_count; i++) {
        double d =
            fabs(a->coefficients[i].estimate - b->coefficients[i].estimate);
        if (!(d <= largest))
            largest = d;
    }
    return largest;
}

/* One object a line, on stdout. */
static void print_seed(const struct run *run, uint64_t seed, const char *reason,
                       double far)
{
    struct world_facts facts;
    bool finished = reason[0] == '\0';
    json_t *why = finished ? NULL : json_string(reason); /* NULL: not UTF-8 */

    world_facts(run->world, &facts);
    json_t *object = json_pack(
        "{s:I, s:b, s:i, s:I, s:f, s:I, s:I, s:I, s:b, s:o, s:o}", "seed",
        (json_int_t)seed, "finished", finished, "members",
        (int)run->config.study->site_count, "rounds",
        (json_int_t)facts.round_count, "virtual_seconds",
        (double)facts.virtual_ms / 1000, "messages", (json_int_t)facts.messages,
        "crashes", (json_int_t)facts.crashes, "returns",
        (json_int_t)facts.restarts, "sum_exact", facts.sum_exact,
        "pooled_difference",
        finished && isfinite(far) ? json_real(far) : json_null(), "reason",
        why == NULL ? json_null() : why);
    assert(object != NULL);
    json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    fflush(stdout);
    json_decref(object);
}

static void tell_seed(const struct run *run, uint64_t seed, const char *reason,
                      double far)
{
    struct world_facts facts;

    world_facts(run->world, &facts);
    printf("seed %" PRIu64 ": %s, %" PRIu32 " members, %zu rounds, "
           "%.1f s virtual, %" PRIu64 " messages, %" PRIu64 " crashes, "
           "%" PRIu64 " returns",
           seed, reason[0] == '\0' ? "finished" : "no result",
           run->config.study->site_count, facts.round_count,
           (double)facts.virtual_ms / 1000, facts.messages, facts.crashes,
           facts.restarts);
    if (reason[0] == '\0')
        printf(", %.1e from the pooled fit\n", far);
    else
        printf(": %s\n", reason);
    fflush(stdout);
}

static int run_seed(const struct input *in, const struct options *o,
                    uint64_t seed, struct tally *tally, struct error *error)
{
    struct task_report report;
    struct run run = {0};
    FILE *trace = NULL;
    double far = 0;

    if (o->trace && (trace = open_trace(o, seed, error)) == NULL)
        return -EIO;
    int status = run_new(&run, in, o, seed, trace, error);
    if (status == 0) {
        bool finished = world_run(run.world) == 0;
        const char *reason = world_reason(run.world);
        if (finished && in->has_pooled &&
            summary_report(&report, run.world, run.config.study, NULL) == 0) {
            far = distance(&report, &in->pooled);
            task_report_free(&report);
        }
        bool wrong = world_violation(run.world)[0] != '\0' || far > TOLERANCE;
        (o->json ? print_seed : tell_seed)(&run, seed, reason, far);
        tally->runs++;
        tally->finished += finished;
        tally->returning += run.all_return;
        tally->returning_finished += run.all_return && finished;
        tally->violations += wrong;
        if (wrong)
            fprintf(stderr, "starling: seed %" PRIu64 ": %s\n", seed,
                    finished ? "the result differs from the pooled fit"
                             : reason);
    }
    if (trace != NULL)
        fclose(trace);
    run_free(&run);
    return status;
}

static int run_seeds(struct input *in, const struct options *o)
{
    struct error error = {{0}};
    struct tally tally = {0};
    double began = seconds();

    in->has_pooled =
        deal_pooled_fit(&in->pooled, in->study,
                        (const struct dataset *const *)in->datasets,
                        in->study->site_count, &error) == 0;
    if (!in->has_pooled)
        return complain(&error);
    for (uint64_t seed = o->seed_from; seed <= o->seed_to; seed++)
        if (run_seed(in, o, seed, &tally, &error) != 0)
            return complain(&error);
    fprintf(o->json ? stderr : stdout,
            "finished %" PRIu64 " of %" PRIu64 "; where every lost member "
            "returns %" PRIu64 " of %" PRIu64 "; violations %" PRIu64
            "; %.1f s\n",
            tally.finished, tally.runs, tally.returning_finished,
            tally.returning, tally.violations, seconds() - began);
    return tally.violations == 0 ? FINE : FAILED;
}

int runs_main(int argc, char **argv)
{
    struct input in = {0};
    struct error error = {{0}};
    struct options o;
    int status = options_read(&o, argc, argv);

    if (status != FINE)
        return status;
    if (o.help) {
        fputs(options_usage, stdout);
        return FINE;
    }
    if (sodium_init() < 0)
        return FAILED;
    if (make_folder(o.out, &error) != 0 ||
        read_input(&in, o.study, &error) != 0)
        status = complain(&error);
    else
        status = o.has_seeds ? run_seeds(&in, &o) : run_once(&in, &o);
    input_free(&in);
    return status;
}
