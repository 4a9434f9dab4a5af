/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Self-describing blocks: what was written is recognised, and every way of
 * being something else has its own name.
 */
#include <stdio.h>
#include <string.h>

#include "block.h"

static int failures;

static void check(int condition, int line, const char *text)
{
    if (!condition) {
        fprintf(stderr, "test_block.c:%d: %s\n", line, text);
        failures++;
    }
}

#define CHECK(condition) check(condition, __LINE__, #condition)

static char buffer[4096];
static const uint64_t id = 77;

static struct block_found look(size_t size, uint64_t file_id, uint64_t offset)
{
    return block_inspect(buffer, size, file_id, offset);
}

static void test_recognised(void)
{
    block_fill(buffer, sizeof(buffer), id, 8192, 5);
    CHECK(look(4096, id, 8192).kind == BLOCK_GOOD);
    CHECK(look(512, id, 8192).kind == BLOCK_GOOD);
    CHECK(look(4096, id, 8192).generation == 5);
}

static void test_elsewhere(void)
{
    block_fill(buffer, sizeof(buffer), id, 8192, 5);
    CHECK(look(4096, id, 4096).kind == BLOCK_ELSEWHERE);
    CHECK(look(4096, id + 1, 8192).kind == BLOCK_ELSEWHERE);
    CHECK(look(4096, id + 1, 8192).offset == 8192);
    CHECK(block_file_id("a") != block_file_id("b"));
}

static void test_torn(void)
{
    block_fill(buffer, sizeof(buffer), id, 0, 1);
    block_fill(buffer, 2048, id, 0, 2);
    CHECK(look(4096, id, 0).kind == BLOCK_TORN);
    /* With logical blocks of 512 bytes the same bytes are two generations. */
    CHECK(look(512, id, 0).generation == 2);
    CHECK(block_inspect(buffer + 2048, 512, id, 2048).generation == 1);
    memset(buffer + 3584, 0, 512);
    CHECK(block_inspect(buffer + 2048, 2048, id, 2048).kind == BLOCK_TORN);
}

static void test_garbage(void)
{
    memset(buffer, 0, sizeof(buffer));
    CHECK(look(4096, id, 0).kind == BLOCK_ZERO);
    /* Every single bit counts. */
    for (size_t bit = 0; bit < 512 * 8; bit++) {
        block_fill(buffer, 512, id, 0, 3);
        buffer[bit / 8] ^= (char)(1 << (bit % 8));
        CHECK(look(512, id, 0).kind == BLOCK_GARBAGE);
    }
}

int main(void)
{
    test_recognised();
    test_elsewhere();
    test_torn();
    test_garbage();
    return failures != 0;
}
