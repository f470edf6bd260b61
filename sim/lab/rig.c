#include "sim/lab/rig.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 16, D = 4, STEPS = 200, EVENTS = 3200, TEXT_SIZE = 65536 };

const char rig_quadratic[] =
    "version: 1\n"
    "nodes: 16\n"
    "graph: {name: ring}\n"
    "weights: {rule: metropolis}\n"
    "problem: {kind: quadratic, file: q.csv}\n"
    "steps: 200\n"
    "network: {wake: wake_ring.csv}\n"
    "algorithms:\n"
    "- {name: dgd-cta, step: 0.1, label: dgd_cta}\n"
    "- {name: dgd-atc, step: 0.1, label: dgd_atc}\n"
    "- {name: dgd-atc, step: 0.1, label: dgd_atc_lazy,\n"
    "   weights: {rule: lazy-metropolis}}\n"
    "- {name: extra, step: 0.1, label: extra}\n"
    "- {name: d2, step: 0.1, label: d2_lazy,\n"
    "   weights: {rule: lazy-metropolis}}\n"
    "- {name: d2, step: 0.1, label: d2_raw}\n"
    "- {name: gt-cta, step: 0.1, label: gt_cta_diging}\n"
    "- {name: gt-atc, step: 0.1, label: gt_atc}\n"
    "- {name: push-pull, step: 0.05, label: push_pull,\n"
    "   weights: {rows: R.mtx, columns: C.mtx}}\n"
    "- {name: ab, step: 0.05, label: ab,\n"
    "   weights: {rows: R.mtx, columns: C.mtx}}\n"
    "- {name: sgp, step: 0.1, label: sgp_digraph, weights: {file: C.mtx}}\n"
    "- {name: sgp, step: 0.1, label: sgp_onepeer,\n"
    "   graph: {name: one-peer-exponential}}\n"
    "- {name: dgd-atc, step: 0.1, label: dgd_atc_onepeerexp,\n"
    "   graph: {name: one-peer-exponential}}\n"
    "- {name: dgd-atc, step: 0.1, label: dgd_atc_base2,\n"
    "   graph: {name: base, k: 1}}\n"
    "- {name: dgd-atc, step: 0.1, label: dgd_atc_base3,\n"
    "   graph: {name: base, k: 2}}\n"
    "- {name: local-dsgd, step: 0.1, local_steps: 5, label: local_dsgd_K5}\n"
    "- {name: fedavg, step: 0.1, local_steps: 5, label: fedavg_K5}\n"
    "- {name: fedprox, step: 0.1, local_steps: 5, mu: 1,\n"
    "   label: fedprox_K5_mu1}\n"
    "- {name: scaffold, step: 0.1, local_steps: 5, label: scaffold_K5}\n"
    "- {name: kgt, step: 0.05, server_step: 0.5, local_steps: 5,\n"
    "   label: kgt_K5}\n"
    "- {name: ltadmm, step: 0.1, beta: 0.1, rho: 1, local_steps: 5,\n"
    "   label: ltadmm_K5}\n"
    "- {name: dmsgd, step: 0.01, beta: 0.9, label: dmsgd_b0.9}\n"
    "- {name: decentlam, step: 0.01, beta: 0.9, label: decentlam_b0.9}\n"
    "- {name: qg-dsgdm, step: 0.01, beta: 0.9, mu: 0.9,\n"
    "   label: qg_dsgdm_b0.9}\n"
    "- {name: qg-dsgdm-n, step: 0.01, beta: 0.9, mu: 0.9,\n"
    "   label: qg_dsgdm_n_b0.9}\n"
    "- {name: momentum-tracking, step: 0.01, beta: 0.9,\n"
    "   label: momentum_tracking_b0.9}\n"
    "- {name: choco-sgd, step: 0.1, gamma: 0.2, label: choco_sgd_top1,\n"
    "   compressor: {kind: top-k, k: 1}}\n"
    "- {name: choco-sgd, step: 0.1, gamma: 0.2, label: choco_sgd_sign,\n"
    "   compressor: {kind: sign}}\n"
    "- {name: choco-sgd, step: 0.1, gamma: 0.1, label: choco_sgd_cyclic1,\n"
    "   compressor: {kind: cyclic, k: 1}}\n"
    "- {name: choco-sgd, step: 0.1, gamma: 1, label: choco_sgd_identity_g1}\n"
    "- {name: deepsqueeze, step: 0.1, gamma: 0.3, label: deepsqueeze_grid64,\n"
    "   compressor: {kind: grid, levels: 64}}\n"
    "- {name: deepsqueeze, step: 0.1, gamma: 0.1, label: deepsqueeze_top2,\n"
    "   compressor: {kind: top-k, k: 2}}\n"
    "- {name: beer, step: 0.05, gamma: 0.2, label: beer_top2,\n"
    "   compressor: {kind: top-k, k: 2}}\n"
    "- {name: relaysgd, step: 0.1, label: relaysgd, graph: {name: path}}\n"
    "- {name: epidemic, step: 0.1, sends: sends.csv,\n"
    "   label: epidemic_formula_s2}\n"
    "- {name: teleportation, step: 0.1, placement: tokens.csv,\n"
    "   label: teleportation_k4}\n"
    "- {name: adpsgd, step: 0.1, label: adpsgd_schedule}\n";

