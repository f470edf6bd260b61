#include "sim/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "gossip/gossip.h"

enum { FINE = 0, MISUSE = 2 };

const char options_usage[] =
    "Runs the real engine on a virtual network: same seed, same run.\n"
    "\n"
    "  starling sim world STUDY.yaml --out DIR [--seed N] [--trace]\n"
    "  starling sim world STUDY.yaml --seeds A-B [--chaos] [--members A-B]\n"
    "\n"
    "  --out DIR        where result.json, rounds.csv, trace.txt go\n"
    "  --seed N         instead of the study's seed\n"
    "  --seeds A-B      one run a seed, one line each, and a summary\n"
    "  --trace          write DIR/trace.txt, one line per event\n"
    "  --chaos          draw latency, loss, crashes, partitions from the seed\n"
    "  --members A-B    deal all rows to A..B made-up sites instead\n"
    "  --json           print the result to stdout and nothing else there\n"
    "\n"
    "Example: starling sim world heart.yaml --out results --seed 7\n";

static bool read_range(uint64_t *from, uint64_t *to, const char *text)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *from = *to = strtoull(text, &end, 10);
    if (*end == '-' && end[1] >= '0' && end[1] <= '9')
        *to = strtoull(end + 1, &end, 10);
    return *end == '\0' && errno == 0 && *from <= *to;
}

static int misuse(const char *found, const char *expected)
{
    fprintf(stderr,
            "starling: found %s, expected %s; see starling sim world --help\n",
            found, expected);
    return MISUSE;
}

static int take_option(struct options *o, int option, const char *value)
{
    uint64_t from, to;

    switch (option) {
    case 'o':
        o->out = value;
        return FINE;
    case 's':
    case 'S':
        o->has_seed = true;
        o->has_seeds = option == 'S';
        if (!read_range(&o->seed_from, &o->seed_to, value) ||
            (option == 's' && o->seed_from != o->seed_to))
            return misuse(value, "a seed such as 7, or --seeds 1-100");
        return FINE;
    case 'm':
        if (!read_range(&from, &to, value) || from < 3 ||
            to > GOSSIP_MEMBERS_MAX)
            return misuse(value, "--members 3-64");
        o->members_from = (uint32_t)from;
        o->members_to = (uint32_t)to;
        return FINE;
    case 't':
        o->trace = true;
        return FINE;
    case 'c':
        o->chaos = true;
        return FINE;
    case 'j':
        o->json = true;
        return FINE;
    case 'h':
        o->help = true;
        return FINE;
    default:
        return misuse("an unknown option", "one of those in the help");
    }
}

int options_read(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"out", required_argument, NULL, 'o'},
        {"seed", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'S'},
        {"members", required_argument, NULL, 'm'},
        {"trace", no_argument, NULL, 't'},
        {"chaos", no_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option, status;

    *o = (struct options){0};
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1)
        if ((status = take_option(o, option, optarg)) != FINE)
            return status;
    if (o->help)
        return FINE;
    if (optind + 1 != argc)
        return misuse(optind == argc ? "no study" : argv[optind + 1],
                      "one STUDY.yaml");
    o->study = argv[optind];
    if (o->out == NULL && (!o->has_seeds || o->trace))
        return misuse("no --out", "--out DIR, where the results go");
    return FINE;
}
