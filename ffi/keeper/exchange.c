#include "keeping.h"

#include <asm/errno.h>

/* What is laid there on a mount that is shared is laid on its peers too. */
static long check_below(long cover) {
  struct mount mount, below;
  MUST(mount_of(cover, &mount));
  MUST(mount_below(&mount, &below));
  return below.is_shared ? -EINVAL : 0;
}

/*
 * The new one beneath the old cover, on what that lies on, and then the old one
 * taken away. -EINVAL: not on this kernel, or not on that. The old one lies on
 * the root of the new one then: where that is replaced in between, the kernel
 * has taken the old one away (detach_mounts()), and umount(2) says EINVAL.
 */
static long exchange_beneath(struct keeper *keeper, struct kept *kept,
                             long source) {
  struct place place = {.fd = -1};
  long clone = clone_source(keeper, kept, source);
  if (clone < 0)
    return clone;
  long result = open_cover(kept, &place);
  if (result == 0)
    result = check_below(place.fd);
  if (result == 0)
    result = mount_attach_beneath(clone, place.fd);
  if (result == 0) {
    result = unmount_here(place.fd);
    if (result == 0 || result == -EINVAL)
      result = mount_id(clone, kept->id);
  }
  close_file(&place.fd);
  close_file(&clone);
  return result;
}

/* --- without that: all of the directory at once --- */

/* The directory that the target is in, and the mount of it on itself. */
static long open_directory(const struct keeper *keeper,
                           const struct place *target, struct place *directory,
                           struct within **within) {
  struct mount mount;
  char path[PATH_BYTES];
  path_directory(target->path, path);
  MUST(path_open(-1, path, LINK_ITSELF, directory));
  MUST(mount_of(directory->fd, &mount));
  *within = find_within(keeper, mount.id);
  return 0;
}

/* With a private mount of the target below it, as cover.h has it. */
static long lay_on(long target, long clone) {
  long below = mount_clone(target, 0);
  long result = below < 0 ? below : mount_attach(below, target);
  if (result == 0)
    result = mount_change(below, MS_PRIVATE);
  if (result == 0)
    result = mount_attach(clone, below);
  close_file(&below);
  return result;
}

/*
 * In a mount namespace that nobody else is in: the directory, without the old
 * cover and what that lies on, with the new one, as a detached clone of it all.
 * The source can be another one by now: kept->shown is what it was here.
 */
static long clone_directory(const struct keeper *keeper, struct kept *kept) {
  struct place target = {.fd = -1}, source = {.fd = -1}, directory = {.fd = -1};
  struct mount mount;
  struct file file;
  char path[PATH_BYTES];
  MUST(open_target(kept, &target, NULL));
  path_directory(target.path, path);
  long result = path_open(-1, path, LINK_ITSELF, &directory);
  if (result == 0)
    result =
        mount_propagation(directory.fd, MS_PRIVATE); /* a root, or EINVAL */
  while (result >= 0 && (result = mount_of(target.fd, &mount)) == 0 &&
         text_equal(mount.point, target.path)) {
    result = unmount_here(target.fd);
    close_file(&target.fd);
    if (result == 0)
      result = open_target(kept, &target, NULL);
  }
  if (result == 0)
    result = path_open(-1, kept->source, LINK_FOLLOWED, &source);
  if (result >= 0)
    result = file_look_at(source.fd, &file);
  long clone = result < 0 ? result : clone_source(keeper, kept, source.fd);
  result = clone < 0 ? clone : lay_on(target.fd, clone);
  close_file(&clone);
  if (result >= 0)
    result = mount_clone(directory.fd, AT_RECURSIVE);
  if (result >= 0)
    kept->shown = file;
  close_file(&directory.fd);
  close_file(&source.fd);
  close_file(&target.fd);
  return result;
}

/*
 * Such a clone, over the directory's mount, which stays below it. Where the
 * kernel cannot lay a mount beneath another (before Linux 6.5), it is the only
 * way on which the program never sees the host's file.
 */
static long exchange_directory(struct keeper *keeper, struct kept *kept) {
  const struct file old = kept->shown;
  struct place cover = {.fd = -1}, directory = {.fd = -1};
  struct within *within = NULL;
  char id[NUMBER_BYTES];
  long result = open_cover(kept, &cover);
  if (result == 0)
    result = open_directory(keeper, &cover, &directory, &within);
  close_file(&cover.fd);
  close_file(&directory.fd);
  MUST(result);
  if (within == NULL)
    return -EINVAL;
  int was_level = is_level(keeper, within) == 1;
  long clone = elsewhere(keeper, kept, clone_directory);
  if (clone < 0)
    return clone;
  result = leave_within(within);
  if (result == 0) /* what came before it was a slave is shared */
    result = path_open(-1, within->path, LINK_ITSELF, &directory);
  if (result == 0)
    result = mount_id(directory.fd, id);
  if (result == 0 && !text_equal(id, within->mount.id))
    result = -ESTALE;
  close_file(&directory.fd);
  if (result == 0)
    result = mount_attach(clone, within->mount.here);
  rejoin_within(within); /* the next look does it again */
  if (result < 0) {
    CALL(__NR_close, clone);
    kept->shown = old;
    return result;
  }
  close_file(&within->mount.here);
  text_copy(within->old_id, within->mount.id);
  within->mount.here = clone;
  within->is_out = 1;
  MUST(mount_id(clone, within->mount.id));
  find_covers(keeper);
  MUST(rejoin_within(within));
  if (was_level && is_level(keeper, within) == 0)
    take_away(keeper, within); /* the host has mounted something meanwhile */
  return result;
}

long exchange(struct keeper *keeper, struct kept *kept, long source,
              const struct file *file) {
  if (file_inode("/proc/self/ns/mnt") != keeper->namespace)
    return -ESTALE; /* without /proc, by which umount(2) is told of it */
  long result = exchange_beneath(keeper, kept, source);
  if (result == 0)
    kept->shown = *file;
  if (result == -EINVAL || result == -ENOSYS)
    result = exchange_directory(keeper, kept);
  keeper->done = microseconds();
  return result;
}
