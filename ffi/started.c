#include "started.h"

#include <asm/errno.h>
#include <asm/signal.h>

/* What could not be looked up could not be given back. */
long started_signals(struct record *record) {
  struct signal_action action;
  record->ignored = 0;
  for (int signal = 1; signal <= SIGNALS; signal++) {
    MUST(CALL(__NR_rt_sigaction, signal, 0, &action, SIGNAL_MASK_BYTES));
    if (action.handler == (u64)SIG_IGN)
      record->ignored |= 1ULL << (signal - 1);
  }
  MUST(CALL(__NR_rt_sigprocmask, SIG_BLOCK, 0, &record->mask,
            SIGNAL_MASK_BYTES));
  return CALL(__NR_rt_sigpending, &record->pending, SIGNAL_MASK_BYTES);
}

long started_limits(struct record *record) {
#define NUMBER(name, least) RLIMIT_##name,
  static const int numbers[] = {GUARD_LIMITS(NUMBER)};
  for (int i = 0; i < GUARD_LIMIT_COUNT; i++)
    MUST(CALL(__NR_prlimit64, 0, numbers[i], 0, &record->limits[i]));
  return 0;
}

static void count(long fd, void *counted) {
  (void)fd;
  ++*(u64 *)counted;
}

struct list {
  struct record *record;
  u64 room; /* another thread may open more meanwhile */
};

static void append(long fd, void *data) {
  struct list *list = data;
  struct record *record = list->record;
  if (record->descriptor_count < list->room &&
      !(CALL(__NR_fcntl, fd, F_GETFD) & FD_CLOEXEC))
    record->descriptors[record->descriptor_count++] = (unsigned)fd;
}

long started_descriptors(struct record *record) {
  struct list list = {.record = record};
  MUST(each_number("/proc/self/fd", count, &list.room));
  long at = allocate((list.room + 1) * sizeof *record->descriptors);
  if (is_error(at))
    return at;
  record->descriptors = (unsigned *)at;
  record->descriptor_count = 0;
  return each_number("/proc/self/fd", append, &list);
}

/* A whole file, and a NUL behind it. */
static long read_file(const char *path, char **bytes, u64 *length) {
  char buffer[4096];
  long fd = open_file(path, O_RDONLY);
  if (fd < 0)
    return fd;
  long got;
  *length = 0;
  while ((got = CALL(__NR_read, fd, buffer, sizeof buffer)) > 0)
    *length += (u64)got;
  long to = got < 0 ? got : allocate(*length + 1);
  if (!is_error(to)) {
    *bytes = (char *)to;
    CALL(__NR_lseek, fd, 0, 0);
    for (u64 have = 0; have < *length; have += (u64)got)
      if ((got = CALL(__NR_read, fd, *bytes + have, *length - have)) <= 0) {
        to = got < 0 ? got : -EIO;
        break;
      }
  }
  CALL(__NR_close, fd);
  return is_error(to) ? to : 0;
}

static long read_words(const char *path, char ***words) {
  char *bytes;
  u64 length, count = 0;
  MUST(read_file(path, &bytes, &length));
  for (u64 i = 0; i < length; i += text_length(bytes + i) + 1)
    count++;
  long list = allocate((count + 1) * sizeof **words);
  if (is_error(list))
    return list;
  *words = (char **)list;
  for (u64 i = 0; i < count; i++, bytes += text_length(bytes) + 1)
    (*words)[i] = bytes;
  return 0;
}

long started_words(struct record *record) {
  u64 length;
  MUST(read_words("/proc/self/cmdline", &record->arguments));
  MUST(read_words("/proc/self/environ", &record->environment));
  return read_file("/proc/self/auxv", (char **)&record->environment_end,
                   &length);
}
