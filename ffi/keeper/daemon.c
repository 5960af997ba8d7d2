#include "daemon.h"
#include "../started.h"

#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>

long daemon_allocate(unsigned long bytes) {
  const unsigned long pages = 4096;
  bytes = (bytes + pages - 1) / pages * pages + DAEMON_STACK;
  long at = allocate(bytes);
  if (!is_error(at))
    ((struct daemon *)at)->bytes = bytes;
  return at;
}

struct birth {
  struct daemon *daemon;
  void (*run)(void *daemon);
  long result;
};

static long birth_of(const struct birth *birth) {
  char *end = (char *)birth->daemon + birth->daemon->bytes;
  return clone_onto(CLONE_UNTRACED, end, birth->run, birth->daemon);
}

/* The process between: shares all memory, and ends at once. */
static void make_orphan(void *data) {
  struct birth *birth = data;
  long result = birth_of(birth);
  birth->result = result;
  for (;;)
    CALL(__NR_exit_group, 0);
}

/*
 * Of what ends, a parent is told by the signal that clone(2) was given, here
 * none, so that the program has no SIGCHLD pending. A process that has lost its
 * parent goes to the nearest subreaper; which this one must not be meanwhile.
 */
static long orphan(struct birth *birth) {
  char stack[2048] __attribute__((aligned(16)));
  int is_subreaper = 0;
  CALL(__NR_prctl, PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0);
  if (is_subreaper)
    MUST(CALL(__NR_prctl, PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
  long between = clone_onto(CLONE_VM | CLONE_VFORK | CLONE_UNTRACED,
                            stack + sizeof stack, make_orphan, birth);
  if (between > 0)
    CALL(__NR_wait4, between, 0, __WCLONE, 0);
  if (is_subreaper)
    MUST(CALL(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  return between < 0 ? between : birth->result;
}

long daemon_start(struct daemon *daemon, void (*run)(void *daemon)) {
  struct birth birth = {.daemon = daemon, .run = run, .result = -EAGAIN};
  u64 all = ~0ULL, mask;
  MUST(CALL(__NR_rt_sigprocmask, SIG_SETMASK, &all, &mask, SIGNAL_MASK_BYTES));
  long result = CALL(__NR_getpid) == 1 ? birth_of(&birth) : orphan(&birth);
  MUST(CALL(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, SIGNAL_MASK_BYTES));
  return result < 0 ? result : 0;
}
