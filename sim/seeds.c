#include "sim/seeds.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/training.h"
#include "sim/adversary.h"
#include "sim/deceit.h"
#include "sim/jobs.h"
#include "sim/summary.h"
#include "sim/trace.h"

enum { PATH_SIZE = 4096, LINE_SIZE = 8192, FINE = 0, FAILED = 1 };
#define TOLERANCE 1e-6 /* of a coefficient against the pooled fit */

/* What a seed came to; flat, so that a process can tell another. */
struct seed_end {
    uint64_t seed;
    bool broken; /* not even run: error says why */
    bool finished, all_return, enough, violated, differs;
    char line[LINE_SIZE], reason[LINE_SIZE];
};

struct tally {
    bool told; /* why a seed could not be run */
    uint64_t runs, finished, returning, returning_finished, violations;
    uint64_t enough, enough_finished;
};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

FILE *seeds_trace(const struct options *o, uint64_t seed, struct error *error)
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

/* The pooled fit is the measure where all rows were in every sum, of a method
 * whose result does not depend on how they are dealt to the sites. */
static bool comparable(const struct run *run, const struct world_facts *facts)
{
    const struct task_spec *task = &run->config.study->task;
    const bool descent =
        strcmp(task->method, "fedsgd") == 0 && task->lane_bits == 64;
    const uint32_t members = run->config.study->site_count;
    const uint64_t all =
        members == 64 ? UINT64_MAX : (UINT64_C(1) << members) - 1;

    for (size_t i = 0; i < facts->round_count; i++)
        if (facts->rounds[i].survivors != all)
            return false;
    return run->config.liars == 0 &&
           (descent || training_is_exact(run->config.study));
}

static json_t *members_json(const struct run *run, uint64_t members)
{
    json_t *names = json_array();

    for (uint32_t i = 0; i < run->config.study->site_count; i++)
        if (members >> i & 1)
            json_array_append_new(
                names, json_string(run->config.study->sites[i].name));
    return names;
}

static json_t *liars_json(const struct run *run)
{
    const struct world_config *c = &run->config;
    json_t *liars = json_object();

    for (uint32_t i = 0; i < c->study->site_count; i++) {
        json_t *deceits = json_array();
        for (int d = 0; d < ADVERSARY_DECEITS; d++)
            if (c->deceits[i] >> d & 1)
                json_array_append_new(deceits, json_string(deceit_name(
                                                   (enum adversary_deceit)d)));
        if (c->liars >> i & 1)
            json_object_set(liars, c->study->sites[i].name, deceits);
        json_decref(deceits);
    }
    return liars;
}

/* One object. */
static void fill_json(struct seed_end *end, const struct run *run, double far)
{
    struct world_facts facts;
    json_t *why = /* NULL: not UTF-8 */
        end->finished ? NULL : json_string(end->reason);

    world_facts(run->world, &facts);
    json_t *object = json_pack(
        "{s:I, s:b, s:i, s:I, s:f, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o, "
        "s:I, s:o, s:o}",
        "seed", (json_int_t)end->seed, "finished", end->finished, "members",
        (int)run->config.study->site_count, "rounds",
        (json_int_t)facts.round_count, "virtual_seconds",
        (double)facts.virtual_ms / 1000, "messages", (json_int_t)facts.messages,
        "crashes", (json_int_t)facts.crashes, "returns",
        (json_int_t)facts.restarts, "sum_exact", facts.sum_exact,
        "pooled_difference",
        end->finished && isfinite(far) ? json_real(far) : json_null(), "reason",
        why == NULL ? json_null() : why, "honest",
        members_json(run, facts.honest), "liars", liars_json(run), "lies",
        (json_int_t)facts.lies, "accused", members_json(run, facts.accused),
        "revealed", members_json(run, facts.revealed));
    assert(object != NULL);
    size_t size = json_dumpb(object, end->line, LINE_SIZE - 1,
                             JSON_COMPACT | JSON_PRESERVE_ORDER);
    end->line[size < LINE_SIZE ? size : 0] = '\0';
    json_decref(object);
}

__attribute__((format(printf, 2, 3))) static void add(struct seed_end *end,
                                                      const char *format, ...)
{
    size_t used = strlen(end->line);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(end->line + used, LINE_SIZE - used, format, arguments);
    va_end(arguments);
}

static void add_liars(struct seed_end *end, const struct run *run,
                      const struct world_facts *facts)
{
    const struct world_config *c = &run->config;
    char names[256];

    for (uint32_t i = 0; i < c->study->site_count; i++) {
        if ((c->liars >> i & 1) == 0)
            continue;
        add(end, ", %s lies (", c->study->sites[i].name);
        const char *comma = "";
        for (int d = 0; d < ADVERSARY_DECEITS; d++) {
            if ((c->deceits[i] >> d & 1) == 0)
                continue;
            add(end, "%s%s", comma, deceit_name((enum adversary_deceit)d));
            comma = " ";
        }
        add(end, ")");
    }
    if (facts->accused != 0)
        add(end, ", accused %s",
            trace_names(names, sizeof names, c->study, facts->accused));
    if (facts->revealed != 0)
        add(end, ", revealed %s",
            trace_names(names, sizeof names, c->study, facts->revealed));
}

