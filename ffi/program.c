#include "program.h"

#include <asm/errno.h>
#include <asm/stat.h>
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

static long is_executable(const char *path) {
  enum { X_OK = 1 };
  struct stat status;
  MUST(CALL(__NR_newfstatat, AT_FDCWD, path, &status, 0));
  if ((status.st_mode & S_IFMT) != S_IFREG)
    return -EACCES; /* what execve(2) says of a directory */
  return CALL(__NR_faccessat, AT_FDCWD, path, X_OK);
}

/* execve(2), "Interpreter scripts": the first word after "#!". */
static long check_interpreter(const char *path) {
  char line[256], *end = line + 2;
  long fd = open_file(path, O_RDONLY);
  if (fd < 0)
    return 0; /* the kernel need not be allowed to read it */
  long bytes = CALL(__NR_read, fd, line, sizeof line - 1);
  CALL(__NR_close, fd);
  if (bytes < 2 || line[0] != '#' || line[1] != '!')
    return 0;
  line[bytes] = '\0';
  while (*end == ' ' || *end == '\t')
    end++;
  const char *interpreter = end;
  while (*end != '\0' && *end != ' ' && *end != '\t' && *end != '\n')
    end++;
  if (end == interpreter || (bytes == sizeof line - 1 && end == line + bytes))
    return 0; /* execve(2) says ENOEXEC, and execvp(3) takes the shell */
  *end = '\0';
  return is_executable(interpreter);
}

static long try_find(struct program *program) {
  MUST(is_executable(program->path));
  long result = check_interpreter(program->path);
  program->lacks_interpreter |= result == -ENOENT;
  return result;
}

static long try_execute(struct program *program) {
  char **argv = program->argv, **environment = program->environment;
  long result = CALL(__NR_execve, program->path, argv, environment);
  if (result != -ENOEXEC)
    return result;
  char *name = argv[0];
  argv[0] = program->path;
  argv[-1] = (char *)shell;
  result = CALL(__NR_execve, shell, argv - 1, environment);
  argv[0] = name;
  return result;
}

/* Where execvp(3) goes on to the next directory of PATH. */
static int is_missing(long result) {
  return result == -ENOENT || result == -ENOTDIR || result == -ESTALE ||
         result == -ENODEV || result == -ETIMEDOUT;
}

/* Tries what the name can be, until one of them is decided. */
static long search(struct program *program, const char *name,
                   long (*try)(struct program *program)) {
  size_t length = text_length(name);
  program->path[0] = '\0';
  if (length == 0)
    return -ENOENT;
  if (length >= PATH_BYTES)
    return -ENAMETOOLONG;
  for (const char *c = name; *c != '\0'; c++)
    if (*c == '/') {
      text_copy(program->path, name);
      return try(program);
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
      long result = try(program);
      if (result == -EACCES)
        worst = -EACCES; /* there, and no use: said if nothing better comes */
      else if (!is_missing(result))
        return result;
    }
    if (*end == '\0')
      return worst;
  }
}

long program_find(struct program *program, const char *name) {
  program->lacks_interpreter = 0;
  return search(program, name, try_find);
}

long program_execute(struct program *program) {
  return search(program, program->argv[0], try_execute);
}
