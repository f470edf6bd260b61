/* Logistic regression by decentralised gradient descent: a round sums one
 * gradient over a pod, pods average what comes of it. Nedic and Ozdaglar, IEEE
 * TAC 54(1), 2009; with gradient tracking (adapt, then combine): Xu et al., CDC
 * 2015. Without pods: gradient descent.
 *
 *   dgd-atc: x' = W (x - step g)
 *   gt-atc:  y' = W (y + g - g_before), x' = W (x - step y')
 *
 * The state is an array of little-endian doubles: the slots below, then
 * x[width], the tracker y[width], the last gradient g[width].
 */

#ifndef MODEL_DGD_H
#define MODEL_DGD_H

#include "model/task.h"

enum dgd_slot {
    DGD_ROUND, /* gradients opened */
    DGD_STAGE, /* enum dgd_stage */
    DGD_ROWS,  /* in the newest sum */
    DGD_LOSS,  /* there, of all rows together, at x of then */
    DGD_SLOTS
};

enum dgd_stage { DGD_SETTLED, DGD_TRACKER, DGD_MODEL };

extern const struct task_ops dgd_ops;

#endif
