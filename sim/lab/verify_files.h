/* Every file of the reference folder, column by column. */

#ifndef LAB_VERIFY_FILES_H
#define LAB_VERIFY_FILES_H

#include "sim/lab/verify.h"

void verify_files_facts(struct verify *v);

#endif
