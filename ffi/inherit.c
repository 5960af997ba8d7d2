#include "inherit.h"
#include "proc.h"

#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/resource.h>

struct dirent64 { /* getdents64(2) */
  u64 ino;
  long long off;
  unsigned short reclen;
  unsigned char type;
  char name[];
};

/*
 * Bun's event loop: an epoll that watches one eventfd (fdinfo's "tfd: N
 * events: ..."). Returns that N where fd is such an epoll, else -1. A program
 * may have handed down an epoll of its own like this one; bun's is the latest.
 */
static long event_loop(long fd) {
  char path[64], word[NUMBER_BYTES], link[32];
  struct reader info;
  text_number(text_copy(path, "/proc/self/fd/"), (u64)fd);
  long length = CALL(__NR_readlinkat, AT_FDCWD, path, link, sizeof link - 1);
  if (length < 0)
    return -1;
  link[length] = '\0';
  if (!text_equal(link, "anon_inode:[eventpoll]"))
    return -1;

  text_number(text_copy(path, "/proc/self/fdinfo/"), (u64)fd);
  if (read_open(&info, path) < 0)
    return -1;
  long watched = -1;
  for (long end = 0; end >= 0;) {
    end = read_word(&info, word, sizeof word);
    if (text_equal(word, "tfd:")) {
      read_word(&info, word, sizeof word);
      watched = watched == -1 ? (long)text_value(word, 10) : -2;
    }
  }
  read_close(&info);
  return watched < 0 ? -1 : watched;
}

/* Calls visit(fd, data) for every descriptor but the listing's own. */
static long each_descriptor(void (*visit)(long fd, long *data), long *data) {
  char entries[1024] __attribute__((aligned(8)));
  long list = CALL(__NR_openat, AT_FDCWD, "/proc/self/fd",
                   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (list < 0)
    return list;
  long bytes;
  while ((bytes = CALL(__NR_getdents64, list, entries, sizeof entries)) > 0)
    for (long at = 0; at < bytes;) {
      struct dirent64 *entry = (struct dirent64 *)(entries + at);
      long fd = (long)text_value(entry->name, 10);
      if (entry->name[0] != '.' && fd != list)
        visit(fd, data);
      at += entry->reclen;
    }
  CALL(__NR_close, list);
  return bytes;
}

static void find_own(long fd, long own[2]) {
  long watched = event_loop(fd);
  if (watched >= 0) {
    own[0] = fd;
    own[1] = watched;
  }
}

static void keep(long fd, long own[2]) {
  if (fd >= 4 && fd != own[0] && fd != own[1])
    CALL(__NR_fcntl, fd, F_SETFD, 0);
}

long inherit_descriptors(void) {
  long own[2] = {-1, -1};
  long result = each_descriptor(find_own, own);
  return result < 0 ? result : each_descriptor(keep, own);
}

/*
 * The soft limit that we were started with is lost. Our parent's is the best
 * guess where its hard limit is ours; else it stays where bun put it, which is
 * the lesser evil: too high a limit harms no program of today, too low does.
 */
static void restore_nofile(void) {
  char path[64], word[NUMBER_BYTES];
  struct rlimit64 ours;
  struct reader limits;
  if (CALL(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &ours) < 0 ||
      ours.rlim_cur != ours.rlim_max)
    return;
  text_copy(text_number(text_copy(path, "/proc/"), (u64)CALL(__NR_getppid)),
            "/limits");
  if (read_open(&limits, path) < 0)
    return;
  for (long end = 0; end >= 0;) {
    end = read_word(&limits, word, sizeof word);
    if (!text_equal(word, "open") || end != ' ')
      continue;
    read_word(&limits, word, sizeof word); /* "files" */
    read_word(&limits, word, sizeof word);
    u64 soft = text_value(word, 10);
    read_word(&limits, word, sizeof word);
    if (text_value(word, 10) == ours.rlim_max && soft < ours.rlim_max) {
      ours.rlim_cur = soft;
      CALL(__NR_prlimit64, 0, RLIMIT_NOFILE, &ours, 0);
    }
    break;
  }
  read_close(&limits);
}

long inherit_signals_and_limits(void) {
  static const struct {
    u64 handler, flags, restorer, mask; /* all 0: SIG_DFL */
  } by_default;
  enum { MASK_BYTES = 8 };
  long result = CALL(__NR_rt_sigaction, SIGPIPE, &by_default, 0, MASK_BYTES);
  if (result == 0)
    result = CALL(__NR_rt_sigaction, SIGXFSZ, &by_default, 0, MASK_BYTES);
  restore_nofile();
  return result;
}
