/* The command line's words, and the search along $PATH, against libc's own. */
#include "../../ffi/program.h"

#include <asm/errno.h>
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

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)a, (void)c, (void)d, (void)f;
  switch (number) {
  case __NR_statx:
    must(strlen((char *)b) < PATH_BYTES);
    ((struct statx *)e)->stx_mode = strlen((char *)b) % 3 ? S_IFREG : S_IFDIR;
    return lookup((char *)b) == -EACCES ? 0 : lookup((char *)b);
  case __NR_faccessat:
    return lookup((char *)b);
  }
  return 3;
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
  char *text = malloc(length + 1);
  memcpy(text, given, length);
  text[length] = '\0';
  char **line = malloc((length + 2) * sizeof *line);
  for (size_t from = 0; length > 0 && from <= length;
       from += strlen(text + from) + 1)
    line[count++] = text + from;
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
    must(program_find(&program) == result);
    must(result != 0 || strcmp(program.path, at) == 0);
  }
  free(line);
  free(text);
  free(variable);
  while (block_count > 0)
    free(blocks[--block_count]);
  return 0;
}
