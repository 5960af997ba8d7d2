/* The command line's words, and the search along $PATH, against libc's own. */
#include "../../ffi/program.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *blocks[4];
static size_t block_count;

/* What is at a path depends on its name only. */
static long lookup(const char *path) {
  static const long results[] = {0, -ENOENT, -EACCES, -ENOTDIR, -ELOOP, 0, 0};
  size_t sum = 0;
  for (; *path != '\0'; path++)
    sum = sum * 31 + (unsigned char)*path;
  return results[sum % (sizeof results / sizeof *results)];
}

static size_t sum_of(const char *path) {
  size_t sum = 7;
  for (; *path != '\0'; path++)
    sum = sum * 131 + (unsigned char)*path;
  return sum;
}

static int is_readable(const char *path) { return sum_of(path) % 11 != 0; }

/* How a program begins, and what its first line names: NULL, nothing. */
static const struct {
  const char *text, *interpreter;
} beginnings[] = {
    {"\177ELF", NULL},
    {"", NULL},
    {"#", NULL},
    {"echo", NULL},
    {NULL, NULL},
    {"#!/bin/sh\n", "/bin/sh"},
    {"#! \t/bin/env -S p\nmore", "/bin/env"},
    {"#!/usr/bin/x", "/usr/bin/x"},
    {"#!\t/a/python3\t-u\n", "/a/python3"},
    {"#!/gone", "/gone"},
};
enum { BEGINNINGS = sizeof beginnings / sizeof *beginnings };
static const char *text;
static int is_open;

static const char *script_of(const char *path) {
  return beginnings[sum_of(path) % BEGINNINGS].text;
}

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)d, (void)e, (void)f;
  switch (number) {
  case __NR_newfstatat:
    must(strlen((char *)b) < PATH_BYTES);
    ((struct stat *)c)->st_mode = strlen((char *)b) % 3 ? S_IFREG : S_IFDIR;
    return lookup((char *)b) == -EACCES ? 0 : lookup((char *)b);
  case __NR_faccessat:
    return lookup((char *)b);
  case __NR_openat:
    if (!is_readable((char *)b))
      return -EACCES;
    must(!is_open);
    is_open = 1;
    text = script_of((char *)b);
    return 3;
  case __NR_read:
    must(a == 3 && is_open && c > 0);
    if (text == NULL)
      return -EISDIR;
    size_t bytes = strlen(text) < (size_t)c ? strlen(text) : (size_t)c;
    memcpy((char *)b, text, bytes);
    return (long)bytes;
  case __NR_close:
    must(a == 3 && is_open);
    is_open = 0;
    return 0;
  }
  must(0);
  return 0;
}

static int is_refused; /* memory */

long fuzz_allocate(unsigned long bytes) {
  if (is_refused)
    return -ENOMEM;
  must(bytes > 0 && block_count < 4);
  return (long)(blocks[block_count++] = calloc(1, bytes));
}

static long is_program(const char *path) {
  long result = lookup(path);
  if (result != 0 && result != -EACCES)
    return result;
  return strlen(path) % 3 ? result : -EACCES;
}

/* And what its first line names is one too. */
static long can_start(const char *path) {
  long result = is_program(path);
  if (result != 0 || !is_readable(path))
    return result;
  const char *name = beginnings[sum_of(path) % BEGINNINGS].interpreter;
  return name == NULL ? 0 : is_program(name);
}

/* As execvp(3) says it. */
static long found(const char *name, const char *path, char *at) {
  if (*name == '\0')
    return -ENOENT;
  if (strlen(name) >= PATH_BYTES)
    return -ENAMETOOLONG;
  if (strchr(name, '/') != NULL) {
    strcpy(at, name);
    return can_start(name);
  }
  long worst = -ENOENT;
  char *copy = strdup(path), *rest = copy, *directory;
  while ((directory = strsep(&rest, ":")) != NULL) {
    if (strlen(directory) + 1 + strlen(name) >= PATH_BYTES)
      continue;
    sprintf(at, "%s%s%s", directory, *directory == '\0' ? "" : "/", name);
    long result = can_start(at);
    if (result == -EACCES)
      worst = result;
    else if (result != -ENOENT && result != -ENOTDIR) {
      worst = result; /* it is that one, or that one cannot be looked at */
      break;
    }
  }
  free(copy);
  return worst;
}

/* FLAGS SKIP WORD-COUNT PATH-LENGTH*16, the PATH, the line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct program program;
  static char at[PATH_BYTES];
  static const char words[] = "nsenter\0\0--\0";
  static const char *const expected[] = {"nsenter", "", "--"};
  if (size < 4)
    return 0;
  size_t path = (size_t)data[3] * 16, skip = data[1] % 8, before = data[2] % 4;
  is_refused = data[0] == 0xff;
  size -= 4;
  if (path > size)
    path = size;
  char *variable = malloc(5 + path + 1);
  sprintf(variable, "PATH=%.*s", (int)path, (const char *)data + 4);
  char *variables[] = {"ODD", variable, NULL};
  program.environment = variables;

  /* As execve(2) lays it out: every word ends, and the list does. */
  const char *given = (const char *)data + 4 + path;
  size_t length = size - path, count = 0;
  char *given_text = malloc(length + 1);
  memcpy(given_text, given, length);
  given_text[length] = '\0';
  char **line = malloc((length + 2) * sizeof *line);
  for (size_t from = 0; length > 0 && from <= length;
       from += strlen(given_text + from) + 1)
    line[count++] = given_text + from;
  line[count] = NULL;

  long result = program_arguments(&program, line, skip, words, before);
  int is_any = count >= skip && count - skip + before > 0;
  must(result == (!is_any ? -EINVAL : is_refused ? -ENOMEM : 0));
  if (result == 0) {
    char **argv = program.argv;
    for (size_t i = 0; i < before; i++)
      must(strcmp(*argv++, expected[i]) == 0);
    for (size_t i = skip; i < count; i++)
      must(*argv++ == line[i]); /* the very bytes */
    must(*argv == NULL);
    program.argv[-1] = NULL; /* there is room for the shell */
    result = found(program.argv[0], variable + 5, at);
    must(program_find(&program, program.argv[0]) == result && !is_open);
    must(result != 0 || strcmp(program.path, at) == 0);
  }
  free(line);
  free(given_text);
  free(variable);
  while (block_count > 0)
    free(blocks[--block_count]);
  return 0;
}
