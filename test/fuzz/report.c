/*
 * What the user reads, of any step, error and names: at most two lines, which
 * say what failed, on what, and why, and which no terminal obeys.
 */
#include "../../ffi/report.h"
#include "../../ffi/errors.h"

#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>

/* Of <stdlib.h>, which defines what <linux/resource.h> defines too. */
void *malloc(size_t bytes);
void free(void *block);

#define STEP(name, fails, object, does) {fails, #object},
static const struct {
  const char *verb, *object;
} steps[] = {LAUNCH_STEPS(STEP)};
enum { STEPS = sizeof steps / sizeof *steps };
#define ERROR(name, text) {name, text " (" #name ")"},
static const struct {
  unsigned number;
  const char *text;
} errors[] = {ERRORS(ERROR)};
enum { STEP_ANY = STEP_NONE };
#define HINT(step, error, when, text) {STEP_##step, error, #when, text},
static const struct {
  unsigned step, error;
  const char *when, *text;
} hints[] = {HINTS(HINT) COMMAND_HINTS(HINT)};
#define REASON(name, asked, when, act, why) {#act, why},
static const struct { const char *act, *why; } reasons[] = {DECISIONS(REASON)};
enum { REASONS = sizeof reasons / sizeof *reasons };

/* What is looked at, when a step has failed: bits. */
enum {
  IS_THERE = 1,
  IS_DANGLING = 2,
  IS_EMPTY = 4,
  IS_NAMESPACE = 8,
  IS_FILTERED = 16
};
static unsigned world;
static struct content status;
static const char *seccomp(void) {
  return world & IS_FILTERED ? "Name:\tSeccomp: 2\nSeccomp:\t2\n"
                             : "Name:\tx 2\nSeccomp:\t1\n";
}

static char said[1 << 17];
static size_t said_bytes;

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)e, (void)f;
  switch (number) {
  case __NR_newfstatat:
    memset((void *)c, 0, sizeof(struct stat));
    ((struct stat *)c)->st_mode = d == 0                ? S_IFREG
                                  : world & IS_DANGLING ? S_IFLNK
                                                        : S_IFDIR;
    ((struct stat *)c)->st_size = world & IS_EMPTY ? 0 : 1;
    return world & IS_THERE ? 0 : -ENOENT;
  case __NR_statfs:
    memset((void *)b, 0, sizeof(struct statfs));
    ((struct statfs *)b)->f_type = world & IS_NAMESPACE ? NSFS_MAGIC : 1;
    return 0;
  case __NR_openat:
    must(strcmp((const char *)b, "/proc/self/status") == 0);
    status = (struct content){(const uint8_t *)seccomp(), strlen(seccomp()), 7};
    return 3;
  case __NR_read:
    must(a == 3);
    return content_read(&status, b, c);
  case __NR_close:
    must(a == 3);
    return 0;
  case __NR_rt_sigprocmask:
  case __NR_rt_sigtimedwait:
    return 0;
  }
  must(number == __NR_write && a == 2 && said_bytes == 0); /* at once */
  must((size_t)c < sizeof said);
  memcpy(said, (const void *)b, (size_t)c);
  said[c] = '\0';
  said_bytes = (size_t)c;
  return c;
}

long fuzz_allocate(unsigned long bytes) { return -(long)bytes; }

/* RFC 3629: decoded, then held against what that code must be written as. */
static size_t character(const unsigned char *text, unsigned *code) {
  static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t bytes = *text < 0x80             ? 1
                 : (*text & 0xe0) == 0xc0 ? 2
                 : (*text & 0xf0) == 0xe0 ? 3
                 : (*text & 0xf8) == 0xf0 ? 4
                                          : 0;
  if (bytes == 0)
    return 0;
  *code = bytes == 1 ? *text : *text & (0x7fu >> bytes);
  for (size_t i = 1; i < bytes; i++) {
    if ((text[i] & 0xc0) != 0x80)
      return 0;
    *code = *code << 6 | (text[i] & 0x3f);
  }
  int is_surrogate = *code >= 0xd800 && *code < 0xe000;
  return *code < least[bytes] || *code > 0x10ffff || is_surrogate ? 0 : bytes;
}

