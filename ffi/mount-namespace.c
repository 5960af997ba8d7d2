#include "mount-namespace.h"
#include "proc.h"

#include <asm/errno.h>
#include <asm/poll.h>
#include <linux/sched.h>

long host_open(struct host *host) {
  host->mounts = open_file("/proc/self/ns/mnt", O_RDONLY);
  if (host->mounts < 0)
    return host->mounts;
  host->root = open_file("/", O_PATH);
  if (host->root < 0)
    return host->root;
  host->cwd = open_file(".", O_PATH);
  if (host->cwd < 0 && host->cwd != -EACCES) /* a user's FUSE mount */
    return host->cwd;
  host->table = open_file("/proc/self/mountinfo", O_RDONLY);
  return host->table < 0 ? host->table : 0;
}

void host_close(struct host *host) {
  close_file(&host->mounts);
  close_file(&host->root);
  close_file(&host->cwd);
  close_file(&host->table);
}

long host_leave(struct host *host) {
  long result = CALL(__NR_unshare, CLONE_NEWNS);
  host->is_left = result == 0;
  return result;
}

long host_return(struct host *host) {
  if (!host->is_left)
    return 0;
  long result = CALL(__NR_setns, host->mounts, CLONE_NEWNS);
  if (result < 0)
    return result;
  host->is_left = 0;
  result = CALL(__NR_fchdir, host->root);
  if (result < 0)
    return result;
  result = CALL(__NR_chroot, ".");
  if (result < 0)
    return result;
  return host->cwd < 0 ? host->cwd : CALL(__NR_fchdir, host->cwd);
}

int host_changed(struct host *host) {
  struct pollfd table = {.fd = (int)host->table, .events = POLLPRI};
  struct {
    long seconds, nanoseconds;
  } now = {0, 0};
  return CALL(__NR_ppoll, &table, 1, &now, 0, 0) > 0;
}
