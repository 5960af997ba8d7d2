/*
 * The sequence under any struct that the command line can hand over, any mount
 * table, any entries of /etc/netns/ID and any answers of the kernel: whatever
 * happens, the program is started only with all that was asked for, and the
 * host is changed by pin alone.
 */
#include "../../ffi/statmount.h"
#include "../../ffi/target.h"

#include <asm/errno.h>
#include <linux/auxvec.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <setjmp.h>
#include <string.h>

/* Of <stdlib.h>, which defines what <linux/resource.h> defines too. */
void *calloc(size_t count, size_t bytes);
void free(void *block);
int atoi(const char *text);

#define METHOD(name, bit) bit |
#define ONE(...) +1
enum { ALL_METHODS = METHODS(METHOD) 0, LAST_STEP = LAUNCH_STEPS(ONE) };
enum { FDS = 512, ASKED = 3, RESOLV_CONF = 4, COVERS };

/* Those that are asked for, and those that /etc/netns/n can have. */
static const char *const sources[COVERS] = {
    "/s/0", "/s/1", "/s/2", "/etc/netns/n/a", "/etc/netns/n/resolv.conf"};
static const char *const targets[COVERS] = {"/etc/0", "/etc/1", "/srv/c",
                                            "/etc/a", "/etc/resolv.conf"};
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

static struct record record[1];

