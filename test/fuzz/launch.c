/*
 * The sequence under any struct that the command line can hand over, any mount
 * table and any answers of the kernel: whatever happens, the program is started
 * only with all that was asked for, and the host is changed by pin alone.
 */
#include "../../ffi/launch.h"
#include "../../ffi/inherit.h"
#include "../../ffi/target.h"

#include <asm/errno.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <setjmp.h>
#include <string.h>

/* Of <stdlib.h>, which defines what <linux/resource.h> defines too. */
void *calloc(size_t count, size_t bytes);
void free(void *block);
int atoi(const char *text);

struct launch {
  LAUNCH_FIELDS(FIELD)
};
unsigned nspin_launch(struct launch *launch);
unsigned nspin_decide(struct launch *launch);
unsigned nspin_unpin(struct launch *launch);

#define NUMBERED(name, when, verb, object) STEP_##name,
enum { STEP_NONE, LAUNCH_STEPS(NUMBERED) STEP_END };
#define METHOD(name, bit) bit |
enum { ALL_METHODS = METHODS(METHOD) 0, FDS = 512, COVERS = 3 };

static const char *const sources[COVERS] = {"/s/0", "/s/1", "/s/2"};
static const char *const targets[COVERS] = {"/etc/a", "/etc/b", "/srv/c"};
/* Before and after the mount that holds the first two is made a slave. */
static const char slave[] = "22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n"
                            "36 22 0:22 / /etc rw master:7 - tmpfs t rw\n"
                            "37 22 254:0 /srv /srv rw - ext4 /dev/vda rw\n"
                            "40 22 0:30 / /proc/x/d rw - tmpfs nspin rw\n";
static const char ordinary[] =
    "22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n"
    "36 22 0:22 / /etc rw shared:7 master:2 - tmpfs t rw\n"
    "37 22 254:0 /srv /srv rw - ext4 /dev/vda rw\n"
    "40 22 0:30 / /proc/x/d rw - tmpfs nspin rw\n";

char fuzz_record[sizeof(struct record)] __attribute__((aligned(8)));
static struct record *const record = (struct record *)fuzz_record;

static struct {
  const uint8_t *answers, *table;
  size_t answers_left, table_bytes;
  struct launch *launch;
  jmp_buf started;
  /* What has happened. */
  int is_host, is_locked, left, has_netns, has_failed, calls;
  struct {
    int is_pinned, is_bound, is_private, is_seen, is_kept;
  } done[COVERS];
  struct {
    char path[64];
    struct content content;
    int is_clone;
  } fds[FDS];
  int fd_count;
  void *blocks[8];
  int block_count;
} k;

static unsigned answer(void) {
  if (k.answers_left == 0)
    return 0;
  k.answers_left--;
  return *k.answers++;
}

static long error(void) {
  static const long errors[] = {EPERM,  ENOENT, EIO,    EINTR,  EAGAIN, ENOMEM,
                                EACCES, EBUSY,  ENODEV, EINVAL, EMFILE, ENOSPC,
                                ENOSYS, ESTALE, ELOOP,  E2BIG};
  unsigned byte = answer();
  return byte < 0xe0 ? 0 : -errors[byte & 15];
}

/* Which cover's target a path is, as the sequence or the host's root has it. */
static int target_of(const char *path) {
  for (int i = 0; i < COVERS; i++)
    if (strcmp(path, targets[i]) == 0 || strcmp(path, targets[i] + 1) == 0)
      return i;
  return -1;
}

static const char *fd_name(const char *path) {
  if (strncmp(path, "/proc/self/fd/", 14) != 0)
    return path;
  int fd = atoi(path + 14);
  return fd >= 0 && fd < k.fd_count ? k.fds[fd].path : "";
}

static long open_at(const char *path) {
  long result = error();
  if (result < 0 || k.fd_count == FDS)
    return result < 0 ? result : -EMFILE;
  struct content content = {(const uint8_t *)"", 0, 1024};
  if (strcmp(path, "/proc/self/mountinfo") == 0) {
    content.bytes = k.table;
    content.have = k.table_bytes;
    if (k.left > 0 && k.table == (const uint8_t *)ordinary) {
      content.bytes = (const uint8_t *)slave;
      content.have = sizeof slave - 1;
    }
  } else if (strncmp(path, "/proc/self/fdinfo/", 18) == 0) {
    static const char *const ids[] = {"pos:\t0\nmnt_id:\t22\n", "mnt_id:\t36\n",
                                      "mnt_id:\t37\n", "pos:\t0\n"};
    const char *name = k.fds[atoi(path + 18)].path;
    int target = target_of(name);
    int is_etc = strncmp(name, "/etc", 4) == 0;
    int pinned = target >= 0 && k.done[target].is_pinned;
    unsigned byte = answer();
    const char *id = ids[byte >= 0xe0 ? byte & 3 : 2 - (is_etc && !pinned)];
    content.bytes = (const uint8_t *)id;
    content.have = strlen(id);
  } else if (strcmp(path, "/proc/self/cmdline") == 0) {
    content.bytes = (const uint8_t *)"nspin\0run\0--\0p\0a";
    content.have = 17;
  }
  strncpy(k.fds[k.fd_count].path, path, sizeof k.fds[0].path - 1);
  k.fds[k.fd_count].content = content;
  return k.fd_count++;
}

