/* The command line of `starling sim world`. */

#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *study, *out;
    bool has_seed, has_seeds, trace, chaos, json, help;
    uint64_t seed_from, seed_to;
    uint32_t members_from, members_to; /* 0: the study's own sites */
};

/* Returns 0, or 2 after one line on stderr: misuse. `study` and `out` point
 * into argv. */
int options_read(struct options *options, int argc, char **argv);
extern const char options_usage[];

#endif
