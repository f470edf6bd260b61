/* Secrets as valgrind's memcheck sees them: undefined memory. It then reports
 * every branch and every address that depends on one, as if they were
 * uninitialised. Langley, "ctgrind", 2010; secp256k1 tests itself like this. */

#ifndef TESTS_TAINT_H
#define TESTS_TAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

enum { TAINT_SKIPPED = 77 };

/* The contents of memory stay; what depends on them is watched from now on. */
static inline void taint_secret(const void *bytes, size_t size)
{
#ifdef VALGRIND_MAKE_MEM_UNDEFINED
    (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, size);
#else
    (void)bytes, (void)size;
#endif
}

/* Whoever observes this member may know these bytes. */
static inline void taint_public(const void *bytes, size_t size)
{
#ifdef VALGRIND_MAKE_MEM_DEFINED
    (void)VALGRIND_MAKE_MEM_DEFINED(bytes, size);
#else
    (void)bytes, (void)size;
#endif
}

static inline int taint_public_int(int value)
{
    taint_public(&value, sizeof value);
    return value;
}

/* False where nobody watches any more: a test that asks is not in vain. */
static inline bool taint_is_secret(const void *bytes, size_t size)
{
    bool secret = false;

#ifdef VALGRIND_GET_VBITS
    for (size_t i = 0; i < size; i++) {
        unsigned char bits = 0;
        (void)VALGRIND_GET_VBITS((const char *)bytes + i, &bits, 1);
        secret = secret || bits != 0;
    }
#else
    (void)bytes, (void)size;
#endif
    return secret;
}

/* Between these nothing is reported. */
static inline void taint_pause(void)
{
#ifdef VALGRIND_DISABLE_ERROR_REPORTING
    VALGRIND_DISABLE_ERROR_REPORTING;
#endif
}

static inline void taint_resume(void)
{
#ifdef VALGRIND_ENABLE_ERROR_REPORTING
    VALGRIND_ENABLE_ERROR_REPORTING;
#endif
}

/* 0 to go on. Told "canary", the program does what must be reported. */
static inline int taint_begin(int argc, char **argv)
{
#ifndef VALGRIND_MAKE_MEM_UNDEFINED
    puts("SKIPPED: built without valgrind/memcheck.h");
    return TAINT_SKIPPED;
#else
    volatile char secret = 1;

    if (RUNNING_ON_VALGRIND == 0) {
        puts("SKIPPED: means nothing without valgrind");
        return TAINT_SKIPPED;
    }
    if (argc < 2 || strcmp(argv[1], "canary") != 0)
        return 0;
    taint_secret((const void *)&secret, sizeof secret);
    if (secret != 0)
        puts("the canary sings");
    return 1;
#endif
}

#endif
