#include "inherit.h"

#include <asm/signal.h>

long inherit_directory(const struct record *record) {
  return record->directory < 0 ? 0 : CALL(__NR_fchdir, record->directory);
}

/* EBADF: a thread of the runtime has closed it since it was listed. */
static void close_on_exec(long fd, void *result) {
  long marked = CALL(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC);
  if (marked < 0 && marked != -EBADF)
    *(long *)result = marked;
}

long inherit_descriptors(const struct record *record) {
  long result = 0, object = record->object;
  close_file(&object);
  MUST(each_number("/proc/self/fd", close_on_exec, &result));
  MUST(result);
  for (u64 i = 0; i < record->descriptor_count; i++)
    MUST(CALL(__NR_fcntl, record->descriptors[i], F_SETFD, 0));
  return 0;
}

long inherit_signals(const struct record *record) {
  static const struct signal_action ignore = {.handler = (u64)SIG_IGN},
                                    by_default;
  for (int signal = 1; signal <= SIGNALS; signal++) {
    int is_ignored = record->ignored >> (signal - 1) & 1;
    struct signal_action now;
    MUST(CALL(__NR_rt_sigaction, signal, 0, &now, SIGNAL_MASK_BYTES));
    if (is_ignored != (now.handler == (u64)SIG_IGN))
      MUST(CALL(__NR_rt_sigaction, signal, is_ignored ? &ignore : &by_default,
                0, SIGNAL_MASK_BYTES));
  }
  MUST(CALL(__NR_rt_sigprocmask, SIG_SETMASK, &record->mask, 0,
            SIGNAL_MASK_BYTES));
  u64 pending;
  MUST(CALL(__NR_rt_sigpending, &pending, SIGNAL_MASK_BYTES));
  for (int signal = 1; signal <= SIGNALS; signal++)
    if ((record->pending & ~pending) >> (signal - 1) & 1)
      MUST(CALL(__NR_kill, CALL(__NR_getpid), signal));
  return 0;
}

long inherit_limits(struct rlimit64 limits[GUARD_LIMIT_COUNT]) {
#define NUMBER(name, least) RLIMIT_##name,
  static const int numbers[] = {GUARD_LIMITS(NUMBER)};
  for (int i = 0; i < GUARD_LIMIT_COUNT; i++) {
    struct rlimit64 wanted = limits[i];
    MUST(CALL(__NR_prlimit64, 0, numbers[i], &wanted, &limits[i]));
  }
  return 0;
}
