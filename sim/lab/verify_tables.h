/* The reference folder's tables that are not trajectories: spectra, Base
 * graphs, named graphs. */

#ifndef LAB_VERIFY_TABLES_H
#define LAB_VERIFY_TABLES_H

#include "sim/lab/verify.h"

void verify_tables_facts(struct verify *v);

#endif
