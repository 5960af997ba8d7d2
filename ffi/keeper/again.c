#include "keeping.h"

#include <asm/errno.h>
#include <linux/stat.h>

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200 /* Linux 6.5 */
#endif
#define MNT_DETACH 2 /* in libc's headers only */

static int is_directory(const struct kept *kept) {
  return kept->shown.kind == S_IFDIR;
}

static enum last_link last_link(const struct kept *kept) {
  return is_directory(kept) ? LINK_FOLLOWED : LINK_ITSELF;
}

long open_target(const struct kept *kept, struct place *place,
                 struct visitor *visitor) {
  return path_walk(-1, kept->target, last_link(kept), place, visitor);
}

long is_covered(const struct kept *kept, const struct place *place) {
  struct mount mount, below;
  MUST(mount_of(place->fd, &mount));
  for (;;) {
    if (text_equal(mount.id, kept->id))
      return 1;
    if (!text_equal(mount.point, place->path) ||
        mount_below(&mount, &below) < 0)
      return 0;
    mount = below;
  }
}

long clone_private(const struct kept *kept, long fd) {
  struct mount_attr private = {.propagation = MS_PRIVATE};
  long recursive = is_directory(kept) ? AT_RECURSIVE : 0;
  long clone = mount_clone(fd, recursive);
  if (clone >= 0)
    CALL(__NR_mount_setattr, clone, "", AT_EMPTY_PATH | recursive, &private,
         sizeof private);
  return clone;
}

long make_read_only(const struct kept *kept, long clone) {
  struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
  long recursive = is_directory(kept) ? AT_RECURSIVE : 0;
  return CALL(__NR_mount_setattr, clone, "", AT_EMPTY_PATH | recursive,
              &read_only, sizeof read_only);
}

long open_cover(const struct kept *kept, struct place *place) {
  char id[NUMBER_BYTES];
  MUST(open_target(kept, place, NULL));
  MUST(mount_id(place->fd, id));
  return text_equal(id, kept->id) ? 0 : -ESTALE;
}

void make_spare(struct kept *kept) {
  struct place place = {.fd = -1};
  close_file(&kept->spare);
  if (open_cover(kept, &place) == 0)
    kept->spare = clone_private(kept, place.fd);
  close_file(&place.fd);
}

/* Where there is no spare: of the source, as it is now. */
static long clone_source(const struct keeper *keeper, struct kept *kept) {
  struct place place;
  MUST(path_open(-1, kept->source, LINK_FOLLOWED, &place));
  long result = file_look_at(place.fd, &kept->shown);
  if (result == 0)
    result = kept->spare = clone_private(kept, place.fd);
  if (result >= 0 && keeper->is_read_only)
    result = make_read_only(kept, kept->spare);
  close_file(&place.fd);
  return result;
}

/*
 * A mount cannot be attached any more once its root was unlinked. Then the
 * source itself is shown as it is now, or, where it is missing, a copy of what
 * it was.
 */
static long have_spare(const struct keeper *keeper, struct kept *kept) {
  struct file file = {.links = 0};
  if (kept->spare >= 0)
    MUST(file_look_at(kept->spare, &file));
  if (file.links > 0)
    return 0;
  long old = kept->spare;
  long result = clone_source(keeper, kept);
  if (result < 0 && old >= 0 && !is_directory(kept)) {
    kept->spare = old;
    result = elsewhere(keeper, kept, make_copy);
    if (result >= 0)
      kept->spare = result;
    if (result >= 0)
      result = file_look_at(result, &kept->shown);
  }
  if (kept->spare != old)
    close_file(&old);
  return result;
}

/*
 * What the cover shall lie on (cover.h says why), laid beneath it: so the one
 * call that matters comes first, and nothing of it is lost where that fails. A
 * kernel that cannot do it leaves the cover on the target itself.
 */
static void lay_beneath(long target, long cover) {
  struct mount_attr private = {.propagation = MS_PRIVATE};
  long below = mount_clone(target, 0);
  if (below < 0)
    return;
  if (CALL(__NR_mount_setattr, below, "", AT_EMPTY_PATH, &private,
           sizeof private) == 0)
    CALL(__NR_move_mount, below, "", cover, "",
         MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH |
             MOVE_MOUNT_BENEATH);
  close_file(&below);
}

static long lay(struct keeper *keeper, struct kept *kept, long target) {
  MUST(mount_attach(kept->spare, target));
  keeper->done = microseconds();
  MUST(mount_id(kept->spare, kept->id));
  lay_beneath(target, kept->spare);
  close_file(&kept->spare);
  return 0;
}

/* --- the mount that is covered, out of its peer group and back --- */

