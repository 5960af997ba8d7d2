#include "keeping.h"

#include <asm/errno.h>
#include <asm/stat.h>

/* Where that is shared, what is laid on it is laid on its peers too. */
static long check_below(long cover) {
  struct mount mount, below;
  MUST(mount_of(cover, &mount));
  MUST(mount_below(&mount, &below));
  return below.is_shared ? -EINVAL : 0;
}

/*
 * The new source is laid beneath the old cover, on what that lies on: the
 * program still sees the old one, which lies on the root of the new one from
 * here on. Then the old cover is unmounted, and the program sees the new
 * source. Where the host has replaced that too in between, the kernel has
 * unmounted the old cover already (detach_mounts()), and umount(2) says EINVAL.
 * -EINVAL, -ENOSYS: the kernel cannot do it, or what the old cover lies on is
 * shared.
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

/* On a private mount of the target on itself, for which cover.h has the reason.
 */
static long lay_on(long target, long clone) {
  long below = mount_clone(target, 0);
  long result = below < 0 ? below : mount_attach(below, target);
  if (result == 0)
    result = mount_propagation(below, MS_PRIVATE);
  if (result == 0)
    result = mount_attach(clone, below);
  close_file(&below);
  return result;
}

/*
 * In a mount namespace that nobody else is in (elsewhere.c): what lies on the
 * target, the old cover and what that is on, is unmounted, and the new source
 * laid there. A detached clone of the directory with all this is returned. The
 * source is looked up here, and can be another than the one that was seen to be
 * new: kept->shown says which.
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
    result = mount_propagation(directory.fd, MS_PRIVATE);
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
 * Where the kernel cannot lay a mount beneath another (before Linux 6.5): the
 * directory's mount leaves its peer group, such a clone is laid on it, and both
 * rejoin. The program sees the old source until that one call, and the new one
 * after it; the old mount stays below. -EINVAL: the directory has no mount of
 * its own.
 */
static long exchange_directory(struct keeper *keeper, struct kept *kept) {
  const struct file old = kept->shown;
  struct place cover = {.fd = -1}, directory = {.fd = -1};
  struct within *within = NULL;
  char id[NUMBER_BYTES], clone_id[NUMBER_BYTES];
  long result = open_cover(kept, &cover);
  if (result == 0)
    result = open_directory(keeper, &cover, &directory, &within);
  close_file(&cover.fd);
  close_file(&directory.fd);
  MUST(result);
  if (within == NULL)
    return -EINVAL;
  within->was_level |= is_level(keeper, within) == 1;
  long clone = elsewhere(keeper, kept, clone_directory);
  if (clone < 0)
    return clone;
  result = mount_id(clone, clone_id);
  if (result == 0)
    result = leave_within(within);
  if (result == 0) /* what the host has mounted there before that is shared */
    result = path_open(-1, within->path, LINK_ITSELF, &directory);
  if (result == 0)
    result = mount_id(directory.fd, id);
  if (result == 0 && !text_equal(id, within->mount.id))
    result = -ESTALE;
  close_file(&directory.fd);
  if (result == 0)
    result = mount_attach(clone, within->mount.here);
  if (result < 0) {
    rejoin_within(keeper, within); /* or the next look does it */
    CALL(__NR_close, clone);
    kept->shown = old;
    return result;
  }
  directory_rejoin(&within->mount);
  close_file(&within->mount.here);
  text_copy(within->old_id, within->mount.id);
  text_copy(within->mount.id, clone_id);
  within->mount.here = clone;
  within->is_out = 1;
  find_covers(keeper);
  return rejoin_within(keeper, within);
}

/* By /proc umount(2) is told of a mount: the program can have covered it. */
static long check_proc(const struct keeper *keeper) {
  struct stat own;
  long result = CALL(__NR_newfstatat, AT_FDCWD, "/proc/self/ns/mnt", &own, 0);
  if (is_shortage(result))
    return result;
  return result == 0 && own.st_ino == keeper->namespace ? 0 : -ESTALE;
}

long exchange(struct keeper *keeper, struct kept *kept, long source,
              const struct file *file) {
  MUST(check_proc(keeper));
  long result = exchange_beneath(keeper, kept, source);
  if (result == 0)
    kept->shown = *file;
  if (result == -EINVAL || result == -ENOSYS)
    result = exchange_directory(keeper, kept);
  keeper->done = microseconds();
  return result;
}