const char rig_logistic[] =
    "version: 1\n"
    "nodes: 16\n"
    "graph: {name: ring}\n"
    "problem: {kind: logistic, file: l.csv, lambda: 0.1}\n"
    "steps: 300\n"
    "algorithms:\n"
    "- {name: dgd-cta, step: 0.5, label: dgd_cta}\n"
    "- {name: dgd-atc, step: 0.5, label: dgd_atc}\n"
    "- {name: extra, step: 0.5, label: extra}\n"
    "- {name: d2, step: 0.5, label: d2_lazy,\n"
    "   weights: {rule: lazy-metropolis}}\n"
    "- {name: gt-atc, step: 0.5, label: gt_atc}\n"
    "- {name: qg-dsgdm-n, step: 0.05, beta: 0.9, label: qg_dsgdm_n_b0.9}\n"
    "- {name: fedavg, step: 0.5, local_steps: 5, label: fedavg_K5}\n"
    "- {name: scaffold, step: 0.5, local_steps: 5, label: scaffold_K5}\n"
    "- {name: kgt, step: 0.25, server_step: 0.5, local_steps: 5,\n"
    "   label: kgt_K5}\n"
    "- {name: choco-sgd, step: 0.5, gamma: 0.2, label: choco_sgd_top1,\n"
    "   compressor: {kind: top-k, k: 1}}\n";

const char rig_choco[] =
    "version: 1\n"
    "nodes: 16\n"
    "graph: {name: ring}\n"
    "problem: {kind: consensus, init: xc.csv}\n"
    "steps: 400\n"
    "algorithms:\n"
    "- {name: choco-gossip, gamma: 0.2, label: choco_top1_g0.2,\n"
    "   compressor: {kind: top-k, k: 1}}\n"
    "- {name: choco-gossip, gamma: 0.2, label: choco_sign_g0.2,\n"
    "   compressor: {kind: sign}}\n"
    "- {name: choco-gossip, gamma: 0.1, label: choco_cyclic1_g0.1,\n"
    "   compressor: {kind: cyclic, k: 1}}\n"
    "- {name: gossip, label: exact}\n";

const char *rig_path(const struct rig *rig, const char *name)
{
    static char paths[4][RIG_PATH_SIZE + 256];
    static size_t next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", rig->folder, name);
    return path;
}

FILE *rig_create(const struct rig *rig, const char *name)
{
    FILE *file = fopen(rig_path(rig, name), "w");

    if (file != NULL)
        return file;
    fprintf(stderr, "starling: %s: %s\n", rig_path(rig, name), strerror(errno));
    abort();
}

double rig_start(size_t i)
{
    return (double)((37 * i * i + 11 * i + 5) % 101) / 101;
}

