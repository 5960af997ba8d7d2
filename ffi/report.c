#include "report.h"
#include "../dist/texts.h" /* by build/texts.ts */
#include "message.h"

#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/magic.h>
#include <linux/stat.h>

enum object {
  OBJECT_NONE,
  OBJECT_COMMAND,
  OBJECT_PROGRAM,
  OBJECT_NETNS,
  OBJECT_ETC,
  OBJECT_RESOLV_CONF,
  OBJECT_SOURCE,
  OBJECT_TARGET,
  OBJECT_BIND,
  OBJECT_METHOD,
  OBJECT_LOCK,
  OBJECT_USED
};

/*
 * Texts one behind the other, each with its NUL: pointers would be as long.
 * They are coded, as say() decodes them.
 */
#define OBJECT(name, fails, object, does) OBJECT_##object,
static const char verbs[] = CODED_VERBS;
static const unsigned char objects[] = {LAUNCH_STEPS(OBJECT)};

/* Of a decision only those that refuse are said here. */
static const char reasons[] = CODED_REASONS;

#define HINT(step, error, when, text) {STEP_##step, error, HINT_##when},
#ifdef NSPIN_LAUNCHER
#define OWN_HINTS LAUNCHER_HINTS
#define CODED_OWN_HINTS CODED_LAUNCHER_HINTS
#else
#define OWN_HINTS COMMAND_HINTS
#define CODED_OWN_HINTS CODED_COMMAND_HINTS
#endif
enum { STEP_ANY = STEP_NONE };
enum hint_when {
  HINT_ALWAYS,
  HINT_ENTRY,
  HINT_PLACEHOLDER,
  HINT_DANGLING,
  HINT_SCRIPT,
  HINT_FILTERED,
  HINT_NO_NETNS
};
static const struct {
  unsigned char step, error, when;
} hints[] = {OWN_HINTS(HINT) HINTS(HINT)};
static const char hint_texts[] = CODED_OWN_HINTS CODED_HINTS;

static const char methods[] = CODED_METHODS;

#define SENTENCE(name, text) SAY_##name,
enum sentence { SENTENCES(SENTENCE) };
static const char sentences[] = CODED_SENTENCES;

#define LENGTH(table) (sizeof(table) / sizeof *(table))

/* Where nobody reads stderr any more, the status still says what it shall. */
static void write_line(struct message *message) {
  enum { STDERR = 2 };
  u64 pipe = 1ULL << (SIGPIPE - 1), mask;
  struct {
    long seconds, nanoseconds;
  } now = {0, 0};
  put(message, '\n');
  CALL(__NR_rt_sigprocmask, SIG_BLOCK, &pipe, &mask, SIGNAL_MASK_BYTES);
  if (CALL(__NR_write, STDERR, message->text, message->length) == -EPIPE)
    CALL(__NR_rt_sigtimedwait, &pipe, 0, &now, SIGNAL_MASK_BYTES);
  CALL(__NR_rt_sigprocmask, SIG_SETMASK, &mask, 0, SIGNAL_MASK_BYTES);
}

static void say_sentence(struct message *message, enum sentence sentence) {
  say(message, nth(sentences, sentence));
}

static void say_method(struct message *message, u64 method) {
  size_t row = 0;
  for (; method > 1 && row < 3; method >>= 1)
    row++;
  say(message, nth(methods, row));
}

static void say_object(struct message *message, const struct launch *launch,
                       const struct program *program) {
  const struct cover *cover =
      (const struct cover *)launch->covers + launch->failed_cover;
  switch ((enum object)objects[launch->failed_step - 1]) {
  case OBJECT_NONE:
    return;
  case OBJECT_COMMAND:
    return say_name(message, program->argv[0]);
  case OBJECT_PROGRAM:
    return say_name(message, program->argv[launch->command_words]);
  case OBJECT_NETNS:
    return say_name(message, (const char *)launch->netns);
  case OBJECT_ETC:
    return say_name(message, (const char *)launch->etc);
  case OBJECT_RESOLV_CONF:
    say_name(message, (const char *)launch->etc);
    return say(message, "/resolv.conf");
  case OBJECT_SOURCE:
    return say_name(message, (const char *)cover->source);
  case OBJECT_BIND:
    say_name(message, (const char *)cover->source);
    say(message, " over ");
    return say_name(message, (const char *)cover->target);
  case OBJECT_METHOD:
    say_method(message, launch->method);
    say(message, " on ");
    return say_name(message, (const char *)cover->target);
  case OBJECT_TARGET:
    return say_name(message, (const char *)cover->target);
  case OBJECT_LOCK:
    return say_name(message, (const char *)launch->lock);
  case OBJECT_USED:
    say_name(message, (const char *)cover->target);
    if (launch->failed_process == 0)
      return; /* it could not be looked for */
    say_sentence(message, SAY_USED_BY);
    say_number(message, launch->failed_process);
    return say_sentence(message, SAY_RELIES);
  }
}