static int is_control(unsigned code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* The name as it shall be shown; the end of what was written. */
static char *shown(char *to, const char *name) {
  const unsigned char *from = (const unsigned char *)name;
  unsigned code;
  if (*from == '\0')
    return to + sprintf(to, "\"\"");
  while (*from != '\0') {
    size_t bytes = character(from, &code);
    if (bytes > 0 && !is_control(code)) {
      memcpy(to, from, bytes);
      to += bytes;
      from += bytes;
    } else
      to += sprintf(to, "\\x%02x", *from++);
  }
  *to = '\0';
  return to;
}

/* The text goes on with the expected: whole, or cut where it is longer than any
 * path. */
static const char *goes_on(const char *text, const char *name) {
  static char expected[1 << 17];
  size_t bytes = (size_t)(shown(expected, name) - expected);
  if (strncmp(text, expected, bytes) == 0)
    return text + bytes;
  must(bytes > 4 * PATH_BYTES - 4);
  size_t same = 0;
  while (text[same] == expected[same])
    same++;
  /* The name may itself go on with dots where it is cut. */
  for (int dots = 0; dots < 3 && strncmp(text + same, "...", 3) != 0; dots++)
    same--;
  must(same > 4 * PATH_BYTES - 16 && strncmp(text + same, "...", 3) == 0);
  return text + same + 3;
}

static const char *goes_by(const char *text, const char *expected) {
  size_t bytes = strlen(expected);
  must(strncmp(text, expected, bytes) == 0);
  return text + bytes;
}

static const char *object(const char *text, const char *kind,
                          const struct launch *launch,
                          const struct program *program) {
  const struct cover *cover =
      (const struct cover *)launch->covers + launch->failed_cover;
  if (strcmp(kind, "NONE") == 0)
    return text;
  text = goes_by(text, " ");
  if (strcmp(kind, "COMMAND") == 0)
    return goes_on(text, program->argv[0]);
  if (strcmp(kind, "PROGRAM") == 0)
    return goes_on(text, program->argv[launch->command_words]);
  if (strcmp(kind, "NETNS") == 0)
    return goes_on(text, (const char *)launch->netns);
  if (strcmp(kind, "LOCK") == 0)
    return goes_on(text, (const char *)launch->lock);
  if (strcmp(kind, "SOURCE") == 0)
    return goes_on(text, (const char *)cover->source);
  if (strcmp(kind, "TARGET") == 0)
    return goes_on(text, (const char *)cover->target);
  if (strcmp(kind, "ETC") == 0)
    return goes_on(text, (const char *)launch->etc);
  if (strcmp(kind, "RESOLV_CONF") == 0)
    return goes_by(goes_on(text, (const char *)launch->etc), "/resolv.conf");
  if (strcmp(kind, "BIND") == 0) {
    text = goes_by(goes_on(text, (const char *)cover->source), " over ");
    return goes_on(text, (const char *)cover->target);
  }
  if (strcmp(kind, "USED") == 0) {
    char relies[64] = "";
    if (launch->failed_process != 0)
      sprintf(relies, ", on which process %llu relies", launch->failed_process);
    return goes_by(goes_on(text, (const char *)cover->target), relies);
  }
  must(strcmp(kind, "METHOD") == 0);
  text = goes_by(text, launch->method == 1   ? "auto"
                       : launch->method == 2 ? "pin"
                       : launch->method == 4 ? "rejoin"
                                             : "overlay");
  return goes_on(goes_by(text, " on "), (const char *)cover->target);
}

static const char *hint_of(const struct launch *launch,
                           const struct program *program) {
  const struct cover *cover =
      (const struct cover *)launch->covers + launch->failed_cover;
  if (launch->failed_step == STEP_DECIDE && launch->failed_errno == EOPNOTSUPP)
    return reasons[cover->decision - 1].why;
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
    const char *when = hints[i].when;
    int is_there = world & IS_THERE, is_file = is_there;
    int is_placeholder = is_file && world & IS_EMPTY &&
                         !(world & IS_NAMESPACE) &&
                         strncmp((const char *)launch->netns, "/run/netns/",
                                 strlen("/run/netns/")) == 0;
    int fits = strcmp(when, "ENTRY") == 0         ? cover->is_entry == 1
               : strcmp(when, "PLACEHOLDER") == 0 ? is_placeholder
               : strcmp(when, "DANGLING") == 0 ? is_there && world & IS_DANGLING
               : strcmp(when, "SCRIPT") == 0   ? program->lacks_interpreter
               : strcmp(when, "FILTERED") == 0 ? world & IS_FILTERED
                                               : strcmp(when, "ALWAYS") == 0;
    if (fits &&
        (hints[i].step == STEP_ANY || hints[i].step == launch->failed_step) &&
        hints[i].error == launch->failed_errno)
      return hints[i].text;
  }
  return NULL;
}

