#include "sim/runs.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "sim/manypods.h"
#include "sim/run.h"
#include "sim/seeds.h"
#include "sim/summary.h"

enum { PATH_SIZE = 4096, FINE = 0, FAILED = 1 };

static int complain(const struct error *error)
{
    fprintf(stderr, "starling: %s\n", error->text);
    return FAILED;
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

static int run_once(const struct run_input *in, const struct options *o)
{
    const uint64_t seed = o->has_seed ? o->seed_from : in->study->seed;
    struct error error = {{0}};
    struct run run = {0};
    FILE *trace = NULL;
    double began = seconds();

    if (o->trace && (trace = seeds_trace(o, seed, &error)) == NULL)
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

int runs_main(int argc, char **argv)
{
    struct run_input in = {0};
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
    if (make_folder(o.out, &error) != 0 || run_read(&in, o.study, &error) != 0)
        status = complain(&error);
    else if (in.study->pod_count > 0)
        status = manypods_run(in.study, &o);
    else
        status = o.has_seeds ? seeds_run(&in, &o) : run_once(&in, &o);
    run_input_free(&in);
    return status;
}