static struct {
  const uint8_t *answers, *table;
  size_t answers_left, table_bytes;
  struct launch *launch;
  const struct program *program;
  jmp_buf started;
  unsigned entries; /* of /etc/netns/n, bits */
  /* What has happened. */
  int is_host, is_locked, left, has_netns, has_failed, calls;
  struct {
    int is_pinned, is_bound, is_private, is_seen, is_kept;
    int is_asked, is_listed;
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

static int is_wanted(int cover) {
  return k.done[cover].is_asked || k.done[cover].is_listed;
}

/* Whether /etc/netns/n is there at all, its answers say as well. */
static long is_gone(long result) {
  for (int i = ASKED; i < COVERS && result == -ENOENT; i++)
    k.done[i].is_listed = 0;
  return result;
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

static u64 mount_id_of(const char *name);

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
    static char line[64];
    u64 id = mount_id_of(k.fds[atoi(path + 18)].path);
    text_number(text_copy(line, "pos:\t0\nmnt_id:\t"), id);
    content.bytes = (const uint8_t *)(id >= 0xf8 ? "pos:\t0\n" : line);
    content.have = strlen((const char *)content.bytes);
  }
  strncpy(k.fds[k.fd_count].path, path, sizeof k.fds[0].path - 1);
  k.fds[k.fd_count].content = content;
  return k.fd_count++;
}

static u64 inode_of(const char *source) {
  u64 sum = 0;
  while (*source != '\0')
    sum = (sum * 31 + (unsigned char)*source++) % 100;
  return sum;
}

/* The mounts of the tables above: / is 22, /etc 36, /srv 37. */
static u64 mount_id_of(const char *name) {
  unsigned byte = answer();
  int target = target_of(name);
  int is_pinned = target >= 0 && k.done[target].is_pinned;
  if (byte >= 0xf0)
    return byte;
  return strncmp(name, "/etc", 4) == 0 && !is_pinned ? 36
         : strcmp(name, "/") == 0                    ? 22
                                                     : 37;
}

/*
 * As the kernel tells it: strings that end within the answer, of any length
 * that fits there, or of the mount; with masks of any kind.
 */
static long statmount(const struct statmount_request *request,
                      struct statmount_answer *told, size_t room) {
  long result = error();
  must(request->size == 24 && room == sizeof *told && request->spare == 0);
  if (result < 0)
    return result;
  int is_etc = (unsigned)request->id == 36,
      is_root = (unsigned)request->id == 22;
  unsigned odd = answer();
  memset(told, 0xa5, sizeof *told);
  told->size = sizeof *told;
  told->mask = odd < 0xf0 ? request->want : answer();
  told->id = request->id;
  told->old_id = (unsigned)request->id;
  told->old_parent = is_root ? 1 : 22;
  told->parent = odd < 0xf8 ? 1ULL << 32 | told->old_parent : 0;
  told->device_major = is_etc ? 0 : 254;
  told->device_minor = is_etc ? 22 : 0;
  told->attributes = 0;
  told->propagation = odd >= 0xe0 ? answer() << 16 : is_root ? MS_SHARED : 0;
  if (is_etc && odd < 0xe0)
    told->propagation = k.left > 0 ? MS_SLAVE : MS_SHARED | MS_SLAVE;
  const char *root = is_etc || is_root ? "/" : "/srv";
  const char *point = is_etc ? "/etc" : is_root ? "/" : "/srv";
  told->root = 0;
  told->point = (unsigned)strlen(root) + 1;
  strcpy(told->text, root);
  strcpy(told->text + told->point, point);
  if (odd >= 0xf4) { /* longer than a path, or empty */
    size_t length = (size_t)answer() * 32;
    memset(told->text, '/', length);
    told->text[length] = '\0';
    unsigned byte = answer();
    told->root = byte & 1 ? (unsigned)length : 0;
    told->point = byte & 2 ? (unsigned)length : 0;
  }
  return 0;
}

/* The directory in one piece, or in two. */
static long entries(struct content *content, char *to, size_t room) {
  static const char *const names[] = {".", "..", "a", "resolv.conf"};
  long result = is_gone(error());
  if (result < 0)
    return result;
  size_t have = 0;
  for (size_t i = content->have; i < 4; i++) {
    if (i >= 2 && !(k.entries >> (i - 2) & 1))
      continue;
    struct dirent64 *entry = (struct dirent64 *)(to + have);
    size_t bytes = (sizeof *entry + strlen(names[i]) + 1 + 7) & ~7ul;
    must(have + bytes <= room);
    *entry = (struct dirent64){.reclen = (unsigned short)bytes};
    strcpy(entry->name, names[i]);
    have += bytes;
    content->have = i + 1;
    if (answer() & 1)
      break;
  }
  return (long)have;
}

static long stat_at(long directory, const char *path, long flags, unsigned mask,
                    struct statx *status) {
  long result = error();
  if (result < 0)
    return result;
  const char *name = *path == '\0' ? k.fds[directory].path : path;
  int target = target_of(name);
  int is_here = target >= 0 && directory == AT_FDCWD;
  memset(status, 0, sizeof *status);
  status->stx_mode = S_IFREG;
  status->stx_ino = target < 0 ? inode_of(name)
                    : is_here && k.done[target].is_bound
                        ? inode_of(sources[target])
                        : 200u + (unsigned)target;
  unsigned ids = answer(); /* those that the kernel knows, and tells if asked */
  if (ids < 0x80 && mask & STATX_MNT_ID_UNIQUE) {
    status->stx_mask = STATX_MNT_ID_UNIQUE;
    status->stx_mnt_id = 1ULL << 32 | mount_id_of(name);
  } else if (ids < 0xc0) {
    status->stx_mask = STATX_MNT_ID;
    status->stx_mnt_id = mount_id_of(name);
  }
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
  must(environment == record->environment);
  must(argv == (const char *const *)k.program->argv);
  must(!k.is_host == (launch->cover_count > 0));
  must(!k.has_failed && k.left == 0);
  for (int i = 0; i < COVERS; i++)
    must(!is_wanted(i) || (k.done[i].is_bound && k.done[i].is_private &&
                           k.done[i].is_seen && k.done[i].is_kept));
  must(launch->etc == 0 || is_wanted(RESOLV_CONF));
  must(k.has_netns == (int)launch->join);
  if (launch->word_count > 0) {
    must(strcmp(*argv++, "nsenter") == 0);
    must(strcmp(*argv++, launch->tid_word == 2 ? "/proc/self" : "") == 0);
    must(strcmp(*argv++, "--") == 0);
  }
  if (launch->skip == 3)
    must(strcmp(*argv++, "p") == 0);
  must(strcmp(*argv++, "a") == 0 && *argv == NULL);
  longjmp(k.started, 1);
}

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)f;
  k.calls++;
  switch (number) {
  case __NR_openat: {
    long result = open_at((const char *)b);
    return strcmp((const char *)b, "/etc/netns/n") == 0 ? is_gone(result)
                                                        : result;
  }
  case __NR_read: {
    long result = error();
    return result < 0 ? result : content_read(&k.fds[a].content, b, c);
  }
  case __NR_statx:
    return stat_at(a, (const char *)b, c, (unsigned)d, (struct statx *)e);
  case __NR_statmount:
    return statmount((const void *)a, (void *)b, (size_t)c);
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
    return strcmp(k.fds[a].path, "/etc/netns/n") == 0
               ? entries(&k.fds[a].content, (char *)b, (size_t)c)
               : error();
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
  if (bytes == 0)
    return -EINVAL; /* as mmap(2) */
  must(k.block_count < 8);
  return (long)(k.blocks[k.block_count++] = calloc(1, bytes));
}

