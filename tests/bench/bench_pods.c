/* Many pods in one virtual network: how near to the pooled loss, how fast, in
 * how much memory.
 *
 *   bench_pods PODS MEMBERS ROWS FEATURES ROUNDS METHOD STEP [CUT]
 *
 * METHOD is gt-atc or dgd-atc on the one-peer exponential graph, by way of
 * `graph:` METHOD:GRAPH another; CUT: that many pods are cut off for the second
 * third of the run. */

#include <sys/resource.h>
#include <time.h>

#include "sim/county.h"
#include "sim/worlds.h"

enum { DESCENT_STEPS = 400 };

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double worst(const struct county *c, struct worlds *w)
{
    double most = 0;
    size_t count;
    const struct worlds_round *r = worlds_rounds(w, &count);

    for (uint32_t p = 0; p < c->study->pod_count; p++)
        most =
            fmax(most, county_loss(c, r[count - 1].models + p * worlds_width(w),
                                   NULL));
    return most;
}

static int run(const struct county *c, uint32_t cut, uint64_t *length_ms)
{
    struct worlds_config config = {
        .study = c->study,
        .datasets = (const struct dataset *const *)c->datasets,
        .seed = 1,
        .threads = 2};
    struct error error = {{0}};
    struct rusage usage;
    struct worlds *w;
    size_t count;

    for (uint32_t k = 0; k < cut && k < WORLDS_CUTS_MAX; k++)
        config.cuts[config.cut_count++] = (struct worlds_cut){
            k * c->study->pod_count / cut, *length_ms / 3, 2 * *length_ms / 3};
    double began = seconds();
    if (worlds_new(&w, &config, &error) != 0) {
        fprintf(stderr, "bench_pods: %s\n", error.text);
        return 1;
    }
    int status = worlds_run(w);
    double took = seconds() - began;
    if (status != 0)
        fprintf(stderr, "bench_pods: %s\n", worlds_reason(w));
    const struct worlds_round *r = worlds_rounds(w, &count);
    if (status == 0 && count > 0) {
        uint32_t left_out = 0;
        for (size_t k = 0; k < count; k++)
            left_out += r[k].left_out;
        *length_ms = r[count - 1].virtual_ms;
        getrusage(RUSAGE_SELF, &usage);
        printf("%s, %u cut off: %zu rounds, %.2f s a round, %.1f virtual s, "
               "%.1f kB sent a member and round, %ld MiB, left out %u times, "
               "consensus %.3g, loss %.9f\n",
               c->study->task.tracks ? "gt-atc" : "dgd-atc", cut, count,
               took / (double)count, (double)*length_ms / 1000,
               (double)r[count - 1].bytes / (double)count /
                   c->study->site_count / 1000,
               usage.ru_maxrss / 1024, left_out, r[count - 1].consensus,
               worst(c, w));
    }
    worlds_free(w);
    return status != 0;
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

static int misuse(void)
{
    fprintf(stderr, "bench_pods PODS MEMBERS ROWS FEATURES ROUNDS METHOD STEP "
                    "[CUT]\n");
    return 2;
}

int main(int argc, char **argv)
{
    char text[256], rounds[128], method[64], *graph;
    struct county_spec spec = {.method = "dgd",
                               .pods_text = text,
                               .rounds = rounds,
                               .fraction_bits = 40};
    struct county c;
    uint64_t length_ms = 0;
    int code;

    if (argc < 8)
        return misuse();
    spec.pods = number(argv[1]);
    spec.members = number(argv[2]);
    spec.rows = number(argv[3]);
    spec.features = number(argv[4]);
    snprintf(method, sizeof method, "%s", argv[6]);
    if ((graph = strchr(method, ':')) != NULL)
        *graph++ = '\0';
    snprintf(text, sizeof text,
             "graph: %s\n  method: %s\n  rows: %u\n  restart: %u",
             graph == NULL ? "exponential" : graph, method, spec.rows,
             number(argv[5]) / 4);
    snprintf(rounds, sizeof rounds, "max: %s, step: %s", argv[5], argv[7]);
    county_new(&c, &spec);
    code = run(&c, 0, &length_ms);
    if (code == 0 && argc > 8)
        code = run(&c, number(argv[8]), &length_ms);
    if (spec.features < 64)
        printf("pooled loss %.9f\n", county_best_loss(&c, DESCENT_STEPS));
    county_free(&c);
    return code;
}
