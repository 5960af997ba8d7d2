#include "keeping.h"

struct member {
  const struct keeper *keeper;
  long pidfd;
};

static void find_member(long process, void *data) {
  struct member *member = data;
  char path[32];
  text_copy(text_number(path, (u64)process), "/ns/mnt");
  if (member->pidfd < 0 && (u64)process != member->keeper->own &&
      file_inode(path) == member->keeper->namespace)
    member->pidfd = CALL(__NR_pidfd_open, process, 0);
}

/*
 * In the /proc of the start, which is the working directory meanwhile: the
 * program can have mounted another there, with other numbers. One that was made
 * during the first look can have escaped that.
 */
int find_next_member(struct keeper *keeper) {
  struct member member = {keeper, -1};
  close_file(&keeper->program);
  if (CALL(__NR_fchdir, keeper->proc) == 0)
    for (int looks = 0; member.pidfd < 0 && looks < 2; looks++)
      each_number(".", find_member, &member);
  CALL(__NR_chdir, "/");
  keeper->program = member.pidfd;
  return member.pidfd >= 0;
}
