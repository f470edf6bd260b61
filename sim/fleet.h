/* A study as real processes on this machine: every site gets a folder with its
 * own rows and fresh keys, and is a `starling run` over loopback. The driver
 * pulls what happens, one event after the other, while the fleet kills and
 * restarts nodes as the study's `network:` and the options say. */

#ifndef SIM_FLEET_H
#define SIM_FLEET_H

#include <jansson.h>
#include <stdio.h>

#include "model/error.h"
#include "node/study.h"

enum { FLEET_STRIKES_MAX = 16, FLEET_SETTINGS_MAX = 64 };

struct fleet_strike { /* SIGKILL beyond the study's own rules */
    char site[STUDY_NAME_SIZE];
    char hold[48];    /* "recv@3": when that node has come so far, or "": */
    double at_ms;     /* so long after the start, whatever happens then */
    double return_ms; /* after that */
};

struct fleet_setting { /* of one site's environment, for mixed machines */
    char site[STUDY_NAME_SIZE];
    const char *text; /* "NAME=VALUE" */
};

struct fleet_options {
    const char *study, *out;
    struct fleet_strike strikes[FLEET_STRIKES_MAX];
    size_t strike_count;
    struct fleet_setting settings[FLEET_SETTINGS_MAX];
    size_t setting_count;
};

enum fleet_kind {
    FLEET_STARTED,   /* round: 0, or that of the crash it returns from */
    FLEET_SAYS,      /* name and body: a line of `starling run --json` */
    FLEET_COMPLAINS, /* line: of its standard error */
    FLEET_KILLED,
    FLEET_EXITED,
    FLEET_OVER /* every node has ended well */
};

struct fleet_event { /* pointers live until the next call */
    enum fleet_kind kind;
    uint32_t site;
    uint64_t round;
    const char *name, *line;
    const json_t *body;
};

struct fleet; /* opaque */

/* Reads the study, fills options->out and starts every node. A folder that an
 * earlier cluster filled is used again, its files of that time removed. */
int fleet_new(struct fleet **fleet, const struct fleet_options *options,
              struct error *error);
void fleet_free(struct fleet *fleet); /* leaves no process behind */

/* Waits for the next event. Negative errno: the study did not end well, error
 * says why: -EINTR, a node that failed (its last line on standard error), or
 * the study's end_ms. */
int fleet_next(struct fleet *fleet, struct fleet_event *event,
               struct error *error);

const struct study *fleet_study(const struct fleet *fleet);
double fleet_seconds(const struct fleet *fleet); /* since the start */

/* A line for each kill that was asked for and never came to be, at the end. */
void fleet_tell_spared(const struct fleet *fleet, FILE *out);

/* The common result, after FLEET_OVER: merge_results. */
int fleet_result(json_t **result, const struct fleet *fleet,
                 struct error *error);

#endif
