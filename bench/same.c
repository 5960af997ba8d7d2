/*
 * What a launcher costs beyond its system calls: this makes the same ones, in
 * the same order, for a symbolic link by method rejoin, and nothing else. ID is
 * a string. bench/stage.ts compares both traces.
 */
#include "../ffi/statmount.h"

#include <asm/ioctl.h>
#include <asm/statfs.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
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
#define SOURCE ETC "/resolv.conf"
#define FILE "/etc/resolv.conf"
#define GROUP                                                                  \
  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH | MOVE_MOUNT_SET_GROUP

static long must(long result) {
  if (result < 0)
    CALL(__NR_exit_group, 1);
  return result;
}

static long open(const char *path, long flags) {
  return must(CALL(__NR_openat, AT_FDCWD, path, O_CLOEXEC | flags));
}

static struct statx status;

static void look(long fd, const char *path, long flags, long want) {
  must(CALL(__NR_statx, fd, path, flags, want, &status));
}

static void look_open(long fd, long want) { look(fd, "", AT_EMPTY_PATH, want); }

static struct statmount_answer answer;

static void look_mount(long fd) {
  look_open(fd, STATX_MNT_ID_UNIQUE);
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

static void shut(long fd) { CALL(__NR_close, fd); }

_Noreturn void launcher_start(char **stack) {
  char **argv = stack + 1;
  char **environment = argv + (long)stack[0] + 1;
  char a[17], b[17], link[PATH_BYTES];

  struct rlimit64 found, raised;
  CALL(__NR_getrlimit, RLIMIT_NOFILE, &found);
  raised.rlim_cur = raised.rlim_max = found.rlim_max;
  CALL(__NR_setrlimit, RLIMIT_NOFILE, &raised);
  CALL(__NR_gettid);
  CALL(__NR_getpid);
  must(CALL(__NR_readlinkat, AT_FDCWD, "/proc/self", link, 20));
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct capabilities[2];
  must(CALL(__NR_capget, &header, capabilities));
  memory(24);
  look(AT_FDCWD, argv[1], 0, STATX_TYPE);
  must(CALL(__NR_faccessat, AT_FDCWD, argv[1], 1));

  long named = open(NETNS, O_PATH);
  struct statfs system;
  must(CALL(__NR_fstatfs, named, &system));
  long net = open(by_fd(a, named), O_RDONLY);
  must(CALL(__NR_ioctl, net, NS_GET_NSTYPE));
  long etc = open(ETC, O_RDONLY | O_DIRECTORY);
  long entries = memory(16384);
  must(CALL(__NR_getdents64, etc, entries, 16384));
  must(CALL(__NR_getdents64, etc, entries, 16384));
  shut(etc);
  memory(209);

  open("/proc/self/ns/mnt", O_RDONLY);
  long root = open("/", O_PATH);
  open(".", O_PATH);
  long table = open("/proc/self/mountinfo", O_RDONLY);
  memory(16712);
  look(AT_FDCWD, SOURCE, 0, STATX_TYPE | STATX_INO);
  long file = open(FILE, O_PATH | O_NOFOLLOW);
  must(CALL(__NR_readlinkat, AT_FDCWD, by_fd(a, file), link, sizeof link - 1));
  look_open(file, STATX_TYPE | STATX_INO);
  look_open(file, STATX_MNT_ID);
  shut(file);
  file = open(FILE, O_PATH | O_NOFOLLOW);
  look_open(file, STATX_TYPE | STATX_INO);
  look_open(file, STATX_MNT_ID);
  shut(file);
  file = open(FILE, O_PATH | O_NOFOLLOW);
  look_mount(file);
  shut(file);
  const char *point = answer.text + answer.point;
  long there = open(point, O_PATH | O_NOFOLLOW);
  look_open(there, STATX_MNT_ID);
  CALL(__NR_move_mount, -1, "", -1, "", GROUP);
  look(AT_FDCWD, "/proc/self/ns/user", 0, STATX_TYPE | STATX_INO);
  quiet(table);

  must(CALL(__NR_unshare, CLONE_NEWNS));
  long here = open(point, O_PATH | O_NOFOLLOW);
  look_mount(here);
  must(CALL(__NR_mount, 0, by_fd(a, here), 0, MS_SLAVE, 0));
  long source = open(SOURCE, O_PATH);
  look_open(source, STATX_TYPE | STATX_INO);
  file = open(FILE, O_PATH | O_NOFOLLOW);
  look_mount(file);
  must(CALL(__NR_mount, by_fd(a, source), by_fd(b, file), 0, MS_BIND, 0));
  shut(file);
  shut(source);
  long cover = open(FILE, O_PATH | O_NOFOLLOW);
  must(CALL(__NR_mount, 0, by_fd(a, cover), 0, MS_PRIVATE, 0));
  shut(cover);
  look(AT_FDCWD, FILE, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO);
  quiet(table);
  must(CALL(__NR_mount, 0, by_fd(a, here), 0, MS_PRIVATE, 0));
  must(CALL(__NR_move_mount, there, "", here, "", GROUP));
  quiet(table);
  look(root, &FILE[1], AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO);
  must(CALL(__NR_setns, net, CLONE_NEWNET));
  CALL(__NR_setrlimit, RLIMIT_NOFILE, &found);
  shut(-1);
  CALL(__NR_execve, argv[1], argv + 1, environment);
  for (;;)
    CALL(__NR_exit_group, 1);
}
