#include "keeping.h"

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
int find_next_member(struct keeper *keeper) {
  struct member member = {keeper, -1};
  close_file(&keeper->program);
  for (int looks = 0; member.pidfd < 0 && looks < 3; looks++)
    each_number("/proc", find_member, &member);
  keeper->program = member.pidfd;
  return member.pidfd >= 0;
}
