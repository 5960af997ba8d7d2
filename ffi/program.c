#include "program.h"

#include <asm/errno.h>
#include <linux/stat.h>

static const char shell[] = "/bin/sh";

long program_arguments(struct program *program, char **line, u64 skip,
                       const char *words, u64 word_count) {
  u64 count = 0;
  while (line[count] != NULL)
    count++;
  if (count < skip || count - skip + word_count == 0)
    return -EINVAL;
  long slots = allocate((1 + word_count + count - skip + 1) * sizeof(char *));
  if (is_error(slots))
    return slots;
  char **argv = program->argv = (char **)slots + 1;
  for (; word_count > 0; word_count--, words += text_length(words) + 1)
    *argv++ = (char *)words;
  for (line += skip; *line != NULL; line++)
    *argv++ = *line;
  return 0;
}

static const char *search_path(char **entry) {
  for (; *entry != NULL; entry++)
    if (text_starts(*entry, "PATH="))
      return *entry + 5;
  return "/bin:/usr/bin"; /* execvp(3)'s own */
}

static long is_program(const char *path) {
  struct statx status;
  long result = CALL(__NR_statx, AT_FDCWD, path, 0, STATX_TYPE, &status);
  if (result < 0)
    return result;
  if ((status.stx_mode & S_IFMT) != S_IFREG)
    return -EACCES; /* what execve(2) says of a directory */
  enum { X_OK = 1 };
  return CALL(__NR_faccessat, AT_FDCWD, path, X_OK);
}

long program_find(struct program *program) {
  const char *name = program->argv[0];
  size_t length = text_length(name);
  if (length == 0)
    return -ENOENT;
  if (length >= PATH_BYTES)
    return -ENAMETOOLONG;
  for (const char *c = name; *c != '\0'; c++)
    if (*c == '/') {
      text_copy(program->path, name);
      return is_program(program->path);
    }

  long worst = -ENOENT;
  for (const char *entry = search_path(program->environment), *end;;
       entry = end + 1) {
    for (end = entry; *end != '\0' && *end != ':';)
      end++;
    size_t directory = (size_t)(end - entry);
    if (directory + 1 + length < PATH_BYTES) {
      char *to = program->path;
      while (entry < end)
        *to++ = *entry++;
      text_copy(directory == 0 ? to : text_copy(to, "/"), name);
      long result = is_program(program->path);
      if (result == 0)
        return 0;
      if (result != -ENOENT && result != -ENOTDIR)
        worst = -EACCES; /* there, and no use: said if nothing better comes */
    }
    if (*end == '\0')
      return worst;
  }
}

long program_execute(struct program *program) {
  char **argv = program->argv, **environment = program->environment;
  long result = CALL(__NR_execve, program->path, argv, environment);
  if (result != -ENOEXEC)
    return result;
  argv[0] = program->path;
  argv[-1] = (char *)shell;
  return CALL(__NR_execve, shell, argv - 1, environment);
}