struct within *find_within(const struct keeper *keeper, const char *id) {
  for (u64 i = 0; i < keeper->count; i++)
    if (keeper->within[i].mount.here >= 0 &&
        text_equal(keeper->within[i].mount.id, id))
      return &keeper->within[i];
  return NULL;
}

/* A mount that has left its peer group, and a clone that is still in it. */
struct left {
  long mount, peer;
};

static long leave(struct left *left, long mount) {
  left->mount = mount;
  left->peer = mount_clone(mount, 0);
  return left->peer < 0 ? left->peer : mount_change(mount, MS_SLAVE);
}

static long rejoin(struct left *left) {
  long result = mount_change(left->mount, MS_PRIVATE);
  if (result == 0)
    result = mount_set_group(left->peer, left->mount);
  close_file(&left->peer);
  return result;
}

/* The root of that mount; -EBUSY: another lies on it. */
static long open_root(const struct mount *mount) {
  char id[NUMBER_BYTES];
  long root = open_itself(mount->point);
  if (root < 0)
    return root;
  long result = mount_id(root, id);
  if (result == 0 && !text_equal(id, mount->id))
    result = -EBUSY;
  if (result == 0)
    return root;
  CALL(__NR_close, root);
  return result;
}

/* In the place of the one that was laid on that path before, or a free one. */
static struct within *find_room(const struct keeper *keeper, const char *path) {
  for (u64 i = 0; i < keeper->count; i++)
    if (text_equal(keeper->within[i].path, path))
      return &keeper->within[i];
  for (u64 i = 0; i < keeper->count; i++)
    if (keeper->within[i].mount.here < 0)
      return &keeper->within[i];
  return NULL;
}

/*
 * The path leads to another directory than the one that was mounted on itself:
 * it was renamed, or something was mounted on it. holder: what it is on,
 * shared.
 */
static long lay_within(struct keeper *keeper, const char *path,
                       const struct mount *holder) {
  struct within *within = find_room(keeper, path);
  struct left left;
  long root = open_root(holder);
  if (within == NULL || root < 0)
    return within == NULL ? -ENOSPC : root;
  long result = leave(&left, root);
  if (result == 0) {
    directory_close(&within->mount);
    result = directory_lay(&within->mount, path);
    text_copy(within->path, path);
    long rejoined = rejoin(&left);
    result = result < 0 ? result : rejoined;
  }
  close_file(&root);
  return result < 0 ? result : -EAGAIN; /* then the path leads there */
}

static long lay_on_directory(struct keeper *keeper, struct kept *kept,
                             struct within *within, long target) {
  MUST(directory_leave(&within->mount));
  long result = lay(keeper, kept, target);
  for (int tries = 0; tries < TRIES; tries++) {
    MUST(directory_rejoin(&within->mount));
    if (directory_complete(&within->mount, within->path) <= 0)
      break;
    MUST(directory_leave(&within->mount));
  }
  return result;
}

/*
 * The mount that the target is on leaves its peer group for as long as the
 * cover lands: a mount of its directory, or, where something is mounted on the
 * target itself, that.
 */
static long cover(struct keeper *keeper, struct kept *kept,
                  const struct place *place) {
  struct mount holder;
  struct left left;
  char directory[PATH_BYTES];
  MUST(mount_of(place->fd, &holder));
  if (!holder.is_shared)
    return lay(keeper, kept, place->fd);
  struct within *within = find_within(keeper, holder.id);
  if (within != NULL)
    return lay_on_directory(keeper, kept, within, place->fd);
  if (!text_equal(holder.point, place->path)) {
    path_directory(place->path, directory);
    return lay_within(keeper, directory, &holder);
  }
  MUST(leave(&left, place->fd));
  long result = lay(keeper, kept, place->fd);
  MUST(rejoin(&left));
  return result;
}

static long check_kind(const struct kept *kept, const struct place *place,
                       const struct file *under) {
  if (text_equal(place->path, "/") || text_equal(place->path, "/proc"))
    return -EBUSY;
  if ((under->kind == S_IFDIR) == is_directory(kept))
    return 0;
  return is_directory(kept) ? -EISDIR : -ENOTDIR;
}

long cover_again(struct keeper *keeper, struct kept *kept,
                 const struct place *place) {
  struct file under;
  char link[256];
  MUST(file_look_at(place->fd, &under));
  MUST(check_kind(kept, place, &under));
  MUST(have_spare(keeper, kept));
  MUST(cover(keeper, kept, place));
  long length = under.kind != S_IFLNK ? 0
                                      : CALL(__NR_readlinkat, place->fd, "",
                                             link, sizeof link - 1);
  link[length > 0 ? length : 0] = '\0';
  say_kept(keeper, kept, COVERED_AGAIN, link, 0);
  make_spare(kept);
  return 0;
}
