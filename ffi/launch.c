/*
 * The pinned sequence: from "am I the thread-group leader" to execve, in one
 * call on one thread. Mount namespaces belong to threads (unshare(2)): a
 * runtime that moves a caller between threads would mount on the host what was
 * meant for the program. Nothing can move us between two lines of this file.
 *
 * Everything is opened and checked before the first namespace changes; after
 * that there is only "become the program" or "say what failed".
 */
#include "launch.h"
#include "inherit.h"
#include "proc.h"
#include "program.h"

#include <asm/errno.h>
#include <asm/ioctl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <linux/stat.h>

#define MNT_DETACH 2 /* umount2(2); in libc's <sys/mount.h> only */
#define UMOUNT_NOFOLLOW 8
#define LOCK_EX 2 /* flock(2) */

#define FIELD(name, meaning) u64 name;
struct launch {
  LAUNCH_FIELDS(FIELD)
};
struct cover {
  COVER_FIELDS(FIELD)
};

#define NUMBERED(name, when, verb, object) STEP_##name,
enum step { STEP_NONE, LAUNCH_STEPS(NUMBERED) };

struct file { /* what stat(2) knows a file by */
  u64 device, inode;
  int is_directory;
};

struct target {
  char path[PATH_BYTES]; /* without symbolic links */
  struct file source;
  struct file host;
  int is_shared;     /* the mount that holds it, on the host */
  int is_self_bound; /* by us */
};

struct sequence {
  struct launch *launch;
  struct cover *covers;
  struct target *targets;
  long netns, host_root, host_mounts, lock;
  int is_unshared;
  char tid[NUMBER_BYTES];
  struct program program;
};

