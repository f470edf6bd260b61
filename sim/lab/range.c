#include "sim/lab/range.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 6, NAMES_SIZE = 256 };

static bool above_zero(double v)
{
    return v > 0;
}

static bool below_one(double v)
{
    return v < 1;
}

static bool at_most_one(double v)
{
    return v <= 1;
}

static bool part(double v)
{
    return v > 0 && v <= 1;
}

/* Every parameter is finite and not negative already: entry.c's table. */
static const struct range {
    unsigned takes;
    bool (*holds)(double v);
    const char *expected;
    const char *names[NAMES_MAX];
} ranges[] = {
    {ALG_BETA,
     below_one,
     "below 1, else the momentum grows without end",
     {"dmsgd", "decentlam", "qg-dsgdm", "qg-dsgdm-n", "momentum-tracking"}},
    {ALG_MU,
     at_most_one,
     "at most 1, as it is the old part of a mean",
     {"qg-dsgdm", "qg-dsgdm-n"}},
    {ALG_GAMMA,
     part,
     "above 0 and at most 1: the part of the way to the neighbours' mean",
     {"choco-gossip", "choco-sgd", "deepsqueeze", "beer"}},
    {ALG_BETA | ALG_RHO,
     above_zero,
     "above 0, else no node takes from another",
     {"ltadmm"}},
};

static bool names(const struct range *range, const struct alg *alg)
{
    for (size_t k = 0; k < NAMES_MAX && range->names[k] != NULL; k++)
        if (strcmp(range->names[k], alg->name) == 0)
            return true;
    return false;
}

static int refuse(const struct experiment_entry *e, const char *name,
                  const struct reader_value *v, const struct reader *r,
                  const char *expected, struct error *error)
{
    return reader_fail(r, v->line, error, "%s: found %s for %s, expected it %s",
                       name, reader_text(r, v->node), e->alg->name, expected);
}

int range_check(const struct experiment_entry *e, const struct reader *r,
                const struct reader_value *values, struct error *error)
{
    static const char *const parameters[] = {
        "step", "server_step", "local_steps", "beta",
        "mu",   "rho",         "gamma",       "tau"};

    if ((e->alg->needs & ALG_DIVIDES) != 0 && !(values[0].real > 0))
        return refuse(e, "step", &values[0], r, "above 0, as it divides by it",
                      error);
    for (size_t i = 0; !e->unsafe && i < sizeof ranges / sizeof *ranges; i++)
        for (size_t k = 0; k < sizeof parameters / sizeof *parameters; k++)
            if ((ranges[i].takes & 1U << k) != 0 && values[k].line != 0 &&
                names(&ranges[i], e->alg) && !ranges[i].holds(values[k].real))
                return refuse(e, parameters[k], &values[k], r,
                              ranges[i].expected, error);
    return 0;
}

static bool of_columns(enum faults_rule rule)
{
    return rule == FAULTS_LOST || rule == FAULTS_RETURNED;
}

/* Whether a rule makes a difference to what the algorithm mixes with: pairs,
 * exact means and messages of their own for every link have no matrix. */
static bool takes(const struct alg *alg, bool columns)
{
    return alg->meet == NULL && !alg->link_sends &&
           alg_uses(alg, columns ? ALG_COLUMNS : ALG_W);
}

/* "push-sum, sgp and ab" */
static void name_senders(char text[NAMES_SIZE])
{
    size_t left = 0, used = 0;

    for (size_t i = 0; alg_list[i] != NULL; i++)
        left += takes(alg_list[i], true);
    for (size_t i = 0; alg_list[i] != NULL && used < NAMES_SIZE - 40; i++)
        if (takes(alg_list[i], true))
            used += (size_t)snprintf(text + used, NAMES_SIZE - used, "%s%s",
                                     alg_list[i]->name,
                                     --left == 0 ? ""
                                     : left == 1 ? " and "
                                                 : ", ");
}

int range_check_rule(const struct experiment_entry *e,
                     const struct experiment *x, const struct reader *r,
                     struct error *error)
{
    static const char *const words[] = {"self", "symmetric", "renormalise",
                                        "lost", "returned"};
    const bool own = e->rule_line != 0;
    const uint32_t line = own ? e->rule_line : x->rule_line;
    const enum faults_rule rule = own ? e->rule : x->rule;
    const bool rows = takes(e->alg, false), columns = takes(e->alg, true);
    char senders[NAMES_SIZE] = "";

    if (line == 0 || (of_columns(rule) ? columns : rows) ||
        (!own && !rows && !columns))
        return 0;
    name_senders(senders);
    if (!rows && !columns)
        return reader_fail(r, line, error,
                           "on_loss: found %s for %s, which mixes with no "
                           "matrix that loses anything; remove it",
                           words[rule], e->alg->name);
    if (columns)
        return reader_fail(r, line, error,
                           "on_loss: found %s for %s, expected lost or "
                           "returned, as its senders give shares away",
                           words[rule], e->alg->name);
    return reader_fail(r, line, error,
                       "on_loss: found %s for %s, expected self, symmetric or "
                       "renormalise; it is for %s",
                       words[rule], e->alg->name, senders);
}

void range_rules(enum faults_rule rules[2], const struct experiment_entry *e,
                 const struct experiment *x)
{
    const bool own = e->rule_line != 0;
    const enum faults_rule rule = own ? e->rule : x->rule;

    rules[ALG_W] = FAULTS_SELF;
    rules[ALG_COLUMNS] = FAULTS_RETURNED;
    if (own || x->rule_line != 0)
        rules[of_columns(rule) ? ALG_COLUMNS : ALG_W] = rule;
}
