/* The program: its arguments, where it is, and becoming it. */
#ifndef NSPIN_PROGRAM_H
#define NSPIN_PROGRAM_H

#include "proc.h"

struct program {
  char **argv; /* ends with NULL; argv[-1] is free, for the shell below */
  char **environment;    /* also where PATH is looked up */
  int lacks_interpreter; /* a script that was found, of program_find() */
  char path[PATH_BYTES];
};

/*
 * argv = the words, each NUL-terminated, then those of the command line after
 * the first skip: the very bytes that execve was given, where the runtime's own
 * copy has replaced what is not UTF-8.
 */
long program_arguments(struct program *program, char **line, u64 skip,
                       const char *words, u64 word_count);

/*
 * Would execvp(3) find that name, here and now? path is then what it would
 * execute first. -ENOENT, also where a script's interpreter is missing, or
 * -EACCES.
 */
long program_find(struct program *program, const char *name);

/*
 * Becomes argv[0], as execvp(3) does: along PATH for as long as a file is not
 * there or may not be executed; a file without a format is a shell script.
 */
long program_execute(struct program *program);

#endif
