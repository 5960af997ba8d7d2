/*
 * What the entry guard records, and the pinned sequence gives back: the state
 * that execve(2) started this process with. The Bun runtime changes part of it
 * before JavaScript runs, and keeps no copy.
 */
#ifndef NSPIN_GUARD_H
#define NSPIN_GUARD_H

#include "../ffi/entries.h"
#include "../ffi/proc.h"
#include "address.h"

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

struct record {
  u64 entries[ENTRY_COUNT];   /* where the command line finds the sequence */
  u64 ignored, mask, pending; /* signals: bit N - 1 is signal N */
  struct rlimit64 limits[GUARD_LIMIT_COUNT];
  long
      directory; /* open at the working directory where it has no path; or -1 */
  u64 descriptor_count;
  unsigned *descriptors;
  char **arguments, **environment; /* as execve(2) was given them */
  void *environment_end; /* behind which the kernel laid the auxiliary vector */
};

struct signal_action { /* rt_sigaction(2), all 0: SIG_DFL */
  u64 handler, flags, restorer, mask;
};
#define SIGNALS 64
#define SIGNAL_MASK_BYTES 8

#endif
