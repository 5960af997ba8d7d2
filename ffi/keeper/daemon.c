#include "../started.h"
#include "detach.h"

#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sysinfo.h>
#include <linux/wait.h>

long daemon_allocate(unsigned long bytes) {
  const unsigned long pages = 4096;
  bytes = (bytes + pages - 1) / pages * pages + DAEMON_STACK;
  long at = allocate(bytes);
  if (!is_error(at))
    ((struct daemon *)at)->bytes = bytes;
  return at;
}

_Noreturn void daemon_end(void) {
  for (;;)
    CALL(__NR_exit_group, 0);
}

/*
 * CLONE_VM where it is cheaper to share this process's memory than to copy it.
 * What is shared is the daemon's own from execve on, where this process gets
 * another one. But then the kernel looks through all processes of the host for
 * the next owner of what it leaves (mm_update_next_owner()): 0.14 us for each
 * on Linux 6.18, and none of them can fork meanwhile. A copy takes as long as
 * that does on a host with so many: 0.05 ms of a launcher, 0.35 ms of a
 * runtime.
 */
static unsigned long sharing(void) {
  const unsigned too_many = IS_LAUNCHER ? 350 : 2500;
  struct sysinfo host; /* its procs, of 16 bits, are threads: sysinfo(2) */
  long result = CALL(__NR_sysinfo, &host);
  return result == 0 && host.procs < too_many ? CLONE_VM : 0;
}

static long birth(struct daemon *daemon, void (*body)(void *daemon)) {
  char *end = (char *)daemon + daemon->bytes;
  return clone_onto(sharing() | CLONE_UNTRACED, end, body, daemon);
}

/*
 * The process between: shares all memory, to say what it did, and ends at once.
 * What the daemon shall not have goes here: the program would run by then, and
 * what the host unmounts, or somebody waits for the end of, must not be busy.
 */
static void make_orphan(void *data) {
  struct daemon *daemon = data;
  long result = daemon_detach(daemon);
  if (result == 0)
    result = birth(daemon, daemon->run);
  daemon->born = result;
  daemon_end();
}

static void run_detached(void *data) {
  struct daemon *daemon = data;
  if (daemon_detach(daemon) == 0)
    daemon->run(daemon);
  daemon_end();
}

/*
 * Of what ends, a parent is told by the signal that clone(2) was given, here
 * none, so that the program has no SIGCHLD pending. A process that has lost its
 * parent goes to the nearest subreaper; which this one must not be meanwhile.
 */
static long orphan(struct daemon *daemon) {
  char stack[4096] __attribute__((aligned(16)));
  int is_subreaper = 0;
  CALL(__NR_prctl, PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0);
  if (is_subreaper)
    MUST(CALL(__NR_prctl, PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
  long between = clone_onto(CLONE_VM | CLONE_VFORK | CLONE_UNTRACED,
                            stack + sizeof stack, make_orphan, daemon);
  if (between > 0)
    CALL(__NR_wait4, between, 0, __WCLONE, 0);
  if (is_subreaper)
    MUST(CALL(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
  return between < 0 ? between : daemon->born;
}

long daemon_start(struct daemon *daemon) {
  u64 all = ~0ULL, mask;
  daemon->born = -EAGAIN; /* also where the one between is killed */
  MUST(CALL(__NR_rt_sigprocmask, SIG_SETMASK, &all, &mask, SIGNAL_MASK_BYTES));
  long result =
      CALL(__NR_getpid) == 1 ? birth(daemon, run_detached) : orphan(daemon);
  MUST(CALL(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, SIGNAL_MASK_BYTES));
  return result < 0 ? result : 0;
}