void rig_starts(const struct rig *rig, size_t n)
{
    char name[64];

    snprintf(name, sizeof name, "x%zu.csv", n);
    FILE *file = rig_create(rig, name);
    for (size_t i = 0; i < n; i++)
        fprintf(file, "%.17g\n", rig_start(i));
    fclose(file);
}

static void write_quadratic(const struct rig *rig)
{
    FILE *file = rig_create(rig, "q.csv");

    fputs("node,k,c,a0,a1,a2,a3\n", file);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < D; k++) {
            fprintf(file, "%d,%d,%.17g", i, k, (7 * i + 3 * k) % 16 / 8.0 - 1);
            for (int l = 0; l < D; l++)
                fprintf(file, ",%.17g",
                        l == k ? 1 + (i + 2 * k) % 5 / 4.0 : 0.0);
            fputc('\n', file);
        }
    fclose(file);
}

static void write_logistic(const struct rig *rig)
{
    FILE *file = rig_create(rig, "l.csv");

    fputs("node,y,z0,z1,z2,z3\n", file);
    for (int i = 0; i < N; i++)
        for (int q = 0; q < 8; q++) {
            fprintf(file, "%d,%d", i, (i + 2 * q) % 3 == 0 ? 1 : -1);
            for (int k = 0; k < D; k++) {
                int z = 13 * i + 29 * q + 7 * k + 3 * i * q + 5 * k * k;
                fprintf(file, ",%.17g", (z % 23 - 11) / 11.0);
            }
            fputc('\n', file);
        }
    fclose(file);
}

static void write_vectors(const struct rig *rig)
{
    FILE *file = rig_create(rig, "xc.csv");

    for (int i = 0; i < N; i++)
        for (int k = 0; k < D; k++)
            fprintf(file, "%.17g%c",
                    (37 * i * i + 11 * i + 5 + 29 * k) % 101 / 101.0 +
                        k / 1000.0,
                    k + 1 < D ? ',' : '\n');
    fclose(file);
}

/* out(i) = {i + 1, 3 i + 2} and, for every fourth, i^2 + 5; never i. */
static bool sends_to(int i, int j)
{
    return j == i || j == (i + 1) % N || j == (3 * i + 2) % N ||
           (i % 4 == 0 && j == (i * i + 5) % N);
}

static void write_digraph(const struct rig *rig)
{
    FILE *rows = rig_create(rig, "R.mtx"), *columns = rig_create(rig, "C.mtx");
    int in[N] = {0}, out[N] = {0}, count = 0;

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            in[j] += sends_to(i, j);
            out[i] += sends_to(i, j);
            count += sends_to(i, j);
        }
    for (int side = 0; side < 2; side++)
        fprintf(side == 0 ? rows : columns,
                "%%%%MatrixMarket matrix coordinate real general\n%d %d %d\n",
                N, N, count);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            if (!sends_to(i, j))
                continue;
            fprintf(rows, "%d %d %.17g\n", j + 1, i + 1, 1.0 / in[j]);
            fprintf(columns, "%d %d %.17g\n", j + 1, i + 1, 1.0 / out[i]);
        }
    fclose(rows);
    fclose(columns);
}

static void write_random_meetings(const struct rig *rig)
{
    FILE *sends = rig_create(rig, "sends.csv");
    FILE *tokens = rig_create(rig, "tokens.csv");

    fputs("step,from,to\n", sends);
    fputs("step,token,node\n", tokens);
    for (int t = 0; t < STEPS; t++) {
        for (int i = 0; i < N; i++) {
            int one = 1 + (i + 1) * (t + 1) % (N - 1);
            int two = 1 + (one + t % (N - 2)) % (N - 1);
            fprintf(sends, "%d,%d,%d\n%d,%d,%d\n", t, i, (i + one) % N, t, i,
                    (i + two) % N);
        }
        for (int m = 0; m < 4; m++)
            fprintf(tokens, "%d,%d,%d\n", t, m, (3 * t + 4 * m + t / 2) % N);
    }
    fclose(sends);
    fclose(tokens);
}

