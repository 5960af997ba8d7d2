/*
 * A process beside the program, as daemon(7) has it: no child of the program,
 * in a session of its own, without any of the program's descriptors; and
 * without the memory of the runtime that it comes from.
 */
#ifndef NSPIN_DAEMON_H
#define NSPIN_DAEMON_H

#include "../proc.h"

#include <stddef.h>

/* A launcher has few pages, and starts nothing beside what runs already. */
#ifdef NSPIN_LAUNCHER
enum { IS_LAUNCHER = 1 };
#else
enum { IS_LAUNCHER = 0 };
#endif

#define DAEMON_STACK (128 << 10) /* bytes, of which few are used */

/* Memory that the process keeps, from its first byte: its stack is at the end.
 */
struct daemon {
  unsigned long bytes;
  /*
   * The end of a pipe whose other end, close-on-exec, the process that starts
   * it has: POLLHUP once that does not run in this memory any more. Then -1.
   */
  long starter;
  void (*run)(void *daemon);
  long born;             /* its number, or -errno: the process between says */
  unsigned capabilities; /* that it keeps, of the first 32: a bit each */
  const long *files;     /* descriptors that it keeps; some are none, -1 */
  size_t file_count;
  char name[16];   /* prctl(2), PR_SET_NAME */
  char words[256]; /* its command line, each word NUL-terminated */
  size_t word_bytes;
};

/* Zeroed, for a struct that begins with a struct daemon; address or -errno. */
long daemon_allocate(unsigned long bytes);

/*
 * Starts it, in daemon->run(daemon), which never returns; *daemon is its own
 * from then on. From its first moment it has nothing of this process's but its
 * memory, detach.h. Its parent is process 1 or the nearest child subreaper,
 * prctl(2), above this process; where this is process 1, its child, but one
 * that wait(2) does not tell of. 0, or -errno, after which this process has to
 * end: it can have been started, and ends then, too.
 */
long daemon_start(struct daemon *daemon);

/* By itself: the end. */
_Noreturn void daemon_end(void);

#endif
