#include "cover.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/stat.h>

/* Where a filter refuses statx(2). */
static long look_by_fstat(long fd, struct file *file) {
  struct stat status;
  long result = CALL(__NR_fstat, fd, &status);
  file->device = status.st_dev;
  file->inode = status.st_ino;
  file->kind = status.st_mode & S_IFMT;
  file->links = (unsigned)status.st_nlink;
  return result;
}

/* What the kernel knows: a server that is asked (FUSE, NFS) can hang. */
long file_look_at(long fd, struct file *file) {
  struct statx status;
  long result = CALL(__NR_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
                     STATX_BASIC_STATS, &status);
  if (result == -ENOSYS || result == -EPERM)
    return look_by_fstat(fd, file);
  file->device = (u64)status.stx_dev_major << 32 | status.stx_dev_minor;
  file->inode = status.stx_ino;
  file->kind = status.stx_mode & S_IFMT;
  file->links = status.stx_nlink;
  return result;
}

int file_is_same(const struct file *a, const struct file *b) {
  return a->device == b->device && a->inode == b->inode;
}

static int is_directory(const struct file *file) {
  return file->kind == S_IFDIR;
}

int target_is_directory(const struct target *target) {
  return is_directory(&target->host);
}

long target_is_host_file(const struct target *target, long fd) {
  struct file file;
  MUST(file_look_at(fd, &file));
  return file_is_same(&file, &target->host);
}

int target_covers_directory(const struct target *target) {
  return is_directory(&target->shown);
}

/* A directory comes with what is mounted in it, a file has nothing inside. */
static u64 recursion(const struct target *target) {
  return is_directory(&target->shown) ? MS_REC : 0;
}

static enum last_link last_link(const struct target *target) {
  return is_directory(&target->shown) ? LINK_FOLLOWED : LINK_ITSELF;
}

void target_init(struct target *target) {
  target->source = target->clone = target->pin = -1;
  target->below = target->lower = -1;
  target->on_host.fd = target->here.fd = -1;
  target->holder.there = target->holder.here = -1;
  target->within = (struct directory_mount)NO_DIRECTORY_MOUNT;
}

void target_close(struct target *target) {
  close_file(&target->source);
  close_file(&target->clone);
  close_file(&target->on_host.fd);
  close_file(&target->here.fd);
  close_file(&target->below);
  close_file(&target->lower);
  holder_close(&target->holder);
  directory_close(&target->within);
}

long target_open_source(struct target *target, const char *source) {
  struct place place;
  MUST(path_open(-1, source, LINK_FOLLOWED, &place));
  target->source = place.fd;
  return file_look_at(place.fd, &target->shown);
}

/* By the directory that it would be in. */
static long open_absent(struct target *target, const char *path) {
  struct place directory;
  path_directory(path, target->directory);
  MUST(path_open(-1, target->directory, LINK_FOLLOWED, &directory));
  long result = mount_id(directory.fd, target->host_id);
  close_file(&directory.fd);
  MUST(result);
  static const char name[] = "/resolv.conf";
  if (text_length(directory.path) + sizeof name > PATH_BYTES)
    return -ENAMETOOLONG;
  text_copy(target->directory, directory.path);
  text_copy(text_copy(target->on_host.path, directory.path), name);
  target->is_absent = 1;
  return 0;
}

long target_open(struct target *target, const char *path, int may_lack) {
  long result = path_open(-1, path, last_link(target), &target->on_host);
  if (result == -ENOENT && may_lack && !is_directory(&target->shown) &&
      text_equal(path, RESOLV_CONF_PATH))
    return open_absent(target, path);
  MUST(result);
  path_directory(target->on_host.path, target->directory);
  MUST(mount_id(target->on_host.fd, target->host_id));
  return file_look_at(target->on_host.fd, &target->host);
}

long target_compare(const struct target *target) {
  if (text_equal(target->on_host.path, "/") ||
      text_equal(target->on_host.path, "/proc"))
    return -EBUSY;
  if (target->is_absent)
    return 0;
  if (is_directory(&target->shown) == is_directory(&target->host))
    return 0;
  return is_directory(&target->shown) ? -EISDIR : -ENOTDIR;
}

long target_inspect(struct target *target, int asked) {
  struct place directory;
  if (asked != OVERLAY && !target->is_absent)
    return mount_of(target->on_host.fd, &target->holder.mount);
  MUST(path_open(-1, target->directory, LINK_ITSELF, &directory));
  long result = mount_of(directory.fd, &target->holder.mount);
  CALL(__NR_close, directory.fd);
  return result;
}

long target_is_on_itself(const struct target *target) {
  const struct mount *mount = &target->holder.mount;
  if (!text_equal(mount->point, target->on_host.path) ||
      ((mount->is_shared || mount->is_slave) && is_directory(&target->host)))
    return 0;
  return mount_is_on_itself(mount);
}

long target_clone(struct target *target) {
  long recursive = is_directory(&target->shown) ? AT_RECURSIVE : 0;
  long clone = mount_clone(target->source, recursive);
  if (clone < 0)
    return clone == -ENOSYS || clone == -EPERM ? 0 : clone;
  target->clone = clone;
  close_file(&target->source);
  return 0;
}

/*
 * Is what holds the target here the copy of what holds it on the host, or the
 * mount of its directory? And does it pass nothing on: what arrives from the
 * host before the holder is a slave is shared, and lies on top.
 */
