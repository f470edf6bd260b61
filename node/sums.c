#include "node/sums.h"

#include <errno.h>

#include "crypto/grid.h"
#include "node/pods.h"

/* One pod of g sites: fills pod->colluders, threshold and copies. */
static int pod_rule(struct study_pod *pod, const struct study *study,
                    const struct reader *r,
                    const struct reader_value *colluders,
                    const struct reader_value *threshold,
                    const struct reader_value *copies, struct error *error)
{
    uint32_t g = pod->site_count;

    if (study->unmasked) {
        pod->threshold = pod->copies = 1;
        return 0;
    }
    uint32_t table = study_colluders(study->active, g);
    uint32_t c = colluders->line == 0 ? table : (uint32_t)colluders->integer;

    if (study->active && c != table)
        return reader_fail(r, colluders->line, error,
                           "colluders: found %u, expected %u: with 'trust: "
                           "active' it follows from the %u sites; remove the "
                           "key",
                           c, table, g);
    if (c < 1 || c > g - 2)
        return reader_fail(r, colluders->line, error,
                           "colluders: found %u, expected 1 to %u with %u "
                           "sites: of those who sign, at least two must be "
                           "honest",
                           c, g - 2, g);
    uint32_t least = study_threshold(study->active, study->on_loss, g, c);
    uint32_t t = threshold->line == 0 ? least : (uint32_t)threshold->integer;
    if (t < least || t > g)
        return reader_fail(r, threshold->line, error,
                           "threshold: found %u, which is impossible; expected "
                           "%u to %u with %u sites and %u colluders",
                           t, least, g, g, c);
    uint32_t n = copies->line == 0 ? study_copies(study->active, g, c, t)
                                   : (uint32_t)copies->integer;
    if (n < 1 || n > g)
        return reader_fail(r, copies->line, error,
                           "copies: found %u, expected 1 to %u with %u sites",
                           n, g, g);
    pod->colluders = c;
    pod->threshold = t;
    pod->copies = n;
    return 0;
}

/* Sites in the largest sum that members open. */
static uint32_t largest_pod(const struct study *study)
{
    uint32_t most = study->pod_count == 0 ? study->site_count : 0;

    for (uint32_t p = 0; p < study->pod_count; p++)
        if (study->pods[p].site_count > most)
            most = study->pods[p].site_count;
    return most;
}

/* Lanes of 16 or 32 bits: of training vectors only, which may be rounded at
 * random and clipped. */
static int narrow_rule(struct study *study, const struct reader *r,
                       const struct reader_value *lanes,
                       const struct reader_value *bits,
                       const struct reader_value *clip, struct error *error)
{
    const uint32_t members = largest_pod(study);
    struct task_spec *task = &study->task;
    const uint32_t width = lanes->line == 0 ? 64 : (uint32_t)lanes->integer;

    if (width != 16 && width != 32 && width != 64)
        return reader_fail(r, lanes->line, error,
                           "lanes: found %u, expected 16, 32 or 64", width);
    task->lane_bits = (uint8_t)width;
    if (width == 64 && (bits->line != 0 || clip->line != 0))
        return reader_fail(r, bits->line != 0 ? bits->line : clip->line, error,
                           "%s: found with lanes of 64 bits, which never round "
                           "or clip; remove the key, or set lanes to 16 or 32",
                           bits->line != 0 ? "value_bits" : "clip");
    if (width == 64)
        return 0;
    const struct task_ops *ops = task_find(task, error);
    if (ops == NULL)
        return -EINVAL;
    if (ops->lanes_max == NULL)
        return reader_fail(r, lanes->line, error,
                           "lanes: found %u, expected 64: method %s sums "
                           "exact statistics, which are never rounded or "
                           "clipped; remove the key",
                           width, task->method);
    task->value_bits = (uint8_t)grid_value_bits(members, width);
    if (bits->line != 0 && bits->integer > task->value_bits)
        return reader_fail(r, bits->line, error,
                           "value_bits: found %u, expected at most %u: %u "
                           "sites' sum must fit into lanes of %u bits",
                           (unsigned)bits->integer, task->value_bits, members,
                           width);
    if (bits->line != 0)
        task->value_bits = (uint8_t)bits->integer;
    task->clip = clip->line == 0 ? 1 : clip->real;
    return 0;
}

