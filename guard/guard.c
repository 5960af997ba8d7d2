/*
 * The entry guard: runs after ld.so and before the runtime's first instruction.
 * Records what that will change, takes from its sight the environment, which
 * can make it run code as root (BUN_OPTIONS and others), and where the runtime
 * would die with a text of its own, mends that or says so in a line of ours.
 */
#include "guard.h"
#include "../ffi/errors.h"
#include "../ffi/secure.h"

#include <asm/signal.h>

/*
 * All that the runtime and nspin's own JavaScript get to see. Not a list of
 * what is dangerous: the next release of the runtime may read more.
 */
static const char *const shown[] = {"PATH=", "TERM=", "NO_COLOR="};

static char *error_text(char *to, long error) {
#define ERROR(name, text)                                                      \
  case name:                                                                   \
    return text_copy(to, text " (" #name ")");
  switch (error) { ERRORS(ERROR) }
  return text_number(text_copy(to, "errno "), (u64)error);
}

/* As ffi/report.c does it. */
static _Noreturn void refuse(const char *what, long result, const char *hint) {
  enum { STDERR = 2, CANNOT = 125 };
  char text[512];
  char *end = text_copy(text_copy(text, "nspin: cannot "), what);
  end = error_text(text_copy(end, ": "), -result);
  end = text_copy(text_copy(text_copy(end, "\nnspin: hint: "), hint), "\n");
  CALL(__NR_write, STDERR, text, end - text);
  for (;;)
    CALL(__NR_exit_group, CANNOT);
}

static const char no_memory[] = "the process may not map more memory";

static void record_signals(struct record *record) {
  struct signal_action action;
  for (int signal = 1; signal <= SIGNALS; signal++)
    if (CALL(__NR_rt_sigaction, signal, 0, &action, SIGNAL_MASK_BYTES) == 0 &&
        action.handler == (u64)SIG_IGN)
      record->ignored |= 1ULL << (signal - 1);
  CALL(__NR_rt_sigprocmask, SIG_BLOCK, 0, &record->mask, SIGNAL_MASK_BYTES);
  CALL(__NR_rt_sigpending, &record->pending, SIGNAL_MASK_BYTES);
}

static const int limit_numbers[] = {
#define NUMBER(name, least) RLIMIT_##name,
    GUARD_LIMITS(NUMBER)};

static void record_limits(struct record *record) {
  for (int i = 0; i < GUARD_LIMIT_COUNT; i++)
    CALL(__NR_prlimit64, 0, limit_numbers[i], 0, &record->limits[i]);
}

static void raise_limits(const struct record *record) {
#define NEED(name, least) {least, "raise RLIMIT_" #name " to "},
  static const struct {
    u64 least;
    char what[28];
  } needs[] = {GUARD_LIMITS(NEED)};
  for (int i = 0; i < GUARD_LIMIT_COUNT; i++) {
    const struct rlimit64 *found = &record->limits[i];
    u64 hard = found->rlim_max;
    if (found->rlim_cur >= needs[i].least)
      continue;
    if (hard < needs[i].least)
      hard = needs[i].least; /* root may */
    struct rlimit64 raised = {hard, hard};
    long result = CALL(__NR_prlimit64, 0, limit_numbers[i], &raised, 0);
    char what[64];
    text_number(text_copy(what, needs[i].what), needs[i].least);
    if (result < 0)
      refuse(what, result, "the runtime does not start with less");
  }
}

/*
 * What JavaScriptCore asks for, without which there is no bun:ffi. Tried, not
 * asked: prctl(PR_SET_MDWE), seccomp, SELinux and vm.overcommit_memory=2 each
 * have their own way of refusing it.
 */
static void check_memory(void) {
  enum { JIT_BYTES = 1 << 30 };
  long at = CALL(__NR_mmap, 0, JIT_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (is_error(at))
    refuse("map 1 GiB of memory writable and executable", at,
           at == -ENOMEM ? no_memory
                         : "the runtime compiles JavaScript: start it without "
                           "MemoryDenyWriteExecute=");
  CALL(__NR_munmap, at, JIT_BYTES);
}

static void count(long fd, void *counted) {
  (void)fd;
  ++*(u64 *)counted;
}

static void append(long fd, void *data) {
  struct record *record = data;
  record->descriptors[record->descriptor_count++] = (unsigned)fd;
}

static void list_descriptors(void (*visit)(long fd, void *data), void *data) {
  long result = each_number("/proc/self/fd", visit, data);
  if (result < 0)
    refuse("list /proc/self/fd", result,
           result == -ENOENT ? "mount the proc file system on /proc"
                             : "it lists what the program shall inherit");
}

/*
 * The runtime does not start in a directory that was removed, or that lies too
 * deep for getcwd(2).
 */
static long leave_unnamed_directory(void) {
  char path[PATH_BYTES];
  if (CALL(__NR_getcwd, path, sizeof path) > 0)
    return -1;
  long here = CALL(__NR_openat, AT_FDCWD, ".", O_PATH | O_CLOEXEC);
  if (here < 0)
    refuse("open the working directory", here, "it has no path: leave it");
  CALL(__NR_chdir, "/");
  return here;
}

static int is_shown(const char *entry) {
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
    if (text_starts(entry, shown[i]))
      return 1;
  return 0;
}

/*
 * The array's length stays, since the auxiliary vector is looked for behind it;
 * and so do the strings, /proc/PID/environ.
 */
static void hide(char **environment) {
  for (; *environment != NULL; environment++)
    if (!is_shown(*environment))
      *environment = (char *)"";
}

/* JavaScriptCore takes SIGPWR, and says so on stderr where it was ignored. */
static void reset_signal(void) {
  static const struct signal_action by_default;
  CALL(__NR_rt_sigaction, SIGPWR, &by_default, 0, SIGNAL_MASK_BYTES);
}

/* All that the tests of dist/nspin.unguarded show the need of. */
static void protect(struct record *record, char **environment) {
  long secure = secure_check(record->environment_end);
  if (secure < 0)
    refuse("run setuid, setgid or with file capabilities", secure,
           "start it as root, for example with sudo");
  raise_limits(record);
  check_memory();
  reset_signal();
  record->directory = leave_unnamed_directory();
  hide(environment);
}

#define DECLARE(name) extern const char name[];
ENTRIES(DECLARE)

static void record_entries(struct record *record) {
#define ADDRESS(name) record->entries[ENTRY_##name] = (u64)name;
  ENTRIES(ADDRESS)
}

/* stack: argc, argv, NULL, envp, NULL, auxv, as the kernel laid it out. */
void guard_record(u64 *stack) {
  char **environment = (char **)stack + 1 + stack[0] + 1;
  struct record *record = (struct record *)GUARD_RECORD;
  long at = CALL(__NR_mmap, record, sizeof *record, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (at != (long)record) /* Linux before 4.17 takes it for a mere wish */
    refuse("map the entry guard's record", is_error(at) ? at : -EEXIST,
           no_memory);

  u64 descriptors = 0;
  list_descriptors(count, &descriptors);
  size_t entries = 1;
  while (environment[entries - 1] != NULL)
    entries++;
  size_t bytes = entries * sizeof *record->environment +
                 descriptors * sizeof *record->descriptors;
  long lists = allocate(bytes);
  if (is_error(lists))
    refuse("record descriptors and environment", lists, no_memory);
  record->arguments = (char **)stack + 1;
  record->environment = (char **)lists;
  record->environment_end = environment + entries;
  for (size_t i = 0; i < entries; i++)
    record->environment[i] = environment[i];
  record->descriptors = (unsigned *)(record->environment + entries);
  list_descriptors(append, record);
  record_entries(record);
  record_signals(record);
  record_limits(record);
  record->directory = -1;
#ifndef UNGUARDED
  protect(record, environment);
#else
  (void)protect;
#endif
  CALL(__NR_mprotect, lists, bytes, PROT_READ);
  CALL(__NR_mprotect, record, sizeof *record, PROT_READ);
}
