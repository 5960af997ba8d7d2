#include "detach.h"

#include <linux/capability.h>
#include <linux/prctl.h>

static void drop_capabilities(unsigned kept) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  if (CALL(__NR_capget, &header, sets) < 0)
    return;
  sets[0].effective &= kept;
  sets[0].permitted &= kept;
  sets[0].inheritable = 0;
  sets[1] = (struct __user_cap_data_struct){0, 0, 0};
  CALL(__NR_capset, &header, sets);
}

/*
 * What ps(1) shows. Without CONFIG_CHECKPOINT_RESTORE it is the short name
 * alone, as the stack with the words of the command line goes.
 */
static void set_words(const struct daemon *daemon) {
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
  CALL(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
}

/* Of the descriptors that it keeps, the lowest from this number on; or -1. */
static long next_kept(const struct daemon *daemon, long from) {
  long next = -1;
  for (size_t i = 0; i < daemon->file_count; i++) {
    long fd = daemon->files[i];
    if (fd >= from && (next < 0 || fd < next))
      next = fd;
  }
  return next;
}

/* By close_range(2), Linux 5.9; a listing, by which the program's descriptors
 * are found, makes an inode for each. 0 or -errno. */
static long close_others(const struct daemon *daemon) {
  for (long from = 0;;) {
    long kept = next_kept(daemon, from);
    if (kept != from)
      MUST(CALL(__NR_close_range, from, (unsigned)kept - 1, 0));
    if (kept < 0)
      return 0;
    from = kept + 1;
  }
}

static void close_other(long fd, void *data) {
  if (next_kept(data, fd) != fd)
    CALL(__NR_close, fd);
}

static void unmap(u64 from, u64 to) {
  if (from < to)
    CALL(__NR_munmap, from, to - from);
}

/* All but its own memory, and the mapping of this code. */
void daemon_shrink(const struct daemon *daemon) {
  struct reader maps;
  char range[64], word[16];
  const u64 at = (u64)daemon, end = at + daemon->bytes;
  const u64 code = (u64)daemon_shrink;
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
    if (from <= code && code < to)
      continue;
    unmap(from, to < at ? to : at);
    unmap(from > end ? from : end, to);
  }
  read_close(&maps);
}

long daemon_detach(const struct daemon *daemon) {
  MUST(CALL(__NR_prctl, PR_SET_NAME, daemon->name, 0, 0, 0));
  if (close_others(daemon) < 0) /* refused, as by a seccomp filter */
    MUST(each_number("/proc/self/fd", close_other, (void *)daemon));
  CALL(__NR_chdir, "/");
  drop_capabilities(daemon->capabilities);
  return 0;
}

void daemon_own(struct daemon *daemon) {
  close_file(&daemon->starter);
  set_words(daemon);
}
