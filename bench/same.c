/*
 * What a launcher costs beyond its system calls: this makes the same ones, in
 * the same order, for a symbolic link by method rejoin, and nothing else. ID is
 * a string. bench/stage.ts compares both traces.
 */
#include "../ffi/statmount.h"

#include <asm/ioctl.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/time.h>

#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP 0x00000100
#endif

#define NETNS "/run/netns/" ID
#define ETC "/etc/netns/" ID
#define FILE "/etc/resolv.conf"
#define ONTO MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH

static long must(long result) {
  if (result < 0)
    CALL(__NR_exit_group, 1);
  return result;
}

static long open_at(long directory, const char *path, long flags) {
  return must(CALL(__NR_openat, directory, path, O_CLOEXEC | flags));
}

static long open(const char *path, long flags) {
  return open_at(AT_FDCWD, path, flags);
}

static void shut(long fd) { CALL(__NR_close, fd); }

static void look(long fd) {
  struct stat status;
  must(CALL(__NR_fstat, fd, &status));
}

static void look_by(const char *path) {
  struct stat status;
  must(CALL(__NR_newfstatat, AT_FDCWD, path, &status, 0));
}

/* As path_open() opens a file where no link is on the way: from root, or -1. */
static long find(long root, const char *path, u64 flags) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_DIRECTORY | flags,
                         .resolve = RESOLVE_NO_SYMLINKS};
  if (root >= 0)
    how.resolve |= RESOLVE_IN_ROOT;
  else
    root = AT_FDCWD;
  CALL(__NR_openat2, root, path, &how, sizeof how);
  how.flags &= ~(u64)O_DIRECTORY;
  return must(CALL(__NR_openat2, root, path, &how, sizeof how));
}

static struct statx status;

static void look_for(long fd, long want) {
  must(CALL(__NR_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, want,
            &status));
}

static struct statmount_answer answer;

static void look_mount(long fd) {
  look_for(fd, STATX_MNT_ID_UNIQUE);
  struct statmount_request request = {.size = sizeof request,
                                      .id = status.stx_mnt_id,
                                      .want = WANT_SB_BASIC | WANT_MNT_BASIC |
                                              WANT_ROOT | WANT_POINT};
  must(CALL(__NR_statmount, &request, &answer, sizeof answer, 0));
}

static char *by_fd(char path[17], long fd) {
  const char prefix[] = "/proc/self/fd/";
  for (unsigned i = 0; i < sizeof prefix; i++)
    path[i] = prefix[i];
  char *end = path + sizeof prefix - 1;
  if (fd > 9)
    *end++ = (char)('0' + fd / 10);
  *end++ = (char)('0' + fd % 10);
  *end = 0;
  return path;
}

static void quiet(long table) {
  struct pollfd changed = {.fd = (int)table, .events = POLLPRI};
  const struct timespec none = {0};
  must(CALL(__NR_ppoll, &changed, 1, &none, 0, 0, 0));
}

static long memory(unsigned long bytes) {
  return must(CALL(__NR_mmap, 0, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

/* A mount of what fd has open, attached nowhere yet. */
static long clone(long fd) {
  return must(CALL(__NR_open_tree, fd, "",
                   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

static void put(long mount, long onto, long flags) {
  must(CALL(__NR_move_mount, mount, "", onto, "", flags));
}

static void change(long mount, long kind) {
  char path[17];
  must(CALL(__NR_mount, 0, by_fd(path, mount), 0, kind, 0));
}

_Noreturn void launcher_start(char **stack) {
  char **argv = stack + 1;
  char **environment = argv + (long)stack[0] + 1;
  char path[17], link[20], line[255];

  struct rlimit64 found, raised;
  CALL(__NR_getrlimit, RLIMIT_NOFILE, &found);
  raised.rlim_cur = raised.rlim_max = found.rlim_max;
  CALL(__NR_setrlimit, RLIMIT_NOFILE, &raised);
  CALL(__NR_gettid);
  CALL(__NR_getpid);
  must(CALL(__NR_readlinkat, AT_FDCWD, "/proc/self", link, sizeof link));
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct capabilities[2];
  must(CALL(__NR_capget, &header, capabilities));
  memory(24);

  long named = open(NETNS, O_PATH);
  struct statfs system;
  must(CALL(__NR_fstatfs, named, &system));
  long net = open(by_fd(path, named), O_RDONLY);
  shut(named);
  must(CALL(__NR_ioctl, net, NS_GET_NSTYPE));
  shut(must(CALL(__NR_ioctl, net, NS_GET_USERNS)));
  long mounts = open("/proc/self/ns/mnt", O_RDONLY);
  long root = open("/", O_PATH);
  open(".", O_PATH);
  long table = open("/proc/self/mountinfo", O_RDONLY);
  quiet(table);

  long etc = open(ETC, O_RDONLY | O_DIRECTORY);
  long entries = memory(16385);
  long bytes = must(CALL(__NR_getdents64, etc, entries, 16384));
  must(CALL(__NR_getdents64, etc, entries + bytes, 16384 - bytes));
  shut(etc);
  memory(239);
  CALL(__NR_munmap, entries, 16385);
  memory(20881);
  long source = find(-1, ETC "/resolv.conf", 0);
  look_for(source, STATX_BASIC_STATS);
  long file = find(-1, FILE, O_NOFOLLOW);
  look_for(file, STATX_MNT_ID);
  look_for(file, STATX_BASIC_STATS);
  look_mount(file);
  const char *point = answer.text + answer.point;
  look_by("/proc/self/ns/user");
  long there = open(point, O_PATH | O_NOFOLLOW);
  look_for(there, STATX_MNT_ID);
  CALL(__NR_move_mount, -1, "", -1, "", ONTO | MOVE_MOUNT_SET_GROUP);
  long cover = clone(source);
  shut(source);
  shut(file);

  must(CALL(__NR_unshare, CLONE_NEWNS));
  long here = open(point, O_PATH | O_NOFOLLOW);
  look_mount(here);
  change(here, MS_SLAVE);
  file = find(-1, FILE, O_NOFOLLOW);
  look_for(file, STATX_BASIC_STATS);
  look_mount(file);
  long below = clone(file);
  put(below, file, ONTO);
  change(below, MS_PRIVATE);
  put(cover, below, ONTO);
  change(cover, MS_PRIVATE);
  shut(cover);
  shut(below);
  shut(file);
  file = find(-1, FILE, O_NOFOLLOW);
  look_for(file, STATX_BASIC_STATS);
  shut(file);
  quiet(table);
  change(here, MS_PRIVATE);
  put(there, here, ONTO | MOVE_MOUNT_SET_GROUP);
  quiet(table);
  shut(there);
  shut(here);
  file = find(root, FILE, O_NOFOLLOW);
  look_for(file, STATX_BASIC_STATS);
  look_for(file, STATX_MNT_ID);
  shut(file);

  look_by(argv[1]);
  must(CALL(__NR_faccessat, AT_FDCWD, argv[1], 1));
  long program = open(argv[1], O_RDONLY);
  must(CALL(__NR_read, program, line, sizeof line));
  shut(program);
  look(mounts);
  look_by("/proc/1/ns/mnt");
  must(CALL(__NR_setns, net, CLONE_NEWNET));
  CALL(__NR_setrlimit, RLIMIT_NOFILE, &found);
  CALL(__NR_execve, argv[1], argv + 1, environment);
  for (;;)
    CALL(__NR_exit_group, 1);
}
