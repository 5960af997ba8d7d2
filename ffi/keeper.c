#include "keeper.h"
#include "daemon.h"
#include "report.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <linux/capability.h>
#include <linux/stat.h>
#include <linux/time.h>

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200 /* Linux 6.5 */
#endif
#define MNT_DETACH 2 /* in libc's headers only */

enum {
  TRIES = 50, /* in a row, of a host that does not keep still; then */
  PAUSE = 10, /* milliseconds of rest at first, and then twice that, to */
  LONGEST_PAUSE = 10000,
  QUIET = 10,     /* seconds between two lines about one target */
  WATCHES = 32,   /* directories */
  NAME_BYTES = 96 /* of the program's name, for people */
};

/* A directory that is the way to something, and is told of: fcntl(2). */
struct watch {
  u64 device, inode;
  long fd;
  u64 seen; /* the look in which it was last on the way */
};

/* What one program's path shall lead to. */
struct kept {
  struct file shown;     /* the source, as the program sees it */
  u64 refused;           /* the inode of a new source that cannot be shown */
  long spare;            /* a detached clone of the cover; or -1 */
  char id[NUMBER_BYTES]; /* of the cover */
  u64 said, unsaid;      /* second of the last line; lines since */
  int is_missing;
  char source[PATH_BYTES], target[PATH_BYTES]; /* source: "", not followed */
};

/* The mount of one directory on itself. */
struct within {
  struct directory_mount mount;
  char path[PATH_BYTES];
};

struct keeper {
  struct daemon daemon; /* first */
  struct visitor visitor;
  long table, program, signals; /* what it waits for */
  u64 namespace, own;           /* inode of the mount namespace; its own id */
  u64 look;                     /* number of the look that is under way */
  u64 woken;                    /* microseconds, CLOCK_MONOTONIC */
  int is_read_only, has_new_watch;
  long pause; /* milliseconds; 0: all is as it shall be */
  u64 count;  /* of kept, and of room for directories */
  struct kept *kept;
  struct within *within;
  struct watch watches[WATCHES];
  char process[NUMBER_BYTES], name[NAME_BYTES];
  struct target target; /* that is being covered again */
};

static u64 microseconds(void) {
  struct timespec now = {0, 0};
  CALL(__NR_clock_gettime, CLOCK_MONOTONIC, &now);
  return (u64)now.tv_sec * 1000000 + (u64)now.tv_nsec / 1000;
}

/* --- what it says --- */

static void say(struct keeper *keeper, struct kept *kept, enum kept_event event,
                const char *link, long error) {
  u64 now = microseconds();
  struct kept_line line = {.target = kept->target,
                           .source = kept->source,
                           .process = keeper->process,
                           .program = keeper->name,
                           .link = link,
                           .microseconds = now - keeper->woken,
                           .unsaid = kept->unsaid,
                           .error = error};
  if (kept->said != 0 && now / 1000000 < kept->said + QUIET) {
    kept->unsaid++;
    return;
  }
  kept->said = now / 1000000;
  kept->unsaid = 0;
  report_kept(event, &line);
}

/* --- the directories on the way --- */

/*
 * By a descriptor of a detached private clone, so that the mount itself is not
 * kept busy. inotify(7) would take one of the user's 128 instances for each
 * program; this takes none.
 */
