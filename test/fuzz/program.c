/* The command line's words, and the search along $PATH, against libc's own. */
#include "../../ffi/program.h"

#include <asm/errno.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct content line;
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

char fuzz_record[1]; /* not read here */

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)d, (void)f;
  switch (number) {
  case __NR_read:
    return content_read(&line, b, c);
  case __NR_mremap:
    for (size_t i = 0; i < block_count; i++)
      if (blocks[i] == (void *)a) {
        blocks[i] = realloc(blocks[i], (size_t)c);
        memset((char *)blocks[i] + b, 0, (size_t)(c - b));
        return (long)blocks[i];
      }
    must(0);
  case __NR_statx:
    must(strlen((char *)b) < PATH_BYTES);
    ((struct statx *)e)->stx_mode = strlen((char *)b) % 3 ? S_IFREG : S_IFDIR;
    return lookup((char *)b) == -EACCES ? 0 : lookup((char *)b);
  case __NR_faccessat:
    return lookup((char *)b);
  }
  return 3;
}

long fuzz_allocate(unsigned long bytes) {
  must(block_count < 4);
  return (long)(blocks[block_count++] = calloc(1, bytes));
}

static long is_program(const char *path) {
  long result = lookup(path);
  if (result != 0 && result != -EACCES)
    return result;
  return strlen(path) % 3 ? result : -EACCES;
}

/* As execvp(3) says it. */
static long found(const char *name, const char *path, char *at) {
  if (*name == '\0')
    return -ENOENT;
  if (strlen(name) >= PATH_BYTES)
    return -ENAMETOOLONG;
  if (strchr(name, '/') != NULL) {
    strcpy(at, name);
    return is_program(name);
  }
  long worst = -ENOENT;
  char *copy = strdup(path), *rest = copy, *directory;
  while ((directory = strsep(&rest, ":")) != NULL) {
    if (strlen(directory) + 1 + strlen(name) >= PATH_BYTES)
      continue;
    sprintf(at, "%s%s%s", directory, *directory == '\0' ? "" : "/", name);
    long result = is_program(at);
    if (result != -ENOENT && result != -ENOTDIR)
      worst = result == 0 ? 0 : -EACCES;
    if (result == 0)
      break;
  }
  free(copy);
  return worst;
}

/* PIECE SKIP ENTER-COUNT PATH-LENGTH*16, the PATH, the line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct program program;
  static char at[PATH_BYTES];
  static const char enter[] = "nsenter\0\0--\0";
  if (size < 4)
    return 0;
  size_t path = (size_t)data[3] * 16, skip = data[1] % 8, entered = data[2] % 4;
  size -= 4;
  if (path > size)
    path = size;
  char *variable = malloc(5 + path + 1);
  sprintf(variable, "PATH=%.*s", (int)path, (const char *)data + 4);
  char *variables[] = {"ODD", variable, NULL};
  program.environment = variables;

  const uint8_t *words = data + 4 + path;
  size_t length = size - path, count = 0;
  for (size_t i = 0; i < length; i++)
    count += words[i] == '\0';
  line = (struct content){words, length, (size_t)(1 + data[0]) * 256};
  long result = program_arguments(&program, enter, entered, skip, "42");
  int is_whole = length > 0 && words[length - 1] == '\0' && count > skip;
  must(result == (is_whole ? 0 : -EINVAL));
  if (result == 0) {
    static const char *const expected[] = {"nsenter", "42", "--"};
    char **argv = program.argv;
    for (size_t i = 0; i < entered; i++)
      must(strcmp(*argv++, expected[i]) == 0);
    const char *word = (const char *)words;
    for (size_t i = 0; i < count; i++, word += strlen(word) + 1)
      if (i >= skip)
        must(strcmp(*argv++, word) == 0);
    must(*argv == NULL);
    result = found(program.argv[0], variable + 5, at);
    must(program_find(&program) == result);
    must(result != 0 || strcmp(program.path, at) == 0);
  }
  free(variable);
  while (block_count > 0)
    free(blocks[--block_count]);
  return 0;
}