static long check_holder(const struct target *target) {
  struct mount mount;
  const struct mount *on_host = &target->holder.mount;
  MUST(mount_of(target->here.fd, &mount));
  int is_copy =
      mount.device == on_host->device &&
      (text_equal(mount.root, on_host->root) ||
       (target->is_kept && text_equal(mount.point, target->directory)));
  return mount.is_shared || !(is_copy || target->lower >= 0) ? -ESTALE : 0;
}

/* It was there when it was looked at. */
static long walk_again(long root, const char *path, enum last_link last,
                       struct place *place) {
  long result = path_open(root, path, last, place);
  return result == -ENOENT || result == -ENOTDIR ? -ESTALE : result;
}

long target_open_here(struct target *target) {
  if (target->is_absent)
    return 0; /* until the overlay is laid */
  long result =
      walk_again(-1, target->on_host.path, LINK_ITSELF, &target->here);
  if (result == 0)
    result = file_look_at(target->here.fd, &target->under);
  if (result == 0 && !file_is_same(&target->under, &target->host))
    result = -ESTALE;
  if (result == 0 && target->is_pinned)
    result = check_holder(target);
  if (result < 0)
    close_file(&target->here.fd);
  return result;
}

/* Where there is no clone: the source once more, as this namespace has it. */
static long bind_by_path(const struct target *target, const char *source) {
  char from[FD_PATH_BYTES];
  struct file seen;
  struct place place;
  MUST(path_open(-1, source, LINK_FOLLOWED, &place));
  long result = file_look_at(place.fd, &seen);
  if (result == 0 && !file_is_same(&seen, &target->shown))
    result = -ESTALE;
  fd_path(from, place.fd);
  if (result == 0)
    result = mount_bind(from, target->below, recursion(target));
  CALL(__NR_close, place.fd);
  return result;
}

/* What was laid on the target last: its root, which must be that file. */
static long open_top(const struct target *target, const struct file *file,
                     long *top) {
  struct file seen;
  struct place place;
  MUST(path_open(-1, target->here.path, LINK_ITSELF, &place));
  *top = place.fd;
  MUST(file_look_at(place.fd, &seen));
  return file_is_same(&seen, file) ? 0 : -ESTALE;
}

/* 0; or NOT_NEEDED, where the cover can only lie on the target itself. */
enum { NOT_NEEDED = 1 };
static long bind_onto_itself(struct target *target) {
  char path[FD_PATH_BYTES];
  long tree = mount_clone(target->here.fd, 0);
  if (tree == -EINVAL && is_directory(&target->under)) {
    /* With mounts in it that are locked to it, user_namespaces(7). */
    target->below = CALL(__NR_openat, target->here.fd, ".", O_PATH | O_CLOEXEC);
    return target->below < 0 ? target->below : NOT_NEEDED;
  }
  long result = tree < 0 ? tree : mount_attach(tree, target->here.fd);
  target->below = tree < 0 ? -1 : tree;
  if (result != -ENOSYS && result != -EPERM)
    return result;
  close_file(&target->below);
  fd_path(path, target->here.fd);
  MUST(mount_bind(path, target->here.fd, 0));
  return open_top(target, &target->under, &target->below);
}

long target_bind_below(struct target *target) {
  if (target->lower >= 0) { /* the file as the overlay has it */
    close_file(&target->here.fd);
    MUST(walk_again(-1, target->on_host.path, LINK_ITSELF, &target->here));
    MUST(file_look_at(target->here.fd, &target->under));
  }
  MUST(check_holder(target));
  long result = bind_onto_itself(target);
  int is_mount = text_equal(target->holder.mount.point, target->on_host.path);
  if (result == -ENOENT && !(is_mount && target->host.links == 0))
    return -ESTALE; /* what was opened has been removed since */
  return result != 0 ? result : mount_change(target->below, MS_PRIVATE);
}

long target_bind(struct target *target, const char *source) {
  long result =
      target->clone < 0 ? -ENOSYS : mount_attach(target->clone, target->below);
  if (result == -ENOSYS || result == -EPERM) {
    close_file(&target->clone);
    result = bind_by_path(target, source);
    if (result == 0)
      result = open_top(target, &target->shown, &target->clone);
  }
  if (result == 0 && target->is_kept)
    result = mount_id(target->clone, target->cover_id);
  return result == -ENOENT ? -ESTALE : result; /* removed since, as above */
}

long target_make_cover_private(const struct target *target) {
  return mount_change(target->clone, MS_PRIVATE | recursion(target));
}

long target_make_read_only(const struct target *target) {
  return mount_make_read_only(target->clone, is_directory(&target->shown));
}

long target_verify(const struct target *target, const char *path) {
  struct file seen;
  struct place place;
  MUST(walk_again(-1, path, last_link(target), &place));
  long result = file_look_at(place.fd, &seen);
  CALL(__NR_close, place.fd);
  if (result < 0)
    return result;
  return file_is_same(&seen, &target->shown) &&
                 text_equal(place.path, target->on_host.path)
             ? 0
             : -ESTALE;
}

/* A walk from a directory of the host's stays among the host's mounts. */
long target_verify_host(const struct target *target, const struct host *host) {
  struct file seen;
  struct place place;
  char id[NUMBER_BYTES];
  MUST(walk_again(host->root,
                  target->is_absent ? target->directory : target->on_host.path,
                  LINK_ITSELF, &place));
  long result = file_look_at(place.fd, &seen);
  if (result == 0)
    result = mount_id(place.fd, id);
  CALL(__NR_close, place.fd);
  if (result < 0)
    return result;
  return (target->is_absent || file_is_same(&seen, &target->host)) &&
                 text_equal(id, target->host_id)
             ? 0
             : -ESTALE;
}
