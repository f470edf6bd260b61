#include "sim/lab/converge.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/args.h"
#include "sim/lab/lab.h"
#include "sim/lab/shard.h"
#include "sim/stage.h"

static const char usage[] =
    "Runs decentralised algorithms on a graph of many nodes, all in one\n"
    "matrix, and records how they converge.\n"
    "\n"
    "  starling sim converge EXPERIMENT.yaml --out DIR\n"
    "\n"
    "  --out DIR        where trajectories.csv, report.html,\n"
    "                   spectrum.json and manifest.json go\n"
    "  --threads N      default: all processors; the results are the same\n"
    "  --checkpoint-every STEPS\n"
    "                   save a run that is under way so often, not every half\n"
    "                   minute; the same command goes on from there\n"
    "  --json           print where each algorithm ended, one object, to\n"
    "                   stdout and nothing else there\n"
    "  --quiet          no progress on stderr\n"
    "\n"
    "Example: starling sim converge torus.yaml --out results\n"
    "Built with cmake -DMPI=ON, mpirun -n 2 in front of it spreads the nodes\n"
    "over two processes, with the same results.\n"
    "docs/lab.md shows an experiment and how to add an algorithm.\n";

/* JSON has no infinity: what diverged is null. */
static void print_number(const char *name, double v)
{
    printf("\"%s\":", name);
    if (isfinite(v))
        printf("%.17g", v);
    else
        fputs("null", stdout);
}

static void print_json(const struct sheet *s)
{
    printf("{\"steps\":%" PRIu64 ",\"algorithms\":{", s->experiment->steps);
    for (size_t i = 0; i < s->column_count; i++) {
        const struct course_row *last = &s->columns[i].rows[s->row_count - 1];
        printf("%s\"%s\":{", i == 0 ? "" : ",", s->columns[i].label);
        print_number("err", last->err);
        putchar(',');
        print_number("cons", last->cons);
        putchar(',');
        print_number("gap", last->gap);
        putchar('}');
    }
    puts("}}");
}

/* A result that is no number has no sign either. */
static double plain(double x)
{
    return isnan(x) ? (double)NAN : x;
}

static void print_lines(const struct sheet *s, const char *out)
{
    const struct experiment *e = s->experiment;

    printf("after %" PRIu64 " steps, seed %-6" PRIu64 " %12s %12s %12s\n",
           e->steps, e->seeds[0], "err", "cons", "gap");
    for (size_t i = 0; i < s->column_count; i++) {
        const struct course_row *last = &s->columns[i].rows[s->row_count - 1];
        printf("%-26s %12.6g %12.6g %12.6g\n", s->columns[i].label,
               plain(last->err), plain(last->cons), plain(last->gap));
    }
    printf("%s/report.html, %.2f s\n", out, s->wall_seconds);
}

static int misuse(const char *found, const char *expected)
{
    return args_misuse("starling sim converge", "found %s, expected %s", found,
                       expected);
}

/* The first process alone speaks and writes. */
static int converge(const char *path, const struct lab_options *options,
                    bool json)
{
    const bool first = shard_rank() == 0;
    struct error error = {{0}};
    struct lab *lab = NULL;
    struct stat about;
    const bool there = stat(options->out, &about) == 0;
    int code =
        shard_agree(first ? stage_folder(options->out, &error) : 0, &error);

    if (code == 0)
        code = lab_run(&lab, path, options, &error);
    if (code == 0 && first)
        code = sheet_write(lab_sheet(lab), options->out, &error);
    code = shard_agree(code, &error);
    if (code != 0 && first)
        fprintf(stderr, "starling: %s\n", error.text);
    if (code == 0 && first) {
        lab_finish(lab);
        if (json)
            print_json(lab_sheet(lab));
        else
            print_lines(lab_sheet(lab), options->out);
    }
    lab_free(lab);
    if (code != 0 && first && !there)
        rmdir(options->out); /* unless finished runs are kept there */
    return code == 0 ? 0 : 1;
}

/* From 1 to most; no text: as it is. */
static bool whole(long *value, const char *text, long most)
{
    char *end;

    if (text == NULL)
        return true;
    *value = strtol(text, &end, 10);
    return *end == '\0' && *value >= 1 && *value <= most;
}

int converge_main(int argc, char **argv)
{
    const char *path = NULL, *out = NULL, *threads = NULL, *checkpoint = NULL;
    long count = 0, every = 0;
    bool help = false, json = false, quiet = false;
    const struct args_flag flags[] = {{"--out", &out, NULL},
                                      {"--threads", &threads, NULL},
                                      {"--checkpoint-every", &checkpoint, NULL},
                                      {"--json", NULL, &json},
                                      {"--quiet", NULL, &quiet},
                                      {"--help", NULL, &help}};
    const struct args args = {"starling sim converge", flags,
                              sizeof flags / sizeof *flags, &path};
    struct error error = {{0}};
    int status = args_parse(&args, argv + 1, argc - 1);

    if (status != 0)
        return status;
    if (help) {
        fputs(usage, stdout);
        return 0;
    }
    if (path == NULL)
        return misuse("no experiment", "EXPERIMENT.yaml");
    if (out == NULL)
        return misuse("no --out", "--out DIR, where the results go");
    if (!whole(&count, threads, POOL_THREADS_MAX))
        return misuse(threads, "--threads from 1 to 256");
    if (!whole(&every, checkpoint, LONG_MAX))
        return misuse(checkpoint, "--checkpoint-every STEPS, at least 1");
    if (shard_open(&error) != 0) {
        fprintf(stderr, "starling: %s\n", error.text);
        return 1;
    }
    if (count == 0 && shard_count() > 1)
        count = 1; /* mpirun binds each process to a core */
    quiet = quiet || shard_rank() != 0;
    const struct lab_options options = {.threads = (size_t)count,
                                        .lines = !quiet,
                                        .progress = !quiet && isatty(2),
                                        .checkpoint_every = (uint64_t)every,
                                        .out = out};
    status = converge(path, &options, json);
    shard_close();
    return status;
}
