#include "node/gate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "crypto/lanes.h"

static enum gossip_decline ask_charter(const struct gate_request *q,
                                       struct error *error)
{
    uint32_t members = q->study->site_count;

    if (q->self >= members || q->study->task.kind == NULL) {
        error_set(error, -EPERM, "this site is not in the charter of %s",
                  q->study->name);
        return GOSSIP_DECLINE_POLICY;
    }
    if (q->length != q->shape.length || !lanes_fit(&q->shape, members)) {
        error_set(error, -EPERM,
                  "found a vector of %zu values in round %" PRIu64
                  ", expected %zu that %u sites can sum: not what the charter "
                  "of %s names",
                  q->length, q->round, q->shape.length, members,
                  q->study->name);
        return GOSSIP_DECLINE_POLICY;
    }
    return GOSSIP_DECLINE_NONE;
}

static bool too_few(const struct gate_request *q, size_t rows, size_t least,
                    const char *which, const char *expected,
                    struct error *error)
{
    if (rows >= least)
        return false;
    error_set(error, -EPERM,
              "%s: found %zu %s rows, expected %s%zu at least: a sum over so "
              "few says too much about each; add rows or leave the study",
              q->dataset->path, rows, which, expected, least);
    return true;
}

/* Test rows are asked for as well: no other site may have any, and each round
 * of training tells their loss. */
static enum gossip_decline ask_policy(const struct gate_request *q,
                                      struct error *error)
{
    size_t least = q->policy == NULL ? GATE_ROWS_MIN : q->policy->rows_min;
    size_t rows[2] = {0, 0};

    for (size_t i = 0; i < q->dataset->row_count; i++)
        rows[q->dataset->test[i] != 0]++;
    if (q->study->unmasked && (q->policy == NULL || !q->policy->unmasked)) {
        error_set(error, -EPERM,
                  "%s says 'masks: none': what this site computes from its "
                  "rows would go to other sites as it is; give --unmasked if "
                  "that is meant, or mask: pods of 3 sites or more",
                  q->study->path);
        return GOSSIP_DECLINE_POLICY;
    }
    if (too_few(q, rows[0], least, "training", "", error) ||
        (rows[1] > 0 && too_few(q, rows[1], least, "test", "none, or ", error)))
        return GOSSIP_DECLINE_POLICY;
    return GOSSIP_DECLINE_NONE;
}

static enum gossip_decline ask_disclosure(const struct gate_request *q,
                                          struct error *error)
{
    size_t at = 0;
    int code = lanes_check(q->values, &q->shape, &at);

    if (code == 0)
        return GOSSIP_DECLINE_NONE;
    error_set(error, code,
              "%s: element %zu of %zu of the vector for round %" PRIu64
              " (%s) is %s; look for extreme values in the data, rescale the "
              "column, or lower sum.fraction_bits",
              q->dataset->path, at + 1, q->length, q->round, q->phase,
              code == -EDOM ? "not a finite number"
                            : "beyond the bound that lanes can sum");
    return GOSSIP_DECLINE_RANGE;
}

enum gossip_decline gate_ask(const struct gate_request *q, struct error *error)
{
    enum gossip_decline no = ask_charter(q, error);

    if (no == GOSSIP_DECLINE_NONE)
        no = ask_policy(q, error);
    if (no == GOSSIP_DECLINE_NONE)
        no = ask_disclosure(q, error);
    return no;
}

void gate_line(char line[GATE_LINE_SIZE], const struct gate_request *q,
               enum gossip_decline decision, const struct error *error)
{
    static const char *const words[GOSSIP_DECLINES] = {
        "allowed", "declined (range)", "declined (data)", "declined (policy)"};

    snprintf(line, GATE_LINE_SIZE,
             "study %s round %" PRIu64 " %s length %zu: %s%s%s", q->study->name,
             q->round, q->phase, q->shape.length, words[decision],
             decision == GOSSIP_DECLINE_NONE ? "" : ": ",
             decision == GOSSIP_DECLINE_NONE ? "" : error->text);
}
