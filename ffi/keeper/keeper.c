#include "detach.h"
#include "keeping.h"

#include <asm/errno.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <linux/time.h>

enum {
  PAUSE = 10, /* milliseconds of rest at first, and then twice that, to */
  LONGEST_PAUSE = 10000,
  /*
   * Many a program has ended by then. Of what the host replaces it is told; a
   * name that changes is seen when it begins to watch.
   */
  FIRST_REST = 20,
  UNTOLD = 1000, /* between two looks at a member whose end it is not told of */
  QUIET = 10     /* seconds between two lines about one target */
};

u64 microseconds(void) {
  struct timespec now = {0, 0};
  CALL(__NR_clock_gettime, CLOCK_MONOTONIC, &now);
  return (u64)now.tv_sec * 1000000 + (u64)now.tv_nsec / 1000;
}

void say_kept(struct keeper *keeper, struct kept *kept, enum kept_event event,
              const char *link, long error) {
  u64 now = microseconds();
  struct kept_line line = {.target = kept->target,
                           .source = kept->source,
                           .process = keeper->process,
                           .program = keeper->name,
                           .link = link,
                           .microseconds = keeper->done - keeper->woken,
                           .unsaid = kept->unsaid,
                           .error = error};
  int is_good = event == COVERED_AGAIN || event == FOLLOWED;
  int is_news = is_good && kept->is_bad; /* the end of what was said last */
  if (!is_news && kept->said != 0 && now / 1000000 < kept->said + QUIET) {
    kept->unsaid++;
    return;
  }
  kept->is_bad = !is_good;
  kept->said = now / 1000000;
  kept->unsaid = 0;
  report_kept(event, &line);
}

/* Its source is another file now: of that kind, and none that was refused. */
static int is_new(const struct kept *kept, const struct file *source) {
  return !file_is_same(source, &kept->shown) &&
         source->kind == kept->shown.kind && source->inode != kept->refused;
}

static long show_new(struct keeper *keeper, struct kept *kept, long source) {
  struct file file;
  MUST(file_look_at(source, &file));
  if (!is_new(kept, &file))
    return 0;
  long result = exchange(keeper, kept, source, &file);
  if (result == -EINVAL || result == -ENOSYS) {
    kept->refused = file.inode;
    say_kept(keeper, kept, NOT_FOLLOWED, "", result);
  }
  MUST(result);
  say_kept(keeper, kept, FOLLOWED, "", 0);
  return make_spare(kept);
}

/*
 * 0: as it shall be, or nothing can be done; -errno: not yet. Of a source that
 * is missing, and of what the program has on its cover, the end is told.
 */
static long follow_source(struct keeper *keeper, struct kept *kept) {
  struct place place;
  if (kept->source[0] == '\0')
    return 0;
  long result =
      path_walk(-1, kept->source, LINK_FOLLOWED, &place, &keeper->visitor);
  if (result == 0)
    result = show_new(keeper, kept, place.fd);
  close_file(&place.fd);
  return is_shortage(result) ? result : 0;
}

/* 0: as it shall be, or nothing can be done; -errno: not yet. */
static long look_after(struct keeper *keeper, struct kept *kept) {
  struct place place;
  long result = open_target(kept, &place, &keeper->visitor);
  if (result == -ENOENT || result == -ENOTDIR) {
    if (!kept->is_missing)
      say_kept(keeper, kept, MISSING, "", 0);
    kept->is_missing = 1;
    return 0;
  }
  MUST(result);
  kept->is_missing = 0;
  result = is_covered(kept, &place);
  if (result == 1) {
    close_file(&place.fd);
    return kept->spare < 0 ? make_spare(kept) : 0;
  }
  if (result == 0)
    result = cover_again(keeper, kept, &place);
  close_file(&place.fd);
  if (result == -EISDIR || result == -ENOTDIR || result == -EBUSY) {
    say_kept(keeper, kept, NOT_COVERED, "", result);
    return 0; /* of another kind now; the next change is told */
  }
  return result < 0 ? result : -EAGAIN; /* does the path lead there now? */
}

/* The mount that is "/"; pivot_root(2) takes everybody along. */
static long root_id(char id[NUMBER_BYTES]) {
  long root = open_itself("/");
  long result = root < 0 ? root : mount_id(root, id);
  if (result < 0)
    id[0] = '\0';
  close_file(&root);
  return result;
}