/* In mode 2 a filter decides, seccomp(2); proc_pid_status(5). */
static int has_seccomp_filter(void) {
  struct reader status;
  char word[16];
  long end = read_open(&status, "/proc/self/status");
  if (end < 0)
    return 0;
  do
    end = read_word(&status, word, sizeof word);
  while (end >= 0 && !text_equal(word, "Seccomp:"));
  read_word(&status, word, sizeof word);
  read_close(&status);
  return end >= 0 && text_equal(word, "2");
}

static int is_link(const char *path) {
  struct stat status;
  return CALL(__NR_newfstatat, AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) ==
             0 &&
         (status.st_mode & S_IFMT) == S_IFLNK;
}

/*
 * As ip-netns(8) makes it, to mount the namespace on. A namespace of another
 * kind that is mounted there is an empty file as well.
 */
static int is_placeholder(const char *path) {
  struct stat status;
  struct statfs filesystem;
  return text_starts(path, "/run/netns/") &&
         CALL(__NR_newfstatat, AT_FDCWD, path, &status, 0) == 0 &&
         (status.st_mode & S_IFMT) == S_IFREG && status.st_size == 0 &&
         CALL(__NR_statfs, path, &filesystem) == 0 &&
         filesystem.f_type != NSFS_MAGIC;
}

static int applies(enum hint_when when, const struct launch *launch,
                   const struct program *program) {
  const struct cover *cover =
      (const struct cover *)launch->covers + launch->failed_cover;
  switch (when) {
  case HINT_ENTRY:
    return cover->is_entry != 0;
  case HINT_PLACEHOLDER:
    return is_placeholder((const char *)launch->netns);
  case HINT_DANGLING:
    return is_link((const char *)launch->netns);
  case HINT_SCRIPT:
    return program->lacks_interpreter;
  case HINT_FILTERED:
    return has_seccomp_filter();
  case HINT_NO_NETNS:
#ifdef NSPIN_LAUNCHER
    return launch->netns_argument != 0 && launch->netns == 0;
#endif
  case HINT_ALWAYS:
    break;
  }
  return 1;
}

/* An empty one is the next that is not, as build/texts.ts leaves them out. */
static const char *hint_text(size_t row) {
  const char *text = nth(hint_texts, row);
  while (*text == '\0')
    text++;
  return text;
}

static const char *hint_of(const struct launch *launch,
                           const struct program *program) {
  const struct cover *cover =
      (const struct cover *)launch->covers + launch->failed_cover;
  if (launch->failed_step == STEP_DECIDE &&
      launch->failed_errno == EOPNOTSUPP && cover->decision > 0)
    return nth(reasons, cover->decision - 1);
  for (size_t i = 0; i < LENGTH(hints); i++)
    if ((hints[i].step == STEP_ANY || hints[i].step == launch->failed_step) &&
        hints[i].error == launch->failed_errno &&
        applies((enum hint_when)hints[i].when, launch, program))
      return hint_text(i);
  return NULL;
}

static unsigned status_of(const struct launch *launch) {
  enum { CANNOT = 125, NOT_EXECUTABLE, NOT_FOUND };
  int is_of_program = launch->failed_step == STEP_FIND ||
                      (launch->failed_step == STEP_EXECUTE &&
                       !launch->by_command && launch->failed_errno != E2BIG);
  if (!is_of_program)
    return CANNOT;
  return launch->failed_errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

unsigned report(const struct launch *launch, const struct program *program) {
  struct message message;
  if (launch->failed_step == STEP_NONE)
    return 0;
  message.length = 0;
  say_sentence(&message, SAY_CANNOT);
  say(&message, nth(verbs, launch->failed_step - 1));
  if (objects[launch->failed_step - 1] != OBJECT_NONE)
    put(&message, ' ');
  say_object(&message, launch, program);
  say(&message, ": ");
  say_error(&message, launch->failed_errno);
  const char *hint = hint_of(launch, program);
  if (hint != NULL) {
    put(&message, '\n');
    say_sentence(&message, SAY_HINT);
    say(&message, hint);
  }
  write_line(&message);
  return status_of(launch);
}

void report_left_out(const struct launch *launch) {
  const struct cover *cover =
      (const struct cover *)launch->covers + launch->cover_count;
  struct message message;
  for (u64 i = 0; i < launch->left_out; i++, cover++) {
    message.length = 0;
    say_sentence(&message, SAY_WARNING);
    say_name(&message, (const char *)cover->source);
    say_sentence(&message, SAY_LEFT_OUT);
    say_name(&message, (const char *)cover->target);
    write_line(&message);
  }
}

void report_waiting(const char *lock, u64 process) {
  struct message message;
  message.length = 0;
  say_sentence(&message, SAY_WAITING);
  say_name(&message, lock);
  if (process != 0) {
    say_sentence(&message, SAY_HELD_BY);
    say_number(&message, process);
    say_sentence(&message, SAY_HOLDS);
  }
  write_line(&message);
}

void report_propagation(void) {
  struct message message;
  message.length = 0;
  say_sentence(&message, SAY_NO_PEER);
  write_line(&message);
}

void report_no_keeper(int why) {
  struct message message;
  message.length = 0;
  say_sentence(&message, SAY_NO_KEEPER);
  say_sentence(&message,
               why == REFUSED_KEEPER ? SAY_REFUSED_KEEPER : SAY_LONE_KEEPER);
  write_line(&message);
}