/* Node (7 t + 3) mod n wakes and takes neighbour (t div 3) mod its degree. */
static void write_meetings(const struct rig *rig)
{
    FILE *ring = rig_create(rig, "wake_ring.csv");
    FILE *complete = rig_create(rig, "wake_complete.csv");

    for (int t = 0; t < EVENTS; t++) {
        int i = (7 * t + 3) % N;
        int low = (i + 1) % N, high = (i + N - 1) % N, k = t / 3 % (N - 1);
        if (low > high) {
            low = high;
            high = (i + 1) % N;
        }
        fprintf(ring, "%d,%d,%d\n", t, i, t / 3 % 2 == 0 ? low : high);
        fprintf(complete, "%d,%d,%d\n", t, i, k + (k >= i));
    }
    fclose(ring);
    fclose(complete);
}

static void write_network(const struct rig *rig)
{
    FILE *drops = rig_create(rig, "drops.csv");
    FILE *offline = rig_create(rig, "offline.csv");
    FILE *lies = rig_create(rig, "byzantine.csv");
    FILE *compute = rig_create(rig, "compute.csv");
    FILE *latency = rig_create(rig, "latency.csv");

    for (int t = 0; t < 100; t++)
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++)
                if ((31 * i + 17 * j + 13 * t) % 10 == 0)
                    fprintf(drops, "%d,%d,%d\n", t, i, j);
            if ((5 * i + 3 * t) % 11 == 0)
                fprintf(offline, "%d,%d\n", t, i);
        }
    for (int i = 0; i < N; i++) {
        fprintf(compute, "%d,%d\n", i, (10 + 7 * i % 5) * (i == 3 ? 5 : 1));
        if (i != 5)
            fprintf(lies, "5,%d,10\n", i);
        for (int j = 0; j < N; j++)
            fprintf(latency, "%d,%d,%d\n", i, j, 2 + (i + j) % 3);
    }
    fclose(drops);
    fclose(offline);
    fclose(lies);
    fclose(compute);
    fclose(latency);
}

int rig_open(struct rig *rig, size_t threads, struct error *error)
{
    const char *base = getenv("TMPDIR");

    snprintf(rig->folder, sizeof rig->folder, "%s/starling-lab-XXXXXX",
             base == NULL ? "/tmp" : base);
    rig->threads = threads;
    if (mkdtemp(rig->folder) == NULL)
        return error_set(error, -errno, "%s: %s", rig->folder, strerror(errno));
    write_quadratic(rig);
    write_logistic(rig);
    write_vectors(rig);
    write_digraph(rig);
    write_random_meetings(rig);
    write_meetings(rig);
    write_network(rig);
    rig_starts(rig, N);
    return 0;
}

void rig_close(struct rig *rig)
{
    DIR *folder = opendir(rig->folder);
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            unlink(rig_path(rig, entry->d_name));
    if (folder != NULL)
        closedir(folder);
    rmdir(rig->folder);
}

struct lab *rig_run(const struct rig *rig, const char *text,
                    const struct lab_options *options)
{
    const struct lab_options plain = {.threads = rig->threads};
    struct error error = {{0}};
    struct lab *lab;
    FILE *file = rig_create(rig, "experiment.yaml");

    fputs(text, file);
    fclose(file);
    if (lab_run(&lab, rig_path(rig, "experiment.yaml"),
                options == NULL ? &plain : options, &error) != 0)
        fprintf(stderr, "starling: %s\n", error.text);
    return lab;
}

struct lab *rig_runf(const struct rig *rig, const char *format, ...)
{
    char *text = malloc(TEXT_SIZE);
    va_list arguments;

    assert(text != NULL);
    va_start(arguments, format);
    int size = vsnprintf(text, TEXT_SIZE, format, arguments);
    va_end(arguments);
    assert(size >= 0 && size < TEXT_SIZE);
    struct lab *lab = rig_run(rig, text, NULL);
    free(text);
    return lab;
}
