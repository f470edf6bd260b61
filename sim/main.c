/* starling-sim: the engine on a virtual network, as real processes on this
 * machine, and the demonstration. `starling sim ...` and `starling demo` exec
 * it. */

#include <stdio.h>
#include <string.h>

#include "sim/cluster.h"
#include "sim/demo.h"
#include "sim/lab/converge.h"
#include "sim/lab/verify.h"
#include "sim/runs.h"

static const char usage[] =
    "starling sim world STUDY.yaml --out DIR     a virtual network, one seed\n"
    "starling sim cluster STUDY.yaml --out DIR   real processes on loopback\n"
    "starling sim converge EXPERIMENT.yaml --out DIR   many nodes, one matrix\n"
    "starling sim verify [DIR]                   known facts, recomputed\n"
    "starling demo                               a network tells its story\n"
    "\n"
    "Each has --help. Example: starling sim world heart.yaml --out results\n";

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"world", runs_main},
                    {"cluster", cluster_main},
                    {"converge", converge_main},
                    {"verify", verify_main},
                    {"demo", demo_main}};

    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (argc > 1 &&
        (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("starling-sim " STARLING_VERSION);
        return 0;
    }
    fprintf(stderr,
            "starling: found %s, expected world, cluster, converge, verify or "
            "demo; see "
            "starling sim --help\n",
            argc > 1 ? argv[1] : "no command");
    return 2;
}
