/*
 * The entry guard: runs after ld.so and before the runtime's first instruction.
 * Records what that will change, takes from its sight the environment, which
 * can make it run code as root (BUN_OPTIONS and others), and where the runtime
 * would die with a text of its own, mends that or says so in a line of ours.
 */
#include "../errors.h"
#include "../secure.h"
#include "../started.h"
#include "object.h"
#include "start-pages.h"

#include <asm/signal.h>

/*
 * All that the runtime and nspin's own JavaScript get to see. Not a list of
 * what is dangerous: the next release of the runtime may read more.
 */
static const char *const shown[] = {"PATH=", "TERM=", "NO_COLOR="};

/*
 * And what the runtime is told, in the place of what is hidden: to start no
 * thread while it loads and compiles. It would end with a text of its own
 * where none can be made: pids.max, RLIMIT_NPROC, unshare(CLONE_NEWPID).
 */
static const char *const told[] = {"BUN_JSC_useConcurrentJIT=0",
                                   "BUN_JSC_useWarmUpMarkedBlocks=0"};

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

static const int limit_numbers[] = {
#define NUMBER(name, least) RLIMIT_##name,
    GUARD_LIMITS(NUMBER)};

static void raise_limits(const struct record *record) {
#define NEED(name, least) {least, "raise RLIMIT_" #name " to "},
  static const struct {
    u64 least;
    char what[28];
  } needs[] = {GUARD_LIMITS(NEED)};
  for (int i = 0; i < GUARD_LIMIT_COUNT; i++) {
    const struct rlimit64 *found = &record->limits[i];
    u64 hard = found->rlim_max;
    /* Of descriptors as many as there can be: some are taken already. */
    if (found->rlim_cur >= needs[i].least && i != GUARD_NOFILE)
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

/* Where every mapping counts, MAP_NORESERVE or not: proc_sys_vm(5). */
static int is_overcommit_off(void) {
  char mode = 0;
  long fd = CALL(__NR_openat, AT_FDCWD, "/proc/sys/vm/overcommit_memory",
                 O_RDONLY | O_CLOEXEC);
  CALL(__NR_read, fd, &mode, sizeof mode);
  CALL(__NR_close, fd);
  return mode == '2';
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
           at != -ENOMEM ? "the runtime compiles JavaScript: start it without "
                           "MemoryDenyWriteExecute="
           : is_overcommit_off()
               ? "the sysctl vm.overcommit_memory=2 counts it, used or not: "
                 "allow more, or start what 'nspin bake' writes, without it"
               : no_memory);
  CALL(__NR_munmap, at, JIT_BYTES);
}

/*
 * The runtime does not start in a directory that was removed, or that lies too
 * deep for getcwd(2), or on a mount that was lazily unmounted: of that
 * getcwd(2) says "(unreachable)/...".
 */
static long leave_unnamed_directory(void) {
  char path[PATH_BYTES];
  if (CALL(__NR_getcwd, path, sizeof path) > 0 && path[0] == '/')
    return -1;
  long here = CALL(__NR_openat, AT_FDCWD, ".", O_PATH | O_CLOEXEC);
  if (here < 0)
    refuse("open the working directory", here, "it has no path: leave it");
  CALL(__NR_chdir, "/");
  return here;
}

/*
 * The runtime opens /dev/null where stdio is closed, and ends where it cannot.
 * On what is opened here instead, reading and writing fails as on nothing. And
 * so no descriptor of ours, the object's for one, takes the place of stdio.
 */
static void fill_stdio(void) {
  enum { STDERR = 2 };
  for (int fd = 0; fd <= STDERR; fd++) {
    if (CALL(__NR_fcntl, fd, F_GETFD) >= 0)
      continue;
    if (CALL(__NR_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC) < 0)
      CALL(__NR_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC);
  }
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
  size_t next = 0;
  for (; *environment != NULL; environment++)
    if (!is_shown(*environment))
      *environment =
          (char *)(next < sizeof told / sizeof *told ? told[next++] : "");
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
  fill_stdio();
  record->directory = leave_unnamed_directory();
  hide(environment);
}

static void record_descriptors(struct record *record) {
  long result = started_descriptors(record);
  if (result < 0)
    refuse("list /proc/self/fd", result,
           result == -ENOENT ? "mount the proc file system on /proc"
                             : "it lists what the program shall inherit");
}

/* What guard_record leaves in memory that nobody writes any more. */
struct kept {
  struct record record;
  char handed_over[FD_PATH_BYTES + 1 + NUMBER_BYTES];
  char *words[]; /* of the record: arguments, NULL, environment, NULL */
};

/*
 * To src/library.ts, as argv[0] (process.argv0), for which the runtime has no
 * use: "OBJECT RECORD", the path of the object, or its address where there is
 * no file; and the address of the record.
 */
static void hand_over(struct kept *kept, char **argv0) {
  long file = object_open();
  if (file < 0)
    text_number(kept->handed_over, (u64)object);
  else
    fd_path(kept->handed_over, kept->record.object = file);
  char *end = kept->handed_over + text_length(kept->handed_over);
  text_number(text_copy(end, " "), (u64)&kept->record);
  *argv0 = kept->handed_over;
}

static u64 copy_words(char **to, char **from) {
  u64 count = 0;
  do
    to[count] = from[count];
  while (from[count++] != NULL);
  return count;
}

/* stack: argc, argv, NULL, envp, NULL, auxv, as the kernel laid it out. */
void guard_record(u64 *stack) {
  char **arguments = (char **)stack + 1, **environment = arguments + *stack + 1;
  char **end = environment;
  while (*end++ != NULL)
    ;
  if (*stack == 0)
    refuse("read the arguments", -EINVAL, "it was started without argv[0]");
  start_pages_ask(arguments[1]);
  u64 bytes = sizeof(struct kept) + (u64)(end - arguments) * sizeof *arguments;
  long at = allocate(bytes);
  if (is_error(at))
    refuse("record the environment", at, no_memory);
  struct kept *kept = (struct kept *)at;
  struct record *record = &kept->record;
  record->arguments = kept->words;
  record->environment = kept->words + copy_words(kept->words, arguments);
  copy_words(record->environment, environment);
  record->environment_end = end;
  record_descriptors(record);
  long result = started_signals(record);
  if (result == 0)
    result = started_limits(record);
  if (result < 0)
    refuse("look up signals and limits", result,
           "the program shall have them as they were: a seccomp filter refuses "
           "it");
  record->directory = record->object = -1;
  record->aside = (long (*)(unsigned, struct launch *, struct target *, void *,
                            const char *))aside_entry();
#ifndef UNGUARDED
  protect(record, environment);
#else
  (void)protect;
#endif
  hand_over(kept, arguments);
  CALL(__NR_mprotect, at, bytes, PROT_READ);
}
