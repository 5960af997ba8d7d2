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
 * Shared memory is the daemon's own once this process goes on in another one,
 * at execve; where the kernel then looks through all processes of the host for
 * who owns it from then on (mm_update_next_owner()), 0.14 us for each on Linux
 * 6.18, and none of them can fork meanwhile. To copy it takes as long as that
 * for so many.
 */
static unsigned long memory(void) {
  const unsigned as_many = IS_LAUNCHER ? 350 : 2500;
  struct sysinfo host; /* its procs: threads, sysinfo(2) */
  long result = CALL(__NR_sysinfo, &host);
  return result == 0 && host.procs < as_many ? CLONE_VM : 0;
}

static long birth(struct daemon *daemon, void (*body)(void *daemon)) {
  char *end = (char *)daemon + daemon->bytes;
  return clone_onto(memory() | CLONE_UNTRACED, end, body, daemon);
}

/*
 * The process between: shares all memory, to say what it did, and ends at once.
 * What the daemon shall not have goes here: the program would run by then, and
 * what the host unmounts, or somebody waits for the end of, must not be busy.
 */
static void make_orphan(void *data) {
  struct daemon *daemon = data;
  daemon->born = daemon_detach(daemon);
  if (daemon->born == 0)
    daemon->born = birth(daemon, daemon->run);
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