/* A decision that a launch can fail by. */
static u64 refusal(unsigned from) {
  while (strcmp(reasons[from % REASONS].act, "REFUSE") != 0)
    from++;
  return 1 + from % REASONS;
}

/* STEP ERROR FLAGS REPEAT, then two names, NUL between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4)
    return 0;
  unsigned flags = data[2], repeat = 1 + data[3] % 16;
  size_t given = size - 4, length = strnlen((const char *)data + 4, given);
  /* A word can be longer than a path, so the first is made long. */
  enum { FIRST_BYTES = 24000 };
  char *first = malloc(length * repeat + 1), *end = first;
  for (unsigned i = 0; i < repeat && length > 0; i++, end += length)
    memcpy(end, data + 4, length);
  *end = '\0';
  if (length * repeat > FIRST_BYTES)
    first[FIRST_BYTES] = '\0';
  char second[9000] = "";
  if (length < given)
    strncpy(second, (const char *)data + 4 + length + 1,
            given - length - 1 < sizeof second - 1 ? given - length - 1
                                                   : sizeof second - 1);

  struct cover covers[2] = {
      {.source = (u64) "x", .target = (u64) "y", .decision = 1},
      {.source = (u64)first,
       .target = (u64)second,
       .is_entry = flags & 1,
       .decision = refusal(data[3])},
  };
  char *argv[] = {first, second, NULL};
  world = data[3] >> 4 | (data[2] & 0x80) >> 3;
  static struct program program;
  program.argv = argv;
  program.lacks_interpreter = data[3] >> 7;
  struct launch launch = {
      .netns = (u64)first,
      .etc = (u64)second,
      .covers = (u64)covers,
      .cover_count = 2,
      .method = 1u << (flags >> 2 & 3),
      .by_command = flags >> 1 & 1,
      .word_count = flags >> 1 & 1,
      .command_words = flags >> 1 & 1,
      .lock = (u64)first,
      .failed_process = (u64)(flags >> 4) * 0x1234567,
      .failed_step = data[0] % (STEPS + 1),
      .failed_cover = 1,
      .failed_errno = data[1] == 0 ? 4095 : data[1],
  };
  said_bytes = 0;
  unsigned status = report(&launch, &program);
  if (launch.failed_step == STEP_NONE) {
    must(status == 0 && said_bytes == 0);
    free(first);
    return 0;
  }

  /* Whatever it says: nothing in it is a control, and all of it is UTF-8. */
  size_t newlines = 0, bytes;
  unsigned code;
  for (const char *at = said; at < said + said_bytes; at += bytes) {
    bytes = character((const unsigned char *)at, &code);
    must(bytes > 0 && (code == '\n' || !is_control(code)));
    newlines += code == '\n';
  }
  must(newlines >= 1 && newlines <= 2 && said[said_bytes - 1] == '\n');

  /* What it says, word for word. */
  const char *text = goes_by(said, "nspin: cannot ");
  text = goes_by(text, steps[launch.failed_step - 1].verb);
  text = object(text, steps[launch.failed_step - 1].object, &launch, &program);
  text = goes_by(text, ": ");
  char unknown[32];
  sprintf(unknown, "errno %u", (unsigned)launch.failed_errno);
  const char *why = unknown;
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (errors[i].number == launch.failed_errno)
      why = errors[i].text;
  text = goes_by(text, why);
  const char *hint = hint_of(&launch, &program);
  if (hint != NULL)
    text = goes_by(goes_by(text, "\nnspin: hint: "), hint);
  text = goes_by(text, "\n");
  must(text == said + said_bytes);

  /* 126 and 127 are the program's own, and not E2BIG: of the words together. */
  int is_programs = launch.failed_step == STEP_FIND ||
                    (launch.failed_step == STEP_EXECUTE && !launch.by_command &&
                     launch.failed_errno != E2BIG);
  must(status == (!is_programs                    ? 125u
                  : launch.failed_errno == ENOENT ? 127u
                                                  : 126u));
  free(first);
  return 0;
}