static long stat_at(long directory, const char *path, long flags,
                    struct statx *status) {
  long result = error();
  if (result < 0)
    return result;
  const char *name = *path == '\0' ? k.fds[directory].path : path;
  int target = target_of(name);
  int is_here = target >= 0 && directory == AT_FDCWD;
  memset(status, 0, sizeof *status);
  status->stx_mode = S_IFREG;
  status->stx_ino = target < 0 ? (u64)name[strlen(name) - 1]
                    : is_here && k.done[target].is_bound
                        ? (u64)sources[target][3]
                        : 200u + (unsigned)target;
  if (strcmp(name, "/proc/self/ns/user") == 0)
    status->stx_ino = answer() < 0xe0 ? 0xeffffffd : 1;
  unsigned byte = answer();
  if (byte >= 0xf0) { /* it has changed */
    status->stx_ino = 1000 + (u64)k.calls;
    return 0;
  }
  if (target >= 0 && flags & AT_SYMLINK_NOFOLLOW) {
    k.done[target].is_seen |= is_here && k.done[target].is_bound;
    k.done[target].is_kept |= directory >= 0;
  }
  if (byte >= 0xe0)
    status->stx_mode = byte & 1 ? S_IFDIR : S_IFLNK;
  return 0;
}

/* What each changes is watched: on the host there is little that may be. */
static long mount(const char *source, const char *onto, const char *type,
                  unsigned long flags) {
  int target = target_of(fd_name(onto));
  if (k.is_host) {
    must(k.is_locked && type == NULL && target >= 0);
    must(flags == MS_PRIVATE || (flags & ~(u64)MS_REC) == MS_BIND);
    must(flags == MS_PRIVATE || strcmp(source, onto) == 0);
    long result = error();
    if (result == 0 && flags == MS_PRIVATE)
      k.done[target].is_pinned = 1;
    return result;
  }
  long result = error();
  k.has_failed |= result < 0;
  k.left += result == 0 && flags == MS_SLAVE;
  if (result == 0 && flags & MS_BIND && !(flags & MS_REMOUNT) && target >= 0) {
    must(strcmp(fd_name(source), sources[target]) == 0);
    k.done[target].is_bound = 1;
  }
  if (result == 0 && (flags & ~(u64)MS_REC) == MS_PRIVATE && target >= 0)
    k.done[target].is_private = k.done[target].is_bound;
  return result;
}

static void leave(int is_host) {
  k.is_host = is_host;
  k.left = k.has_failed = 0;
  for (int i = 0; i < COVERS; i++)
    k.done[i].is_bound = k.done[i].is_private = k.done[i].is_seen = 0;
}

static void starts(const char *const *argv, char **environment) {
  const struct launch *launch = k.launch;
  must(record->magic == GUARD_MAGIC);
  must(environment == record->environment);
  must(!k.is_host == (launch->cover_count > 0));
  must(!k.has_failed && k.left == 0);
  for (u64 i = 0; i < launch->cover_count; i++)
    must(k.done[i].is_bound && k.done[i].is_private && k.done[i].is_seen &&
         k.done[i].is_kept);
  must(k.has_netns == (int)launch->join);
  for (u64 i = 0; i < launch->enter_count; i++)
    argv++;
  if (launch->skip == 3)
    must(strcmp(*argv++, "p") == 0);
  must(strcmp(*argv++, "a") == 0 && *argv == NULL);
  longjmp(k.started, 1);
}

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)f;
  k.calls++;
  switch (number) {
  case __NR_openat:
    return open_at((const char *)b);
  case __NR_read: {
    long result = error();
    return result < 0 ? result : content_read(&k.fds[a].content, b, c);
  }
  case __NR_statx:
    return stat_at(a, (const char *)b, c, (struct statx *)e);
  case __NR_readlinkat: {
    const char *name = fd_name((const char *)b);
    long result = error(), length = (long)strlen(name);
    if (result == 0)
      memcpy((char *)c, name, (size_t)length);
    must(length <= d);
    return result < 0 ? result : length;
  }
  case __NR_capget:
    ((struct { unsigned effective, permitted, inheritable; } *)b)[0].effective =
        answer() < 0xe0 ? ~0u : 0;
    return error();
  case __NR_fstatfs:
    *(long *)b = answer() < 0xe0 ? NSFS_MAGIC : 1;
    return error();
  case __NR_ioctl:
    return answer() < 0xe0 ? CLONE_NEWNET : CLONE_NEWNS;
  case __NR_flock: {
    long result = error();
    k.is_locked |= result == 0;
    return result;
  }
  case __NR_mount:
    return mount((const char *)a, (const char *)b, (const char *)c,
                 (unsigned long)d);
  case __NR_open_tree: {
    must(k.is_host && k.is_locked && c & OPEN_TREE_CLONE);
    long result = open_at(k.fds[a].path);
    if (result >= 0)
      k.fds[result].is_clone = 1;
    return result;
  }
  case __NR_mount_setattr:
  case __NR_move_mount: {
    if (a < 0)
      return answer() < 0xe0 ? -EBADF : -ENOSYS; /* the probe */
    if (k.is_host) {                             /* pin's own */
      must(k.is_locked && k.fds[a].is_clone);
      must(number != __NR_move_mount ||
           strcmp(k.fds[a].path, k.fds[c].path) == 0);
      return error();
    }
    long result = error();
    k.has_failed |= result < 0;
    k.left -= result == 0 && number == __NR_move_mount;
    return result;
  }
  case __NR_umount2:
    must(k.is_host && k.is_locked);
    return error();
  case __NR_unshare: {
    long result = error();
    must(a == CLONE_NEWNS);
    if (result == 0)
      leave(0);
    return result;
  }
  case __NR_setns: {
    long result = error();
    if (result == 0 && b == CLONE_NEWNS)
      leave(1);
    if (result == 0 && b == CLONE_NEWNET) {
      must(a >= 3 && a < k.fd_count);
      k.has_netns = 1;
    }
    return result;
  }
  case __NR_ppoll:
    return answer() >= 0xf0;
  case __NR_gettid:
  case __NR_getpid:
    return answer() < 0xf0 ? 42 : 43;
  case __NR_execve: {
    long result = error();
    if (result == 0)
      starts((const char *const *)b, (char **)c);
    return result;
  }
  case __NR_getdents64:
    return error();
  case __NR_rt_sigaction: /* Bun ignores SIGPIPE */
    if (c != 0)
      *(struct signal_action *)c = (struct signal_action){.handler = a == 13};
    return error();
  case __NR_rt_sigpending:
    *(u64 *)a = answer();
    return error();
  case __NR_mremap:
    return -ENOMEM;
  }
  return error();
}

