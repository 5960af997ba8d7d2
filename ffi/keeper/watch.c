#include "keeping.h"

#include <asm/errno.h>

/*
 * By a descriptor of a detached private clone, so that the mount itself is not
 * kept busy. inotify(7) would take one of the user's 128 instances for each
 * program; this takes none.
 */
static long watch(long directory) {
  const unsigned changes = DN_CREATE | DN_DELETE | DN_RENAME | DN_MULTISHOT;
  long clone = mount_clone(directory, 0);
  if (clone < 0)
    return clone;
  mount_propagation(clone, MS_PRIVATE);
  long fd = CALL(__NR_openat, clone, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CALL(__NR_close, clone);
  long result = fd < 0 ? fd : CALL(__NR_fcntl, fd, F_NOTIFY, changes);
  if (result < 0)
    close_file(&fd);
  return result < 0 ? result : fd;
}

void watch_directory(struct visitor *visitor, long directory) {
  struct keeper *keeper =
      (struct keeper *)((char *)visitor - offsetof(struct keeper, visitor));
  struct watch *free = NULL;
  struct file file;
  if (file_look_at(directory, &file) < 0)
    return;
  for (int i = 0; i < KEEPER_WATCHES; i++) {
    struct watch *watch = &keeper->watches[i];
    if (watch->fd < 0)
      free = watch;
    else if (watch->device == file.device && watch->inode == file.inode) {
      watch->seen = keeper->look;
      return;
    }
  }
  long fd = free == NULL ? -ENOSPC : watch(directory);
  if (fd >= 0)
    *free = (struct watch){file.device, file.inode, fd, keeper->look};
  /* Then it looks again: for what came before, of which it is not told. */
  keeper->has_new_watch |= fd >= 0 || is_shortage(fd);
}

void forget_directories(struct keeper *keeper) {
  for (int i = 0; i < KEEPER_WATCHES; i++)
    if (keeper->watches[i].seen != keeper->look)
      close_file(&keeper->watches[i].fd);
}