/* One look at all of them, the sources last: their file system can hang. */
static long look_at_all(struct keeper *keeper, int is_last) {
  long worst = tend_directories(keeper);
  for (u64 i = 0; i < keeper->count; i++) {
    struct kept *kept = &keeper->kept[i];
    long result = look_after(keeper, kept);
    if (result < 0)
      worst = result;
    if (result < 0 && result != -EAGAIN && is_last)
      say_kept(keeper, kept, NOT_COVERED, "", result);
  }
  if (worst < 0)
    return worst;
  for (u64 i = 0; i < keeper->count; i++) {
    long result = follow_source(keeper, &keeper->kept[i]);
    worst = result < 0 ? result : worst;
  }
  return worst;
}

/* Until all is as it shall be, or it is time for a rest. */
static void look_after_all(struct keeper *keeper) {
  char root[NUMBER_BYTES];
  long worst = -EAGAIN;
  long opened = root_id(root);
  if (!text_equal(root, keeper->root)) {
    keeper->pause = opened < 0 ? PAUSE : 0;
    return; /* the program has left for another one; or it cannot be opened */
  }
  for (int tries = 1; worst < 0 && tries <= TRIES; tries++) {
    keeper->look++;
    keeper->has_new_watch = 0;
    worst = look_at_all(keeper, tries == TRIES);
    if (worst == 0 && keeper->has_new_watch)
      worst = -EAGAIN;
  }
  forget_directories(keeper);
  keeper->is_table_new &= worst < 0;
  keeper->pause = worst == 0                          ? 0
                  : keeper->pause == 0                ? PAUSE
                  : keeper->pause * 2 < LONGEST_PAUSE ? keeper->pause * 2
                                                      : LONGEST_PAUSE;
}

static long open_signals(void) {
  u64 io = 1ULL << (SIGIO - 1);
  return CALL(__NR_signalfd4, -1, &io, SIGNAL_MASK_BYTES,
              O_CLOEXEC | O_NONBLOCK);
}

/*
 * Of names alone it can be told many times a second, where others work in the
 * same directory: then it waits a little for more. Not for the mount table.
 */
static void wait(struct keeper *keeper) {
  enum { TABLE, PROGRAM, NAMES, STARTER, FILES };
  const struct timespec a_little = {0, 5 * 1000 * 1000};
  int is_untold = keeper->program < 0;
  long rest = is_untold ? UNTOLD : keeper->pause;
  struct timespec pause = {rest / 1000, rest % 1000 * 1000000};
  struct pollfd files[] = {
      [TABLE] = {.fd = (int)keeper->table, .events = POLLPRI},
      [PROGRAM] = {.fd = (int)keeper->program, .events = POLLIN},
      [NAMES] = {.fd = (int)keeper->signals, .events = POLLIN},
      [STARTER] = {.fd = (int)keeper->daemon.starter}, /* POLLHUP */
  };
  char said[512];
  CALL(__NR_ppoll, files, FILES, rest == 0 ? NULL : &pause, 0, 0);
  if (files[STARTER].revents)
    daemon_own(&keeper->daemon);
  if (files[NAMES].revents && !files[TABLE].revents &&
      !files[PROGRAM].revents) {
    struct timespec more = a_little;
    CALL(__NR_ppoll, files, NAMES, &more, 0, 0);
  }
  keeper->woken = microseconds();
  keeper->is_table_new |= files[TABLE].revents != 0;
  while (CALL(__NR_read, keeper->signals, said, sizeof said) > 0)
    ;
  if ((files[PROGRAM].revents || is_untold) && !find_next_member(keeper))
    daemon_end();
}

/*
 * Before its first look: until the program is executed, and a little longer;
 * but not long where that takes long, or the host has done something.
 */
static void rest_first(struct keeper *keeper) {
  keeper->pause = FIRST_REST;
  do
    wait(keeper);
  while (keeper->is_moving && keeper->daemon.starter >= 0);
  if (keeper->daemon.starter < 0 && !keeper->is_table_new)
    wait(keeper);
}

/* No signal but SIGKILL and SIGSTOP reaches it: all others are blocked. */
_Noreturn void keeper_run(void *data) {
  struct keeper *keeper = data;
  CALL(__NR_setsid);
  /* What fails for a moment would be missing for all of its life. */
  for (int tries = 0; tries < TRIES && root_id(keeper->root) < 0; tries++)
    ;
  for (int tries = 0; tries < TRIES && keeper->signals < 0; tries++)
    keeper->signals = open_signals();
  keeper->visitor.visit = watch_directory;
  rest_first(keeper);
  for (u64 i = 0; i < keeper->count; i++)
    make_spare(&keeper->kept[i]);
  look_after_all(keeper);
  while (keeper->daemon.starter >= 0) { /* the memory may be another's, too */
    wait(keeper);
    look_after_all(keeper);
  }
  daemon_shrink(&keeper->daemon);
  for (;;) {
    wait(keeper);
    look_after_all(keeper);
  }
}