long fuzz_allocate(unsigned long bytes) {
  if (answer() >= 0xf8)
    return -ENOMEM;
  must(k.block_count < 8);
  return (long)(k.blocks[k.block_count++] = calloc(1, bytes));
}

/* WHAT METHOD SKIP TABLE-LENGTH*4, the table, the answers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4)
    return 0;
  unsigned what = data[0], flags = data[1];
  size_t table = (size_t)data[3] * 4;
  size -= 4;
  if (table > size)
    table = size;
  memset(&k, 0, sizeof k);
  k.is_host = 1;
  k.fd_count = 3;
  k.table = table > 0 ? data + 4 : (const uint8_t *)ordinary;
  k.table_bytes = table > 0 ? table : sizeof ordinary - 1;
  k.answers = data + 4 + table;
  k.answers_left = size - table;

  struct cover covers[COVERS];
  for (size_t i = 0; i < COVERS; i++)
    covers[i] = (struct cover){(u64)sources[i], (u64)targets[i],
                               flags & 0x40 ? data[2] / 8 : 0, data[2]};
  struct launch launch = {
      .size = sizeof launch - (what >= 0xf0 ? what & 15 : 0),
      .netns = what & 4 ? (u64) "/run/netns/n" : 0,
      .join = (what & 12) == 12,
      .covers = (u64)covers,
      .cover_count = what & 3,
      .method = flags & ALL_METHODS,
      .read_only = flags >> 4 & 1,
      .enter = flags & 0x20 ? (u64) "nsenter\0\0--" : 0,
      .enter_count = flags & 0x20 ? 3 : 0,
      .skip = 3 + (data[2] == 1),
      .lock = (u64) "/run/nspin.lock",
      .failed_cover = data[2],
  };
  k.launch = &launch;
  static const char path[] = "PATH=/bin:/usr/bin";
  static char *variables[] = {(char *)path, NULL};
  static unsigned descriptors[] = {0, 5};
  *record =
      (struct record){.magic = what & 0x80 && size % 8 == 7 ? 0 : GUARD_MAGIC,
                      .directory = flags & 0x80 ? 9 : -1,
                      .descriptor_count = 2,
                      .descriptors = descriptors,
                      .environment = variables};

  unsigned (*entry)(struct launch *) = what & 0x40   ? nspin_decide
                                       : what & 0x20 ? nspin_unpin
                                                     : nspin_launch;
  if (entry == nspin_unpin && launch.cover_count == 0)
    launch.cover_count = 1;
  if (setjmp(k.started) == 0) {
    unsigned failed = entry(&launch);
    must(entry != nspin_launch || failed != 0);
    must(failed >> 16 < STEP_END && (failed == 0) == ((failed & 0xffff) == 0));
    must((failed >> 16 == STEP_CONTRACT) == (launch.size != sizeof launch));
    must(failed >> 16 != STEP_CONTRACT || k.calls == 0);
    must(entry == nspin_decide ? !k.is_locked : 1);
  } else
    must(entry == nspin_launch);
  while (k.block_count > 0)
    free(k.blocks[--k.block_count]);
  return 0;
}
