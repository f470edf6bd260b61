#include "crypto/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hex.h"

enum { SIZE = 5000 };

/* Byte i is 7 i + i / 256. */
static void fill(uint8_t bytes[SIZE])
{
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
}

/* By Python's hashlib: leaves cut out, hashed by blake2b(digest_size=32), and
 * blake2b over "tree", the size and their digests. */
static void another_implementation_says_the_same(void **state)
{
    static const struct {
        size_t size;
        const char *hash;
    } known[] = {
        {0, "6cf51f6d0fb89333b74d68c31cf162675ee8176c826b2c5623b2c2478adfcf69"},
        {1, "5c4dfc29398add569bcc37c7bbb522fed5ed89a0215b717f2067c4db913b4d9d"},
        {64,
         "93bf55b1a3f5e399e758bb71a4f74ab31594e602a56ed22c9bc543c4f03ff7f9"},
        {1024,
         "66e0411ea170e4d86299ef656bcae347a8653899adc82a3650dec056cbb75c33"},
        {1025,
         "15769217abfffb65b1245f42973abdf6bb9d9dba7008e0eae9ed496519f911df"},
        {5000,
         "6132c24dbf053a956a00ff6bcc9f655a3ec23120b0c604d24edf0518de17acb5"}};
    uint8_t bytes[SIZE], expected[TREE_BYTES], hash[TREE_BYTES];

    (void)state;
    fill(bytes);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        hex(expected, sizeof expected, known[k].hash);
        tree_hash(hash, bytes, known[k].size);
        assert_memory_equal(hash, expected, sizeof hash);
    }
}

static void every_kernel_is_the_plain_one(void **state)
{
    uint8_t bytes[SIZE], expected[TREE_LEAVES * TREE_BYTES];
    struct tree_kernel kernels[TREE_KERNELS_MAX];
    size_t count = tree_kernels(kernels);

    (void)state;
    fill(bytes);
    for (size_t size = 0; size <= SIZE; size += size < 200 ? 1 : 61)
        for (size_t k = 0; k < count; k++) {
            uint8_t hashes[TREE_LEAVES * TREE_BYTES];
            /* at the end of the array, at any alignment */
            const uint8_t *from = bytes + SIZE - size;
            kernels[count - 1].leaves(expected, from, size);
            kernels[k].leaves(hashes, from, size);
            assert_memory_equal(hashes, expected, sizeof hashes);
        }
}

static void zeros_at_the_end_count(void **state)
{
    uint8_t bytes[SIZE] = {0}, hash[TREE_BYTES], other[TREE_BYTES];

    (void)state;
    for (size_t size = 0; size < 130; size++) {
        tree_hash(hash, bytes, size);
        tree_hash(other, bytes, size + 1);
        assert_memory_not_equal(hash, other, sizeof hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_implementation_says_the_same),
        cmocka_unit_test(every_kernel_is_the_plain_one),
        cmocka_unit_test(zeros_at_the_end_count),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
