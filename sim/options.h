/* The command line of `starling sim world`. */

#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/ordeal.h"

struct options {
    const char *study, *out;
    bool has_seed, has_seeds, trace, json, help;
    struct ordeal ordeal;
    uint64_t seed_from, seed_to;
    uint32_t members_from, members_to; /* 0: the study's own sites */
    uint32_t jobs;                     /* seeds at once; 0: one */
};

struct option; /* of getopt.h */

/* Every flag of argv[1..argc) stands whole in names, which a zero ends, and has
 * a value if it takes one. Returns 0, or 2 after one line on stderr that names
 * the nearest flag. `command`: "starling demo". */
int options_check(const char *command, int argc, char *const *argv,
                  const struct option *names);

/* Returns 0, or 2 after one line on stderr: misuse. `study` and `out` point
 * into argv. */
int options_read(struct options *options, int argc, char **argv);
extern const char options_usage[];

#endif
