#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/number.h"

static void numbers_round_as_strtod_does(void **unused)
{
    static const char *const hard[] = {
        "0",
        "-0",
        "1",
        "+1.5",
        ".5",
        "5.",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "123456789012345",
        "1234567890123456",
        "9007199254740993",
        "0.1",
        "2.2250738585072011e-308",
        "4.9e-324",
        "1.7976931348623157e308",
        "0.000000000000000000000000000000000000001",
        "8.41e21",
        "9e15e",
        "00000000000000000000000012.5",
        "1.00000000000000011102230246251565"};
    uint64_t seed = 1;
    char text[64];
    (void)unused;
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) {
        double value = 0;
        char *end;
        double expected = strtod(hard[i], &end);
        assert_int_equal(number_parse(&value, hard[i]), *end == '\0');
        if (*end == '\0')
            assert_memory_equal(&value, &expected, sizeof value);
    }
    for (int i = 0; i < 200000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        int places = (int)(seed >> 60), power = (int)(seed >> 54 & 63) - 32;
        double value = 0, mantissa = (double)(seed >> 20 & 0xffffffffffu) / 7;
        snprintf(text, sizeof text, "%.*fe%d", places, mantissa, power);
        assert_true(number_parse(&value, text));
        if (value != strtod(text, NULL))
            fail_msg("%s", text);
    }
}

/* 0.00...01e1000000 is no small number, though its cut exponent says so. */
static void many_digits_do_not_hide_a_huge_exponent(void **unused)
{
    static char text[12000];
    double value = 0;
    (void)unused;
    for (int zeros = 9980; zeros < 10020; zeros++) {
        snprintf(text, sizeof text, "0.%0*d1e1000000", zeros, 0);
        assert_true(number_parse(&value, text));
        assert_true(value == strtod(text, NULL));
    }
}

static void other_texts_are_no_numbers(void **unused)
{
    static const char *const wrong[] = {"",    "-",    ".",     "e5",  "1e",
                                        "1e+", "0x10", "1,5",   "1 2", "abc",
                                        "nan", "inf",  "1.2.3", "--1", "1f"};
    double value;
    (void)unused;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (number_parse(&value, wrong[i]))
            fail_msg("'%s' was taken for a number", wrong[i]);
    assert_true(number_is_infinite("-INF") && number_is_infinite("infinity"));
    assert_false(number_is_infinite("info"));
    assert_true(number_is_missing("") && number_is_missing("?") &&
                number_is_missing("NA") && number_is_missing("NaN") &&
                number_is_missing("nan"));
    assert_false(number_is_missing("NAN1") || number_is_missing("n") ||
                 number_is_missing("0") || number_is_missing("??"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_round_as_strtod_does),
        cmocka_unit_test(many_digits_do_not_hide_a_huge_exponent),
        cmocka_unit_test(other_texts_are_no_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