static long watch_directory(long directory) {
  const unsigned changes = DN_CREATE | DN_DELETE | DN_RENAME | DN_MULTISHOT;
  struct mount_attr private = {.propagation = MS_PRIVATE};
  long clone = mount_clone(directory, 0);
  if (clone < 0)
    return clone;
  CALL(__NR_mount_setattr, clone, "", AT_EMPTY_PATH, &private, sizeof private);
  long fd = CALL(__NR_openat, clone, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CALL(__NR_close, clone);
  if (fd >= 0 && CALL(__NR_fcntl, fd, F_NOTIFY, changes) < 0)
    close_file(&fd);
  return fd;
}

static void visit(struct visitor *visitor, long directory) {
  struct keeper *keeper =
      (struct keeper *)((char *)visitor - offsetof(struct keeper, visitor));
  struct watch *free = NULL;
  struct file file;
  if (file_look_at(directory, &file) < 0)
    return;
  for (int i = 0; i < WATCHES; i++) {
    struct watch *watch = &keeper->watches[i];
    if (watch->fd < 0)
      free = watch;
    else if (watch->device == file.device && watch->inode == file.inode) {
      watch->seen = keeper->look;
      return;
    }
  }
  if (free == NULL || (free->fd = watch_directory(directory)) < 0)
    return;
  free->device = file.device;
  free->inode = file.inode;
  free->seen = keeper->look;
  keeper->has_new_watch = 1; /* what came before it is not told of */
}

static void forget_watches(struct keeper *keeper) {
  for (int i = 0; i < WATCHES; i++)
    if (keeper->watches[i].seen != keeper->look)
      close_file(&keeper->watches[i].fd);
}

/* --- covering again --- */

static struct within *find_within(const struct keeper *keeper, const char *id) {
  for (u64 i = 0; i < keeper->count; i++)
    if (keeper->within[i].mount.here >= 0 &&
        text_equal(keeper->within[i].mount.id, id))
      return &keeper->within[i];
  return NULL;
}

/* A mount that has left its peer group, and the clone that is still in it. */
struct left {
  long mount, peer;
};

static long leave(struct left *left, long mount) {
  left->mount = mount;
  left->peer = mount_clone(mount, 0);
  return left->peer < 0 ? left->peer : mount_change(mount, MS_SLAVE);
}

static long rejoin(struct left *left) {
  long result = mount_change(left->mount, MS_PRIVATE);
  if (result == 0)
    result = mount_set_group(left->peer, left->mount);
  close_file(&left->peer);
  return result;
}

/* The path leads to another directory than the one that was mounted on itself.
 */
static long lay_within(struct keeper *keeper, const char *path,
                       const char *holder_id, struct within **laid) {
  struct within *within = keeper->within;
  while (within < keeper->within + keeper->count && within->mount.here >= 0 &&
         !text_equal(within->path, path))
    within++;
  if (within == keeper->within + keeper->count)
    return -ENOSPC;
  struct place place;
  struct mount mount;
  struct left holder;
  char id[NUMBER_BYTES];
  MUST(path_open(-1, path, LINK_ITSELF, &place));
  long result = mount_of(place.fd, &mount);
  close_file(&place.fd);
  MUST(result);
  if (!text_equal(mount.id, holder_id))
    return -ESTALE;
  long root = open_itself(mount.point);
  if (root < 0)
    return root;
  result = mount_id(root, id);
  if (result == 0)
    result = text_equal(id, mount.id) ? leave(&holder, root) : -EBUSY;
  if (result == 0) {
    directory_close(&within->mount);
    result = directory_lay(&within->mount, path);
    if (result < 0)
      directory_close(&within->mount);
    long rejoined = rejoin(&holder);
    result = result < 0 ? result : rejoined;
  }
  close_file(&root);
  text_copy(within->path, path);
  *laid = within;
  return result;
}

static long clone_source(struct target *target, const char *source) {
  MUST(target_open_source(target, source));
  MUST(target_clone(target));
  return target->clone < 0 ? -ENOSYS : 0;
}

static long lay(struct keeper *keeper, struct kept *kept) {
  struct target *target = &keeper->target;
  MUST(target_bind_below(target));
  MUST(target_bind(target, kept->source));
  MUST(target_make_cover_private(target));
  if (keeper->is_read_only)
    MUST(target_make_read_only(target));
  kept->shown = target->shown;
  return mount_id(target->clone, kept->id);
}

/*
 * The mount on which the target is leaves its peer group for as long as the
 * cover lands. That is a mount of its directory, which may first have to be
 * laid; or, where something is mounted on the target itself, that.
 */
static long cover(struct keeper *keeper, struct kept *kept) {
  struct target *target = &keeper->target;
  struct left left = {-1, -1};
  target->shown = kept->shown;
  MUST(target_find_here(target, kept->target));
  target->clone = kept->spare;
  kept->spare = -1;
  if (target->clone < 0)
    MUST(clone_source(target, kept->source));
  struct mount *holder = &target->holder.mount;
  if (!holder->is_shared)
    return lay(keeper, kept);
  struct within *within = find_within(keeper, holder->id);
  int is_mount = text_equal(holder->point, target->here.path);
  if (within == NULL && !is_mount) {
    MUST(lay_within(keeper, target->directory, holder->id, &within));
    close_file(&target->here.fd);
    MUST(target_find_here(target, kept->target));
  }
  MUST(is_mount ? leave(&left, target->here.fd)
                : directory_leave(&within->mount));
  long result = lay(keeper, kept);
  for (int tries = 0; tries < TRIES; tries++) {
    MUST(is_mount ? rejoin(&left) : directory_rejoin(&within->mount));
    if (is_mount || directory_complete(&within->mount, within->path) <= 0)
      break;
    MUST(directory_leave(&within->mount));
  }
  return result;
}

static long open_cover(const struct kept *kept, struct place *place) {
  enum last_link last =
      kept->shown.kind == S_IFDIR ? LINK_FOLLOWED : LINK_ITSELF;
  char id[NUMBER_BYTES];
  MUST(path_open(-1, kept->target, last, place));
  MUST(mount_id(place->fd, id));
  return text_equal(id, kept->id) ? 0
                                  : -ESTALE; /* the program's own is on it */
}

static long clone_private(const struct kept *kept, long fd) {
  struct mount_attr private = {.propagation = MS_PRIVATE};
  long recursive = kept->shown.kind == S_IFDIR ? AT_RECURSIVE : 0;
  long clone = mount_clone(fd, recursive);
  if (clone >= 0)
    CALL(__NR_mount_setattr, clone, "", AT_EMPTY_PATH | recursive, &private,
         sizeof private);
  return clone;
}

/* For the next time, when the source itself may be gone. */
static void make_spare(struct kept *kept) {
  struct place place = {.fd = -1};
  close_file(&kept->spare);
  if (open_cover(kept, &place) == 0)
    kept->spare = clone_private(kept, place.fd);
  close_file(&place.fd);
}

/* 1, 0 or -errno: on top, or below what the program has mounted on it. */
static long is_covered(const struct kept *kept, const struct place *place) {
  struct mount mount, below;
  MUST(mount_of(place->fd, &mount));
  for (;;) {
    if (text_equal(mount.id, kept->id))
      return 1;
    if (!text_equal(mount.point, place->path) ||
        mount_below(&mount, &below) < 0)
      return 0;
    mount = below;
  }
}

static long cover_again(struct keeper *keeper, struct kept *kept) {
  char link[256];
  target_init(&keeper->target);
  long result = cover(keeper, kept);
  struct target *target = &keeper->target;
  long length =
      target->under.kind == S_IFLNK
          ? CALL(__NR_readlinkat, target->here.fd, "", link, sizeof link - 1)
          : 0;
  link[length > 0 ? length : 0] = '\0';
  target_close(target);
  if (result == 0) {
    say(keeper, kept, COVERED_AGAIN, link, 0);
    make_spare(kept);
  }
  return result;
}

/*
 * The new one is laid beneath the cover, on what that lies on, and the cover
 * is taken away: at no moment is there anything else to be seen.
 */
static long exchange(struct keeper *keeper, struct kept *kept, long source) {
  struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
  struct place place = {.fd = -1};
  char path[FD_PATH_BYTES];
  long recursive = kept->shown.kind == S_IFDIR ? AT_RECURSIVE : 0;
  long clone = clone_private(kept, source);
  if (clone < 0)
    return clone;
  long result = keeper->is_read_only ? CALL(__NR_mount_setattr, clone, "",
                                            AT_EMPTY_PATH | recursive,
                                            &read_only, sizeof read_only)
                                     : 0;
  if (result == 0)
    result = open_cover(kept, &place);
  if (result == 0)
    result = CALL(__NR_move_mount, clone, "", place.fd, "",
                  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH |
                      MOVE_MOUNT_BENEATH);
  if (result == 0) {
    fd_path(path, place.fd);
    result = CALL(__NR_umount2, path, MNT_DETACH);
    mount_id(clone, kept->id);
  }
  close_file(&place.fd);
  close_file(&clone);
  return result;
}

/* --- a look at one of them --- */

static long follow_source(struct keeper *keeper, struct kept *kept) {
  struct place place;
  struct file file;
  if (kept->source[0] == '\0' ||
      path_walk(-1, kept->source, LINK_FOLLOWED, &place, &keeper->visitor) < 0)
    return 0; /* missing: the old one stays */
  long result = file_look_at(place.fd, &file);
  if (result == 0 && !file_is_same(&file, &kept->shown) &&
      file.kind == kept->shown.kind && file.inode != kept->refused) {
    result = exchange(keeper, kept, place.fd);
    if (result == 0) {
      kept->shown = file;
      say(keeper, kept, FOLLOWED, "", 0);
      make_spare(kept);
    } else if (result != -ESTALE) {
      kept->refused = file.inode;
      say(keeper, kept, NOT_FOLLOWED, "", result);
    }
  }
  close_file(&place.fd);
  return 0;
}

/* 0: as it shall be, or nothing can be done; -errno: not yet. */
static long look_after(struct keeper *keeper, struct kept *kept) {
  enum last_link last =
      kept->shown.kind == S_IFDIR ? LINK_FOLLOWED : LINK_ITSELF;
  struct place place;
  long result = path_walk(-1, kept->target, last, &place, &keeper->visitor);
  if (result == -ENOENT || result == -ENOTDIR) {
    if (!kept->is_missing)
      say(keeper, kept, MISSING, "", 0);
    kept->is_missing = 1;
    return follow_source(keeper, kept);
  }
  MUST(result);
  kept->is_missing = 0;
  long covered = is_covered(kept, &place);
  close_file(&place.fd);
  MUST(covered);
  if (!covered) {
    result = cover_again(keeper, kept);
    if (result == -EISDIR || result == -ENOTDIR || result == -EBUSY) {
      say(keeper, kept, NOT_COVERED, "", result);
      return 0; /* of another kind now; the next change is told */
    }
    return result < 0 ? result : -EAGAIN; /* does the path lead there now? */
  }
  return follow_source(keeper, kept);
}

/* All of them, until all is as it shall be, or it is time for a rest. */
static void look_after_all(struct keeper *keeper) {
  long worst = -EAGAIN;
  for (int tries = 0; worst < 0 && tries < TRIES; tries++) {
    worst = 0;
    keeper->look++;
    keeper->has_new_watch = 0;
    for (u64 i = 0; i < keeper->count; i++) {
      long result = look_after(keeper, &keeper->kept[i]);
      if (result < 0)
        worst = result;
      if (result < 0 && tries == TRIES - 1)
        say(keeper, &keeper->kept[i], NOT_COVERED, "", result);
    }
    if (keeper->has_new_watch && worst == 0)
      worst = -EAGAIN;
  }
  forget_watches(keeper);
  keeper->pause = worst == 0                          ? 0
                  : keeper->pause == 0                ? PAUSE
                  : keeper->pause * 2 < LONGEST_PAUSE ? keeper->pause * 2
                                                      : LONGEST_PAUSE;
}

/* --- its life --- */

struct member {
  const struct keeper *keeper;
  long pidfd;
};

static void find_member(long process, void *data) {
  struct member *member = data;
  char path[64];
  char *end = text_number(text_copy(path, "/proc/"), (u64)process);
  text_copy(end, "/ns/mnt");
  if (member->pidfd < 0 && (u64)process != member->keeper->own &&
      file_inode(path) == member->keeper->namespace)
    member->pidfd = CALL(__NR_pidfd_open, process, 0);
}

/*
 * The program has ended: is there another process in its mount namespace? One
 * that was made during the first look can have escaped that.
 */
static int find_next_member(struct keeper *keeper) {
  struct member member = {keeper, -1};
  close_file(&keeper->program);
  for (int looks = 0; member.pidfd < 0 && looks < 3; looks++)
    each_number("/proc", find_member, &member);
  keeper->program = member.pidfd;
  return member.pidfd >= 0;
}

static long open_signals(void) {
  u64 io = 1ULL << (SIGIO - 1);
  return CALL(__NR_signalfd4, -1, &io, SIGNAL_MASK_BYTES,
              O_CLOEXEC | O_NONBLOCK);
}

static void wait(struct keeper *keeper) {
  struct pollfd files[] = {
      {.fd = (int)keeper->table, .events = POLLPRI},
      {.fd = (int)keeper->signals, .events = POLLIN},
      {.fd = (int)keeper->program, .events = POLLIN},
  };
  struct timespec pause = {keeper->pause / 1000,
                           keeper->pause % 1000 * 1000000};
  char said[512];
  CALL(__NR_ppoll, files, sizeof files / sizeof *files,
       keeper->pause == 0 ? NULL : &pause, 0, 0);
  keeper->woken = microseconds();
  if (files[1].revents)
    while (CALL(__NR_read, keeper->signals, said, sizeof said) > 0)
      ;
  if (files[2].revents && !find_next_member(keeper))
    for (;;)
      CALL(__NR_exit_group, 0);
}

static void keeper_run(void *data) {
  struct keeper *keeper = data;
  daemon_detach(&keeper->daemon, 1ULL << CAP_SYS_ADMIN |
                                     1ULL << CAP_SYS_PTRACE |
                                     1ULL << CAP_DAC_READ_SEARCH);
  char own[NUMBER_BYTES];
  long length =
      CALL(__NR_readlinkat, AT_FDCWD, "/proc/self", own, sizeof own - 1);
  own[length > 0 ? length : 0] = '\0';
  keeper->own = text_value(own, 10);
  keeper->signals = open_signals();
  keeper->woken = microseconds();
  for (u64 i = 0; i < keeper->count; i++)
    make_spare(&keeper->kept[i]);
  for (;;) {
    look_after_all(keeper);
    wait(keeper);
  }
}

/* --- its start --- */

int keeper_is_possible(void) {
  return daemon_is_possible() && CALL(__NR_pidfd_open, -1, 0) == -EINVAL;
}

/* Of a path that is relative to a working directory that it has not. */
static void copy_path(char to[PATH_BYTES], const char *path) {
  to[0] = '\0';
  if (*path != '/') {
    long bytes = CALL(__NR_getcwd, to, PATH_BYTES);
    if (bytes <= 0 || *to != '/' ||
        (size_t)bytes + 1 + text_length(path) > PATH_BYTES) {
      to[0] = '\0';
      return;
    }
    to = text_copy(to + bytes - 1, "/");
  }
  if (text_length(path) < PATH_BYTES)
    text_copy(to, path);
}

static void copy_cut(char *to, const char *from, size_t bytes) {
  while (--bytes > 0 && *from != '\0')
    *to++ = *from++;
  *to = '\0';
}

static void name(struct keeper *keeper, const char *process,
                 const char *program) {
  static const char own[] = "nspin-keeper";
  for (const char *c = program; *c != '\0'; c++)
    if (*c == '/' && c[1] != '\0')
      program = c + 1;
  copy_cut(keeper->process, process, sizeof keeper->process);
  copy_cut(keeper->name, program, sizeof keeper->name);
  text_copy(keeper->daemon.name, own);
  char *end = text_copy(keeper->daemon.words, own) + 1;
  end = text_copy(end, keeper->process) + 1;
  end = text_copy(end, keeper->name) + 1;
  keeper->daemon.word_bytes = (size_t)(end - keeper->daemon.words);
}

static void keep(struct keeper *keeper, const struct cover *cover,
                 const struct target *target) {
  struct kept *kept = &keeper->kept[keeper->count];
  struct within *within = &keeper->within[keeper->count++];
  kept->shown = target->shown;
  kept->spare = -1;
  text_copy(kept->id, target->cover_id);
  copy_path(kept->source, (const char *)cover->source);
  copy_path(kept->target, (const char *)cover->target);
  within->mount = target->within;
  text_copy(within->path, target->directory);
}

long keeper_start(const struct launch *launch, const struct target *targets,
                  const char *process, const char *program) {
  const struct cover *covers = (const struct cover *)launch->covers;
  u64 count = launch->cover_count;
  unsigned long bytes =
      sizeof(struct keeper) +
      count * (sizeof(struct kept) + sizeof(struct within) + 3 * sizeof(long));
  long at = daemon_allocate(bytes);
  if (is_error(at))
    return at;
  struct keeper *keeper = (struct keeper *)at;
  keeper->kept = (struct kept *)(keeper + 1);
  keeper->within = (struct within *)(keeper->kept + count);
  long *files = (long *)(keeper->within + count);
  keeper->daemon.more = files;
  for (u64 i = 0; i < count; i++)
    if (targets[i].is_kept) {
      keep(keeper, &covers[i], &targets[i]);
      *files++ = targets[i].within.here;
      *files++ = targets[i].within.lower;
      *files++ = targets[i].within.holder;
    }
  keeper->daemon.more_count = (size_t)(files - keeper->daemon.more);
  keeper->visitor.visit = visit;
  keeper->is_read_only = launch->read_only != 0;
  keeper->namespace = file_inode("/proc/self/ns/mnt");
  keeper->signals = -1;
  for (int i = 0; i < WATCHES; i++)
    keeper->watches[i].fd = -1;
  name(keeper, process, program);
  long *kept_files = keeper->daemon.files;
  keeper->table = kept_files[0] =
      CALL(__NR_openat, AT_FDCWD, OWN_TABLE, O_RDONLY | O_CLOEXEC);
  keeper->program = kept_files[1] = CALL(__NR_pidfd_open, CALL(__NR_getpid), 0);
  kept_files[2] = kept_files[3] = -1;
  long result = keeper->table < 0 ? keeper->table
                : keeper->program < 0
                    ? keeper->program
                    : daemon_start(&keeper->daemon, keeper_run);
  close_file(&keeper->table);
  close_file(&keeper->program);
  CALL(__NR_munmap, at, keeper->daemon.bytes);
  return result;
}
