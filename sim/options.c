#include "sim/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/gossip.h"
#include "node/reader.h"
#include "sim/jobs.h"

enum { FINE = 0, MISUSE = 2, FLAGS_MAX = 16, FLAG_SIZE = 32 };

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
    "  --churn          draw members that come and go from the seed\n"
    "  --byzantine      draw members that lie, and how, from the seed\n"
    "  --lose-stores    draw one member that loses its store from the seed\n"
    "  --members A-B    deal all rows to A..B made-up sites instead\n"
    "  --jobs N         with --seeds: N seeds at once\n"
    "  --json           print the result to stdout and nothing else there;\n"
    "                   with --seeds one object a line for each seed\n"
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

static int unknown(const char *command, const char *text,
                   const struct option *names)
{
    char flags[FLAGS_MAX][FLAG_SIZE];
    const char *all[FLAGS_MAX];
    size_t count = 0;

    for (; names[count].name != NULL; count++) {
        assert(count < FLAGS_MAX);
        snprintf(flags[count], FLAG_SIZE, "--%s", names[count].name);
        all[count] = flags[count];
    }
    const char *nearest = reader_nearest(text, all, count);
    fprintf(stderr, "starling: unknown flag %s%s%s%s; see %s --help\n", text,
            nearest == NULL ? "" : " (did you mean ",
            nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?)",
            command);
    return MISUSE;
}

static const struct option *find(const struct option *names, const char *text,
                                 size_t size)
{
    for (; names->name != NULL; names++)
        if (strlen(names->name) == size && memcmp(names->name, text, size) == 0)
            return names;
    return NULL;
}

int options_check(const char *command, int argc, char *const *argv,
                  const struct option *names)
{
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i], *wrong = NULL;
        const size_t size = strcspn(text, "=");

        if (text[0] != '-' || text[1] == '\0' || strcmp(text, "-h") == 0)
            continue;
        if (strcmp(text, "--") == 0)
            break;
        const struct option *flag =
            text[1] == '-' ? find(names, text + 2, size - 2) : NULL;
        if (flag == NULL)
            return unknown(command, text, names);
        if (flag->has_arg == no_argument && text[size] == '=')
            wrong = "takes no value";
        if (flag->has_arg == required_argument && text[size] != '=' &&
            ++i == argc)
            wrong = "needs a value";
        if (wrong == NULL)
            continue;
        fprintf(stderr, "starling: --%s %s; see %s --help\n", flag->name, wrong,
                command);
        return MISUSE;
    }
    return FINE;
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
        o->ordeal.chaos = true;
        return FINE;
    case 'b':
        o->ordeal.byzantine = true;
        return FINE;
    case 'u':
        o->ordeal.churn = true;
        return FINE;
    case 'l':
        o->ordeal.losses = true;
        return FINE;
    case 'J':
        if (!read_range(&from, &to, value) || from < 1 || from != to ||
            to > JOBS_MAX)
            return misuse(value, "--jobs 1-64");
        o->jobs = (uint32_t)from;
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
        {"churn", no_argument, NULL, 'u'},
        {"byzantine", no_argument, NULL, 'b'},
        {"lose-stores", no_argument, NULL, 'l'},
        {"jobs", required_argument, NULL, 'J'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option, status = options_check("starling sim world", argc, argv, names);

    *o = (struct options){0};
    if (status != FINE)
        return status;
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