static long open_path(const char *path) {
  return CALL(__NR_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
}

static long look_at(long directory, const char *path, int flags,
                    struct file *file) {
  struct statx status;
  long result =
      CALL(__NR_statx, directory, path, flags, STATX_TYPE | STATX_INO, &status);
  file->device = (u64)status.stx_dev_major << 32 | status.stx_dev_minor;
  file->inode = status.stx_ino;
  file->is_directory = (status.stx_mode & S_IFMT) == S_IFDIR;
  return result;
}

static int is_same(const struct file *a, const struct file *b) {
  return a->device == b->device && a->inode == b->inode;
}

static long check_leader(struct sequence *s) {
  long tid = CALL(__NR_gettid);
  text_number(s->tid, (u64)tid);
  /* execve gives a thread the leader's id: another one's would be gone. */
  return tid == CALL(__NR_getpid) ? 0 : -ESRCH;
}

static long check_privilege(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  long result = CALL(__NR_capget, &header, sets);
  if (result < 0)
    return result;
  u64 mask = CAP_TO_MASK(CAP_SYS_ADMIN);
  return sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & mask ? 0 : -EPERM;
}

/* A path first: opening a device or a FIFO for reading would act on it. */
static long open_netns(struct sequence *s) {
  return s->netns = open_path((const char *)s->launch->netns);
}

static long check_netns(struct sequence *s) {
  struct {
    long type, rest[31]; /* struct statfs, larger than any */
  } filesystem;
  char path[64];
  long result = CALL(__NR_fstatfs, s->netns, &filesystem);
  if (result < 0)
    return result;
  if (filesystem.type != NSFS_MAGIC)
    return -EINVAL;
  text_number(text_copy(path, "/proc/self/fd/"), (u64)s->netns);
  long opened = CALL(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (opened < 0)
    return opened;
  s->netns = opened;
  return CALL(__NR_ioctl, opened, NS_GET_NSTYPE) == CLONE_NEWNET ? 0 : -EINVAL;
}

static long open_host(struct sequence *s) {
  s->host_mounts =
      CALL(__NR_openat, AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (s->host_mounts < 0)
    return s->host_mounts;
  return s->host_root = open_path("/");
}

static long open_source(struct cover *cover, struct target *target) {
  return look_at(AT_FDCWD, (const char *)cover->source, 0, &target->source);
}

/* The target's own name: from here on no symbolic link can lead elsewhere. */
static long open_target(struct cover *cover, struct target *target) {
  char link[64];
  long fd = open_path((const char *)cover->target);
  if (fd < 0)
    return fd;
  text_number(text_copy(link, "/proc/self/fd/"), (u64)fd);
  long length =
      CALL(__NR_readlinkat, AT_FDCWD, link, target->path, PATH_BYTES - 1);
  long result = look_at(fd, "", AT_EMPTY_PATH, &target->host);
  CALL(__NR_close, fd);
  if (length < 0 || result < 0)
    return length < 0 ? length : result;
  target->path[length] = '\0';
  return 0;
}

static long compare(struct target *target) {
  if (target->source.is_directory == target->host.is_directory)
    return 0;
  return target->source.is_directory ? -EISDIR : -ENOTDIR;
}

/* One launch at a time changes the host's table. */
static long lock_host(struct sequence *s) {
  s->lock = CALL(__NR_openat, AT_FDCWD, s->launch->lock,
                 O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (s->lock < 0)
    return s->lock;
  long result;
  do
    result = CALL(__NR_flock, s->lock, LOCK_EX);
  while (result == -EINTR);
  return result;
}

/*
 * What lands on a file propagates to the peers of the mount that holds it,
 * unless that mount is private: the one of an earlier launch, or the host's.
 */
static long inspect(struct target *target) {
  char id[NUMBER_BYTES];
  long fd = open_path(target->path);
  if (fd < 0)
    return fd;
  long result = mount_id(fd, id);
  if (result == 0)
    result = mount_is_shared(id);
  target->is_shared = result == 1;
  CALL(__NR_close, fd);
  return result;
}

static long mount(const char *from, const char *to, u64 flags) {
  return CALL(__NR_mount, from, to, 0, flags);
}

/* A directory comes with what is mounted in it, a file has nothing inside. */
static u64 bind_flags(const struct target *target) {
  return MS_BIND | (target->source.is_directory ? MS_REC : 0);
}

static long self_bind(struct target *target) {
  if (!target->is_shared)
    return 0;
  long result = mount(target->path, target->path, bind_flags(target));
  target->is_self_bound = result == 0;
  return result;
}

static long make_private(struct target *target) {
  if (!target->is_self_bound)
    return 0;
  return mount(0, target->path, MS_PRIVATE);
}

static long unshare_mounts(struct sequence *s) {
  long result = CALL(__NR_unshare, CLONE_NEWNS);
  s->is_unshared = result == 0;
  return result;
}

/*
 * The clone of the source is its peer until it is made private: a mount over
 * the one would appear over the other, on the host.
 */
static long bind_private(struct target *target) {
  return mount(0, target->path, MS_PRIVATE);
}

static long verify_here(struct target *target) {
  struct file seen;
  long result = look_at(AT_FDCWD, target->path, AT_SYMLINK_NOFOLLOW, &seen);
  if (result < 0)
    return result;
  return is_same(&seen, &target->source) ? 0 : -ESTALE;
}

/* A walk from a directory of the host's stays among the host's mounts. */
static long verify_host(struct sequence *s, struct target *target) {
  struct file seen;
  const char *relative = target->path[1] == '\0' ? "." : target->path + 1;
  long result = look_at(s->host_root, relative, AT_SYMLINK_NOFOLLOW, &seen);
  if (result < 0)
    return result;
  return is_same(&seen, &target->host) ? 0 : -ESTALE;
}

/* The mounts of this launch go again, in the host's namespace. */
static void undo(struct sequence *s) {
  if (s->is_unshared && CALL(__NR_setns, s->host_mounts, CLONE_NEWNS) < 0)
    return;
  for (u64 i = s->launch->cover_count; i-- > 0;)
    if (s->targets[i].is_self_bound)
      CALL(__NR_umount2, s->targets[i].path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

static long allocate_targets(struct sequence *s) {
  long result = allocate(s->launch->cover_count * sizeof(struct target));
  s->targets = (struct target *)result;
  return is_error(result) ? result : 0;
}

#define FAILED(step, result) ((unsigned)((step) << 16 | -(result)))
#define TRY(step, call)                                                        \
  do {                                                                         \
    long result_ = (call);                                                     \
    if (result_ < 0)                                                           \
      return FAILED(STEP_##step, result_);                                     \
  } while (0)
#define EACH_COVER                                                             \
  for (u64 i_ = 0;                                                             \
       i_ < s->launch->cover_count && (s->launch->failed_cover = i_, 1); i_++)
#define COVER (&s->covers[s->launch->failed_cover])
#define TARGET (&s->targets[s->launch->failed_cover])

static unsigned prepare(struct sequence *s) {
  struct launch *launch = s->launch;
  TRY(LEADER, check_leader(s));
  TRY(PRIVILEGE, check_privilege());
  TRY(INHERIT, inherit_descriptors());
  TRY(ARGUMENTS, program_arguments(&s->program, (const char *)launch->enter,
                                   launch->enter_count, launch->skip, s->tid));
  TRY(FIND, program_find(&s->program));
  if (launch->netns != 0) {
    TRY(OPEN_NETNS, open_netns(s));
    TRY(CHECK_NETNS, check_netns(s));
  }
  if (launch->cover_count == 0)
    return 0;
  TRY(OPEN_HOST, open_host(s));
  TRY(OPEN_HOST, allocate_targets(s));
  EACH_COVER {
    TRY(OPEN_SOURCE, open_source(COVER, TARGET));
    TRY(OPEN_TARGET, open_target(COVER, TARGET));
    TRY(COMPARE, compare(TARGET));
  }
  return 0;
}

static unsigned cover(struct sequence *s) {
  if (s->launch->cover_count == 0)
    return 0;
  TRY(LOCK, lock_host(s));
  EACH_COVER {
    TRY(INSPECT, inspect(TARGET));
    TRY(SELF_BIND, self_bind(TARGET));
    TRY(PRIVATE, make_private(TARGET));
  }
  TRY(UNSHARE, unshare_mounts(s));
  EACH_COVER {
    TRY(BIND,
        mount((const char *)COVER->source, TARGET->path, bind_flags(TARGET)));
    TRY(BIND_PRIVATE, bind_private(TARGET));
    TRY(VERIFY_HERE, verify_here(TARGET));
    TRY(VERIFY_HOST, verify_host(s, TARGET));
  }
  return 0;
}

static unsigned enter(struct sequence *s) {
  if (s->launch->join)
    TRY(JOIN_NETNS, CALL(__NR_setns, s->netns, CLONE_NEWNET));
  TRY(RESTORE, inherit_signals_and_limits());
  return 0;
}

/*
 * Becomes the program. Where it returns, the program was not started, and the
 * value is the failed step << 16 | errno. The host is then as it was; only the
 * mount of self_bind stays where execve itself is what failed: the lock is
 * released by then, and another launch may count on the mount.
 */
__attribute__((visibility("default"))) unsigned
nspin_launch(struct launch *launch) {
  if (launch->size != sizeof *launch)
    return FAILED(STEP_CONTRACT, -EINVAL);
  struct sequence s;
  s.launch = launch;
  s.covers = (struct cover *)launch->covers;
  s.is_unshared = 0;
  s.lock = -1;

  unsigned failed = prepare(&s);
  if (failed)
    return failed;
  failed = cover(&s);
  if (!failed)
    failed = enter(&s);
  if (failed) {
    undo(&s);
    return failed;
  }
  /* The lock must not wait for a program on a disk that does not answer. */
  CALL(__NR_close, s.lock);
  return FAILED(STEP_EXECUTE, program_execute(&s.program));
}
