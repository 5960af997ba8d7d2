/*
 * What this process was started with, which is what its program shall get. The
 * Bun runtime changes part of it before JavaScript runs, and keeps no copy: so
 * the entry guard (guard/guard.c) fills the record before that.
 */
#ifndef NSPIN_STARTED_H
#define NSPIN_STARTED_H

#include "proc.h"

#include <linux/resource.h>

/*
 * The limits that can stop the runtime from starting, L(name, least): what it
 * starts with, measured (Bun 1.4.5) and a little more. A lower one is raised
 * until execve. NOFILE is also here because Bun always raises it.
 */
#define GUARD_LIMITS(L)                                                        \
  L(AS, 2560ULL << 20)                                                         \
  L(DATA, 2304ULL << 20)                                                       \
  L(STACK, 256ULL << 10)                                                       \
  L(NOFILE, 16)

#define GUARD_LIMIT(name, least) GUARD_##name,
enum { GUARD_LIMITS(GUARD_LIMIT) GUARD_LIMIT_COUNT };

struct launch;
struct target;

struct record {
  char **arguments, **environment; /* as execve(2) was given them */
  long (*aside)(unsigned what, struct launch *launch, struct target *target,
                void *more, const char *name); /* aside.h; or NULL */
  void *environment_end; /* behind which the kernel laid the auxiliary vector */
  u64 ignored, mask, pending; /* signals: bit N - 1 is signal N */
  struct rlimit64 limits[GUARD_LIMIT_COUNT];
  long
      directory; /* open at the working directory where it has no path; or -1 */
  long object;   /* the sequence's own file, which is loaded by now; or -1 */
  unsigned *descriptors;
  u64 descriptor_count;
};

/* As the calling thread has them now; 0 or -errno. */
long started_descriptors(struct record *record); /* those without FD_CLOEXEC */
long started_signals(struct record *record);
long started_limits(struct record *record);

/*
 * Arguments, environment and auxiliary vector as /proc/self has them, for who
 * has not seen the stack that execve(2) laid out.
 */
long started_words(struct record *record);

struct signal_action { /* rt_sigaction(2), all 0: SIG_DFL */
  u64 handler, flags, restorer, mask;
};
#define SIGNALS 64
#define SIGNAL_MASK_BYTES 8

#endif
