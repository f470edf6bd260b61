/* Rows dealt anew: the rows of several sites pooled, or dealt to made-up ones.
 */

#ifndef SIM_DEAL_H
#define SIM_DEAL_H

#include "crypto/prg.h"
#include "model/dataset.h"
#include "model/error.h"
#include "model/task.h"
#include "node/study.h"

/* Deals all rows of in[in_count], which have the same columns, to
 * out[out_count]: to each five training rows (one
 * if there are too few), then at random by weights of
 * 1..4 that prg draws. Free each with dataset_free. Returns 0, or -EINVAL if
 * there are fewer training rows than `out_count`, or -ENOMEM; *out are then
 * NULL. */
int deal_rows(struct dataset **out, uint32_t out_count,
              const struct dataset *const *in, uint32_t in_count,
              struct prg *prg, struct error *error);

/* The study with sites "s1".."s<members>" without data, the threshold and
 * copies that PROTOCOL.md's table gives them, the rest shared with `from`:
 * free with deal_study_free before `from`. Returns 0 or a negative errno. */
int deal_study(struct study **study, const struct study *from, uint32_t members,
               struct error *error);
void deal_study_free(struct study *study);

/* The fit that all rows in one place would give: the task alone, without
 * lanes, masks or members. Free with task_report_free. */
int deal_pooled_fit(struct task_report *report, const struct study *study,
                    const struct dataset *const *datasets, uint32_t count,
                    struct error *error);

#endif
