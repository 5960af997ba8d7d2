#include "program.h"

#include <asm/errno.h>
#include <linux/mman.h>
#include <linux/stat.h>

static const char shell[] = "/bin/sh";

/* The whole of a /proc file, whose size stat does not know. */
static long read_all(const char *path, char **bytes, size_t *length) {
  long fd = CALL(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fd;
  size_t room = 64 * 1024, have = 0;
  long at = allocate(room), got = 0;
  while (!is_error(at)) {
    got = CALL(__NR_read, fd, at + (long)have, room - have);
    if (got <= 0)
      break;
    have += (size_t)got;
    if (have == room) {
      at = CALL(__NR_mremap, at, room, room * 2, MREMAP_MAYMOVE);
      room *= 2;
    }
  }
  CALL(__NR_close, fd);
  *bytes = (char *)at;
  *length = have;
  return is_error(at) ? at : got;
}

long program_arguments(struct program *program, const char *enter,
                       u64 enter_count, u64 skip, const char *tid) {
  char *line;
  size_t length, words = 0;
  long result = read_all("/proc/self/cmdline", &line, &length);
  if (result < 0)
    return result;
  for (size_t i = 0; i < length; i++)
    words += line[i] == '\0';
  if (words <= skip || line[length - 1] != '\0')
    return -EINVAL;

  long slots = allocate((1 + enter_count + words - skip + 1) * sizeof(char *));
  if (is_error(slots))
    return slots;
  char **argv = program->argv = (char **)slots + 1;
  for (; enter_count > 0; enter_count--, enter += text_length(enter) + 1)
    *argv++ = (char *)(*enter == '\0' ? tid : enter);
  for (char *word = line; word < line + length; word += text_length(word) + 1)
    if (skip > 0)
      skip--;
    else
      *argv++ = word;
  *argv = NULL;
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
