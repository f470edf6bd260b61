/* Tail probabilities of the normal and of Student's t distribution. For
 * reports only: libm's last bits differ between machines. */

#ifndef MODEL_SPECIAL_H
#define MODEL_SPECIAL_H

/* P(|Z| > |z|). */
double special_normal_p(double z);

/* P(|T| > |t|) with df > 0 degrees of freedom, by the incomplete beta function
 * (DLMF 8.17.22, modified Lentz). */
double special_student_p(double t, double df);

/* The t with P(|T| > t) = p, 0 < p < 1. */
double special_student_quantile(double p, double df);

#endif
