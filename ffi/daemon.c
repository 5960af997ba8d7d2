#include "daemon.h"
#include "started.h"

#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/capability.h>
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

/* /proc/self/ns/pid_for_children is not there before the first child. */
int daemon_is_possible(void) {
  u64 own = file_inode("/proc/self/ns/pid");
  return own != 0 && own == file_inode("/proc/self/ns/pid_for_children");
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

static void drop_capabilities(u64 kept) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  if (CALL(__NR_capget, &header, sets) < 0)
    return;
  for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
    sets[i].effective &= (unsigned)(kept >> (32 * i));
    sets[i].permitted &= (unsigned)(kept >> (32 * i));
    sets[i].inheritable = 0;
  }
  CALL(__NR_capset, &header, sets);
}

/*
 * What ps(1) shows. Without CONFIG_CHECKPOINT_RESTORE it is the short name
 * alone, as the stack with the words of the command line goes.
 */
static void set_name(const struct daemon *daemon) {
  u64 at = (u64)daemon, words = (u64)daemon->words;
  struct prctl_mm_map map = {
      .start_code = at,
      .end_code = at + 1,
      .start_data = at,
      .end_data = at,
      .start_brk = at + 1,
      .brk = at + 1,
      .start_stack = at + daemon->bytes,
      .arg_start = words,
      .arg_end = words + daemon->word_bytes,
      .env_start = words + daemon->word_bytes,
      .env_end = words + daemon->word_bytes,
      .exe_fd = (unsigned)-1,
  };
  CALL(__NR_prctl, PR_SET_NAME, daemon->name, 0, 0, 0);
  CALL(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
}

static int is_kept(const struct daemon *daemon, long fd) {
  const size_t files = sizeof daemon->files / sizeof *daemon->files;
  for (size_t i = 0; i < files; i++)
    if (daemon->files[i] == fd)
      return 1;
  for (size_t i = 0; i < daemon->more_count; i++)
    if (daemon->more[i] == fd)
      return 1;
  return 0;
}

static void close_other(long fd, void *data) {
  if (!is_kept(data, fd))
    CALL(__NR_close, fd);
}

static void unmap(u64 from, u64 to) {
  if (from < to)
    CALL(__NR_munmap, from, to - from);
}

/*
 * All but its own memory, the mapping of this code, and that of the thread's
 * own data, which the kernel writes to as long as rseq(2) is registered.
 */
static void unmap_others(const struct daemon *daemon) {
  struct reader maps;
  char range[64], word[16];
  const u64 at = (u64)daemon, end = at + daemon->bytes;
  const u64 code = (u64)unmap_others, data = thread_pointer();
  if (read_open(&maps, "/proc/self/maps") < 0)
    return;
  for (long byte = ' '; byte >= 0;) { /* FROM-TO PERMISSIONS... */
    byte = read_word(&maps, range, sizeof range);
    const char *dash = range;
    while (*dash != '-' && *dash != '\0')
      dash++;
    while (byte == ' ')
      byte = read_word(&maps, word, sizeof word);
    if (*dash == '\0')
      break;
    u64 from = text_value(range, 16), to = text_value(dash + 1, 16);
    if ((from <= code && code < to) || (from <= data && data < to))
      continue;
    unmap(from, to < at ? to : at);
    unmap(from > end ? from : end, to);
  }
  read_close(&maps);
}

void daemon_detach(const struct daemon *daemon, u64 capabilities) {
  CALL(__NR_setsid);
  CALL(__NR_chdir, "/");
  set_name(daemon);
  each_number("/proc/self/fd", close_other, (void *)daemon);
  unmap_others(daemon);
  drop_capabilities(capabilities);
}