static int threshold_rule(struct study *study, const struct reader *r,
                          const struct reader_value *colluders,
                          const struct reader_value *threshold,
                          const struct reader_value *copies,
                          struct error *error)
{
    struct study_pod all = {.site_count = study->site_count};
    int code = 0;

    for (uint32_t p = 0; p < study->pod_count && code == 0; p++) {
        code = pod_rule(&study->pods[p], study, r, colluders, threshold, copies,
                        error);
        all = study->pods[0];
    }
    if (study->pod_count == 0)
        code = pod_rule(&all, study, r, colluders, threshold, copies, error);
    study->colluders = all.colluders;
    study->threshold = all.threshold;
    study->copies = all.copies;
    return code;
}

static int read_keys(struct study *study, const struct reader *r, int node,
                     uint32_t pods_line, struct error *error)
{
    enum {
        LANES,
        BITS,
        COLLUDERS,
        THRESHOLD,
        COPIES,
        VERIFY,
        VALUE_BITS,
        VALUE_CLIP,
        MASKS,
        KEYS
    };
    static const struct reader_key keys[KEYS] = {
        {"lanes", READER_INTEGER, false, 16, 64, ""},
        {"fraction_bits", READER_INTEGER, false, 0, 52, ""},
        {"colluders", READER_INTEGER, false, 1, GOSSIP_MEMBERS_MAX, ""},
        {"threshold", READER_INTEGER, false, 1, GOSSIP_MEMBERS_MAX, ""},
        {"copies", READER_INTEGER, false, 1, GOSSIP_MEMBERS_MAX, ""},
        {"verify", READER_WORD, false, 0, 0, "no|yes"},
        {"value_bits", READER_INTEGER, false, 2, GRID_VALUE_BITS_MAX, ""},
        {"clip", READER_REAL, false, 1e-12, 1e12, ""},
        {"masks", READER_WORD, false, 0, 0, "pairwise|none"},
    };
    struct reader_value v[KEYS];
    int code = reader_map(v, r, node, keys, KEYS, "sum", error);

    if (code != 0)
        return code;
    code =
        narrow_rule(study, r, &v[LANES], &v[VALUE_BITS], &v[VALUE_CLIP], error);
    if (code != 0)
        return code;
    if (v[VERIFY].line != 0 && v[VERIFY].word == 0 && study->active)
        return reader_fail(r, v[VERIFY].line, error,
                           "verify: found 'no', expected 'yes': with 'trust: "
                           "active' sums are always checked; remove the key");
    study->verify = study->active || v[VERIFY].word == 1;
    study->unmasked = v[MASKS].line != 0 && v[MASKS].word == 1;
    if (v[BITS].line != 0)
        study->task.fraction_bits = (uint8_t)v[BITS].integer;
    code = pods_check_masks(study, r, pods_line, v[MASKS].line, error);
    return code != 0 ? code
                     : threshold_rule(study, r, &v[COLLUDERS], &v[THRESHOLD],
                                      &v[COPIES], error);
}

/* The proof that no sum overflows: the largest vector that is let through,
 * `members` times, stays below 2^64. */
static int check_overflow(const struct study *study, const struct reader *r,
                          uint32_t line, struct error *error)
{
    const uint32_t summed =
        study->exact ? study->site_count : largest_pod(study);
    struct fixed_shape shape = {
        .length = 1,
        .bound = fixed_bound(summed, study->task.fraction_bits),
        .fraction_bits = study->task.fraction_bits,
        .exact = true,
    };
    if (fixed_fits(&shape, summed))
        return 0;
    return reader_fail(r, line, error,
                       "fraction_bits: found %u, at which %u sites' sum "
                       "overflows; expected fewer",
                       study->task.fraction_bits, summed);
}

int sums_read(struct study *study, const struct reader *r, int node,
              uint32_t line, uint32_t pods_line, struct error *error)
{
    const struct reader_value none = {0};
    int code = line != 0 ? read_keys(study, r, node, pods_line, error)
                         : pods_check_masks(study, r, pods_line, 0, error);

    if (code == 0 && line == 0)
        code = threshold_rule(study, r, &none, &none, &none, error);
    return code != 0 ? code : check_overflow(study, r, line, error);
}