/* WHAT METHOD SKIP TABLE-LENGTH*4 ENTRIES, the table, the answers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { HEADER = 5 };
  if (size < HEADER)
    return 0;
  unsigned what = data[0], flags = data[1], etc = data[4];
  size_t table = (size_t)data[3] * 4;
  size -= HEADER;
  if (table > size)
    table = size;
  memset(&k, 0, sizeof k);
  k.is_host = 1;
  k.fd_count = 3;
  k.table = table > 0 ? data + HEADER : (const uint8_t *)ordinary;
  k.table_bytes = table > 0 ? table : sizeof ordinary - 1;
  k.answers = data + HEADER + table;
  k.answers_left = size - table;
  k.entries = etc & 3;

  struct cover covers[ASKED + 1];
  for (size_t i = 0; i < ASKED; i++)
    covers[i] = (struct cover){.source = (u64)sources[i],
                               .target = (u64)targets[i],
                               .decision = flags & 0x40 ? data[2] / 8 : 0,
                               .holder = data[2]};
  struct launch launch = {
      .size = sizeof launch - (what >= 0xf0 ? what & 15 : 0),
      .netns = what & 4 ? (u64) "/run/netns/n" : 0,
      .join = (what & 12) == 12,
      .etc = etc & 4 ? (u64) "/etc/netns/n" : 0,
      .covers = (u64)covers,
      .cover_count = what & 3,
      .method = flags & ALL_METHODS,
      .read_only = flags >> 4 & 1,
      .words = flags & 0x20 ? (u64) "nsenter\0\0--" : 0,
      .word_count = flags & 0x20 ? 3 : 0,
      .tid_word = (flags & 0x28) == 0x28 ? 2 : 0,
      .by_command = flags >> 5 & 1,
      .skip = 3 + (data[2] == 1),
      .lock = (u64) "/run/nspin.lock",
      .failed_step = data[2],
      .failed_cover = data[2],
      .failed_errno = data[2],
  };
  /* One of them may name what /etc/netns/n has too: then that does not. */
  if (etc & 8 && launch.cover_count > 0) {
    covers[0].source = (u64)sources[RESOLV_CONF];
    covers[0].target = (u64)targets[RESOLV_CONF];
  }
  for (u64 i = 0; i < launch.cover_count; i++)
    k.done[target_of((const char *)covers[i].target)].is_asked = 1;
  for (int i = 0; i < 2; i++)
    k.done[ASKED + i].is_listed = launch.etc != 0 && k.entries >> i & 1;
  k.launch = &launch;
  static const char path[] = "PATH=/bin:/usr/bin";
  static char *variables[] = {(char *)path, NULL};
  static const u64 quiet[] = {AT_UID, 1000, AT_SECURE, 0, AT_NULL};
  static const u64 secure[] = {AT_SECURE, 1, AT_UID, 1000, AT_NULL};
  int is_secure = what >= 0xf0 && flags >= 0xf0;
  static char *line[] = {"nspin", "run", "--", "p", "a", NULL};
  static unsigned descriptors[] = {0, 5};
  *record =
      (struct record){.directory = flags & 0x80 ? 9 : -1,
                      .descriptor_count = 2,
                      .descriptors = descriptors,
                      .arguments = line,
                      .environment = variables,
                      .environment_end = (void *)(is_secure ? secure : quiet)};

  enum {
    LAUNCH,
    DECIDE,
    UNPIN
  } entry = what & 0x40   ? DECIDE
            : what & 0x20 ? UNPIN
                          : LAUNCH;
  static struct program program;
  k.program = &program;
  if (entry == UNPIN && launch.cover_count == 0)
    launch.cover_count = 1;
  if (setjmp(k.started) == 0) {
    if (entry == LAUNCH)
      sequence_launch(&launch, record, &program);
    else if (entry == DECIDE)
      sequence_decide(&launch, record);
    else
      sequence_unpin(&launch);
    u64 step = launch.failed_step;
    must(entry != LAUNCH || step != STEP_NONE);
    must(step <= LAST_STEP &&
         (step == STEP_NONE) == (launch.failed_errno == 0));
    must(launch.failed_errno < 4096);
    must((step == STEP_CONTRACT) == (launch.size != sizeof launch));
    must(step != STEP_CONTRACT || k.calls == 0);
    must(entry != DECIDE || !k.is_locked);
    /* What it was about is there to be named. */
    must(step == STEP_CONTRACT || launch.cover_count == 0 ||
         launch.failed_cover < launch.cover_count);
    if (entry == DECIDE && step == STEP_NONE)
      for (int i = 0; i < COVERS; i++) {
        u64 at = 0;
        const struct cover *told = (const struct cover *)launch.covers;
        while (at < launch.cover_count &&
               strcmp((const char *)told[at].target, targets[i]) != 0)
          at++;
        must((at < launch.cover_count) == is_wanted(i));
        must(!k.done[i].is_asked ||
             (told[at].decision > 0 && told[at].holder < launch.cover_count));
      }
  } else
    must(entry == LAUNCH);
  while (k.block_count > 0)
    free(k.blocks[--k.block_count]);
  return 0;
}
