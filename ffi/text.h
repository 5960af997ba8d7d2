/*
 * Strings and numbers, without libc. The caller gives room enough; what copies
 * returns the new end.
 */
#ifndef NSPIN_TEXT_H
#define NSPIN_TEXT_H

#include <stddef.h>

#define NUMBER_BYTES 21 /* a u64 in decimal, with the NUL */

typedef unsigned long long u64;

size_t text_length(const char *text);
int text_equal(const char *a, const char *b);
int text_starts(const char *text, const char *start);
int text_ends(const char *text, const char *end);
int text_is_below(const char *path, const char *directory); /* or is it */
int text_compare(const char *a, const char *b);             /* as strcmp(3) */
char *text_copy(char *to, const char *from);
void text_cut(char *to, const char *from, size_t bytes); /* to bytes - 1 */
char *text_number(char *to, u64 number);                 /* decimal */
u64 text_value(const char *text, unsigned base);

#endif