static void fill_line(struct seed_end *end, const struct run *run, double far)
{
    struct world_facts facts;

    world_facts(run->world, &facts);
    add(end,
        "seed %" PRIu64 ": %s, %" PRIu32 " members, %zu rounds, "
        "%.1f s virtual, %" PRIu64 " messages, %" PRIu64 " crashes, "
        "%" PRIu64 " returns",
        end->seed, end->finished ? "finished" : "no result",
        run->config.study->site_count, facts.round_count,
        (double)facts.virtual_ms / 1000, facts.messages, facts.crashes,
        facts.restarts);
    if (facts.losses > 0)
        add(end, ", a lost store");
    add_liars(end, run, &facts);
    if (!end->finished)
        add(end, ": %s", end->reason);
    else if (comparable(run, &facts))
        add(end, ", %.1e from the pooled fit", far);
}

static void conclude(struct seed_end *end, const struct run_input *in,
                     struct run *run, bool json)
{
    struct task_report report;
    struct world_facts facts;
    double far = (double)NAN; /* nothing to compare with */

    end->finished = world_run(run->world) == 0;
    world_facts(run->world, &facts);
    snprintf(end->reason, sizeof end->reason, "%s", world_reason(run->world));
    if (end->finished && comparable(run, &facts) &&
        summary_report(&report, run->world, run->config.study, NULL) == 0) {
        far = distance(&report, &in->pooled);
        task_report_free(&report);
    }
    end->violated = world_violation(run->world)[0] != '\0';
    end->differs = far > TOLERANCE;
    end->all_return = run->all_return;
    end->enough = (uint32_t)__builtin_popcountll(facts.steady) >=
                  run->config.study->threshold;
    (json ? fill_json : fill_line)(end, run, far);
}

static void run_seed(struct seed_end *end, const struct run_input *in,
                     const struct options *o, uint64_t seed)
{
    struct error error = {{0}};
    struct run run = {0};
    FILE *trace = NULL;
    int status = 0;

    *end = (struct seed_end){.seed = seed};
    if (o->trace && (trace = seeds_trace(o, seed, &error)) == NULL)
        status = -EIO;
    if (status == 0)
        status = run_new(&run, in, o, seed, trace, &error);
    if (status == 0)
        conclude(end, in, &run, o->json);
    else
        snprintf(end->reason, sizeof end->reason, "%s", error.text);
    end->broken = status != 0;
    if (trace != NULL)
        fclose(trace);
    run_free(&run);
}

static bool count(struct tally *t, const struct seed_end *end)
{
    if (end->broken) {
        fprintf(stderr, "starling: %s\n", end->reason);
        t->told = true;
        return false;
    }
    puts(end->line);
    fflush(stdout);
    t->runs++;
    t->finished += end->finished;
    t->returning += end->all_return;
    t->returning_finished += end->all_return && end->finished;
    t->enough += end->enough;
    t->enough_finished += end->enough && end->finished;
    t->violations += end->violated || end->differs;
    if (end->violated || end->differs)
        fprintf(stderr, "starling: seed %" PRIu64 ": %s\n", end->seed,
                end->violated ? end->reason
                              : "the result differs from the pooled fit");
    return true;
}

static void summarise(const struct tally *t, const struct options *o,
                      double wall)
{
    FILE *out = o->json ? stderr : stdout;

    fprintf(out, "finished %" PRIu64 " of %" PRIu64 "; ", t->finished, t->runs);
    if (o->ordeal.byzantine || o->ordeal.churn || o->ordeal.losses)
        fprintf(out, "where t honest members stay %" PRIu64 " of %" PRIu64 "; ",
                t->enough_finished, t->enough);
    fprintf(out,
            "where every lost member returns %" PRIu64 " of %" PRIu64 "; "
            "violations %" PRIu64 "; %.1f s\n",
            t->returning_finished, t->returning, t->violations, wall);
}

/* Of all seeds the child's share. */
static void work(const struct jobs *jobs, const struct run_input *in,
                 const struct options *o, uint32_t place)
{
    struct seed_end end;

    for (uint64_t seed = o->seed_from + place; seed <= o->seed_to;
         seed += o->jobs) {
        run_seed(&end, in, o, seed);
        jobs_tell(jobs, &end, sizeof end);
    }
}

static bool run_all(struct tally *tally, const struct run_input *in,
                    const struct options *o)
{
    struct jobs jobs = {0};
    struct seed_end end;
    bool good = true;

    if (o->jobs > 1) {
        fflush(NULL);
        int place = jobs_fork(&jobs, o->jobs);
        if (place >= 0) {
            work(&jobs, in, o, (uint32_t)place);
            _Exit(FINE);
        }
        good = place == -1;
    }
    for (uint64_t seed = o->seed_from; seed <= o->seed_to && good; seed++) {
        if (o->jobs <= 1)
            run_seed(&end, in, o, seed);
        else if (!jobs_hear(&jobs, &end, sizeof end, seed - o->seed_from))
            break;
        good = count(tally, &end);
    }
    jobs_end(&jobs);
    return good && tally->runs == o->seed_to - o->seed_from + 1;
}

int seeds_run(struct run_input *in, const struct options *o)
{
    struct error error = {{0}};
    struct tally tally = {0};
    double began = seconds();

    if (run_pool(in, &error) != 0) {
        fprintf(stderr, "starling: %s\n", error.text);
        return FAILED;
    }
    if (!run_all(&tally, in, o)) {
        if (!tally.told)
            fprintf(stderr, "starling: a seed could not be run to its end\n");
        return FAILED;
    }
    summarise(&tally, o, seconds() - began);
    return tally.violations == 0 ? FINE : FAILED;
}
