/* Sums of columns: who declines what does not fit into them. */

#include "model/pooled.h"

#include <errno.h>

#include "model/cohort.h"

/* In the first round, by the site that has them: in the next every site's
 * squares about their mean are as large. */
static void statistics_beyond_the_bound_are_declined(void **unused)
{
    static const double large[] = {1e300, 3e18, -2e15, 1e15};
    static const double y[] = {0, 1, 0, 1};
    double sent[64];
    (void)unused;
    for (size_t i = 0; i < 4; i++) {
        const double x[] = {large[i], 1, 2, 3};
        struct cohort c = {.spec = cohort_spec("logistic", 0)};
        cohort_deal(&c, 1, x, y, 4, 1);
        cohort_open(&c);
        int code =
            c.ops->contribute(c.task[0], sent, NULL, c.state, NULL, &c.error);
        assert_int_equal(code, i < 3 ? -ERANGE : 0);
        if (i < 3)
            assert_string_equal(c.error.text,
                                "memory.csv: column 'x1' holds numbers beyond "
                                "1e15 in size; use a larger unit");
        cohort_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_beyond_the_bound_are_declined)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
