#include "keeping.h"

#include <asm/errno.h>
#include <linux/stat.h>

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

/*
 * The kernel gives the id of a mount that is gone to the next one: so it must
 * be there, and what is on top must show what the cover does. Where the host
 * had mounted on the directory, an earlier cover comes to light again.
 */
long is_covered(struct kept *kept, const struct place *place) {
  struct mount mount, below;
  struct file top;
  MUST(file_look_at(place->fd, &top));
  MUST(mount_of(place->fd, &mount));
  if (file_is_same(&top, &kept->shown) && mount_is_cover(&mount, place->path))
    text_copy(kept->id, mount.id);
  for (int is_top = 1; text_equal(mount.point, place->path); is_top = 0) {
    if (text_equal(mount.id, kept->id))
      return !is_top || file_is_same(&top, &kept->shown);
    if (mount_below(&mount, &below) < 0)
      return 0;
    mount = below;
  }
  return 0;
}

/* Shared, it would pass on what lies on it. */
static long clone_with(const struct kept *kept, long fd, u64 attributes) {
  long recursive = is_directory(kept) ? AT_RECURSIVE : 0;
  long clone = mount_clone(fd, recursive);
  if (clone < 0)
    return clone;
  long result = mount_set(clone, recursive, MS_PRIVATE, attributes);
  if (result == 0)
    return clone;
  CALL(__NR_close, clone);
  return result;
}

long clone_source(const struct keeper *keeper, const struct kept *kept,
                  long source) {
  return clone_with(kept, source, keeper->is_read_only ? MOUNT_ATTR_RDONLY : 0);
}

long open_cover(const struct kept *kept, struct place *place) {
  char id[NUMBER_BYTES];
  MUST(open_target(kept, place, NULL));
  MUST(mount_id(place->fd, id));
  return text_equal(id, kept->id) ? 0 : -ESTALE;
}

void find_covers(struct keeper *keeper) {
  for (u64 i = 0; i < keeper->count; i++) {
    struct kept *kept = &keeper->kept[i];
    struct place place;
    struct file file;
    if (open_target(kept, &place, NULL) < 0)
      continue;
    if (file_look_at(place.fd, &file) == 0 && file_is_same(&file, &kept->shown))
      mount_id(place.fd, kept->id);
    close_file(&place.fd);
  }
}

long make_spare(struct kept *kept) {
  struct place place = {.fd = -1};
  long result = open_cover(kept, &place);
  if (result == 0)
    result = clone_with(kept, place.fd, 0); /* as the cover is */
  close_file(&place.fd);
  if (result < 0) /* an old one is better than none */
    return is_shortage(result) ? result : 0;
  close_file(&kept->spare);
  kept->spare = result;
  return 0;
}

/* The same of the source as it is now, which file says; of the same kind. */
static long clone_new_source(const struct keeper *keeper,
                             const struct kept *kept, struct file *file) {
  struct place place;
  MUST(path_open(-1, kept->source, LINK_FOLLOWED, &place));
  long result = file_look_at(place.fd, file);
  if (result == 0 && file->kind != kept->shown.kind)
    result = -ENOTDIR;
  if (result == 0)
    result = clone_source(keeper, kept, place.fd);
  close_file(&place.fd);
  return result;
}

/*
 * An old spare shows an old source: that one is followed afterwards. A mount
 * cannot be attached any more once its root was unlinked. Then the source
 * itself is shown as it is now, or, where it is missing, a copy of what it was.
 */
static long have_spare(const struct keeper *keeper, struct kept *kept) {
  struct file file = {.links = 0};
  if (kept->spare >= 0)
    MUST(file_look_at(kept->spare, &file));
  if (file.links > 0) {
    kept->shown = file;
    return 0;
  }
  long clone = clone_new_source(keeper, kept, &file);
  if (clone < 0 && kept->spare >= 0 && !is_directory(kept)) {
    clone = elsewhere(keeper, kept, make_copy);
    if (clone >= 0)
      MUST(file_look_at(clone, &file));
  }
  if (clone < 0)
    return clone;
  close_file(&kept->spare);
  kept->spare = clone;
  kept->shown = file;
  return 0;
}

/*
 * What the cover shall lie on (cover.h says why), laid beneath it: so the one
 * call that matters comes first, and nothing of it is lost where that fails. A
 * kernel that cannot do it leaves the cover on the target itself.
 */
static void lay_beneath(long target, long cover) {
  long below = mount_clone(target, 0);
  if (below >= 0 && mount_propagation(below, MS_PRIVATE) == 0)
    mount_attach_beneath(below, cover);
  close_file(&below);
}

static long attach(struct keeper *keeper, struct kept *kept, long target) {
  MUST(mount_attach(kept->spare, target));
  keeper->done = microseconds();
  long result = mount_id(kept->spare, kept->id);
  close_file(&kept->spare);
  return result;
}

/* As at a launch: by the two of them a cover is known for one. */
static long lay(struct keeper *keeper, struct kept *kept, long target) {
  long cover = CALL(__NR_dup, kept->spare);
  long result = cover < 0 ? cover : attach(keeper, kept, target);
  if (result == 0)
    lay_beneath(target, cover);
  close_file(&cover);
  return result;
}

/*
 * What the host has mounted there before the mount that is to be covered was a
 * slave is shared, and would pass the cover on: so the path is walked again.
 */
static long lay_on_top(struct keeper *keeper, struct kept *kept,
                       const char *holder_id) {
  struct place place;
  char id[NUMBER_BYTES];
  MUST(open_target(kept, &place, NULL));
  long result = mount_id(place.fd, id);
  if (result == 0 && !text_equal(id, holder_id))
    result = -EAGAIN;
  if (result == 0)
    result = lay(keeper, kept, place.fd);
  close_file(&place.fd);
  return result;
}

static long lay_on_directory(struct keeper *keeper, struct kept *kept,
                             struct within *within) {
  MUST(leave_within(within));
  long result = lay_on_top(keeper, kept, within->mount.id);
  if (result == 0)
    return rejoin_within(keeper, within);
  rejoin_group(within);
  return result;
}

/* On a mount that leaves its peer group for that, and rejoins. mount: closed.
 */
static long lay_on_mount(struct keeper *keeper, struct kept *kept, long mount,
                         const char *id) {
  if (mount < 0)
    return mount;
  long result = leave(keeper, mount);
  long peer = keeper->left.peer;
  if (result == 0) {
    result = lay_on_top(keeper, kept, id);
    MUST(rejoin(keeper)); /* both stay open for another try */
    close_file(&peer);
  }
  close_file(&mount);
  return result;
}

/*
 * A cover whose source was removed, and under which nothing lies any more: of
 * that umount(2) would tell the host.
 */
static long take_away_removed(struct keeper *keeper, long cover,
                              const struct mount *mount) {
  struct within *within = find_within(keeper, mount->parent);
  if (within == NULL)
    return -ENOENT;
  MUST(leave_within(within));
  long result = unmount_here(cover);
  MUST(rejoin_within(keeper, within));
  return result < 0 ? result : -EAGAIN;
}

/*
 * Where the host had mounted on the directory, and the source was replaced
 * meanwhile, the cover that comes to light again shows the old one: it goes,
 * and the next lies on what it lay on. -EAGAIN: look again.
 */
static long lay_on_private(struct keeper *keeper, struct kept *kept,
                           const struct place *place,
                           const struct mount *holder) {
  struct mount below;
  int is_mount = text_equal(holder->point, place->path);
  if (is_mount && mount_is_cover(holder, place->path) &&
      mount_below(holder, &below) == 0 && mount_is_on_itself(&below) == 1) {
    MUST(unmount_here(place->fd));
    return -EAGAIN;
  }
  if (is_mount && mount_is_on_itself(holder) == 1)
    return attach(keeper, kept, place->fd);
  long result = lay(keeper, kept, place->fd);
  return is_mount && result == -ENOENT
             ? take_away_removed(keeper, place->fd, holder)
             : result;
}

/*
 * What the host mounts on the directory while the mount below that is out of
 * its peer group comes as a slave. The host can unmount it again only where
 * nothing lies in it but on its root: what lies there stays.
 */
static int is_brought(const struct mount *holder, const char *directory) {
  return holder->is_slave && text_equal(holder->point, directory);
}

/*
 * The mount that the target is on leaves its peer group for as long as the
 * cover lands: a mount of its directory, or one of the target itself.
 */
static long cover(struct keeper *keeper, struct kept *kept,
                  const struct place *place) {
  struct mount holder;
  char directory[PATH_BYTES];
  MUST(mount_of(place->fd, &holder));
  path_directory(place->path, directory);
  struct within *within = find_within(keeper, holder.id);
  if (!holder.is_shared && (within != NULL || !is_brought(&holder, directory)))
    return lay_on_private(keeper, kept, place, &holder);
  if (within != NULL)
    return lay_on_directory(keeper, kept, within);
  if (text_equal(holder.point, place->path))
    return lay_on_mount(keeper, kept, CALL(__NR_dup, place->fd), holder.id);
  if (text_equal(directory, "/"))
    return -EBUSY;       /* no path would lead to what lies on that */
  if (!has_room(keeper)) /* of more mounts than a host lays on one directory */
    return lay_on_mount(keeper, kept, mount_open_root(holder.point, holder.id),
                        holder.id);
  return lay_within(keeper, directory, &holder);
}

/* Of what is laid at that point the topmost, if it is that mount: 0. */
static long unmount(const char *point, const char *id,
                    const struct file *shown) {
  struct place place;
  struct file file;
  char seen[NUMBER_BYTES];
  MUST(path_open(-1, point, LINK_ITSELF, &place));
  long result = mount_id(place.fd, seen);
  if (result == 0)
    result = file_look_at(place.fd, &file);
  if (result == 0 &&
      !(text_equal(seen, id) && (shown == NULL || file_is_same(&file, shown))))
    result = -ESTALE;
  if (result == 0)
    result = unmount_here(place.fd);
  close_file(&place.fd);
  return result;
}

/*
 * A file that was renamed has taken its cover along, where that is of no use,
 * and what the cover lies on. The kernel gives a mount's id anew, so it must
 * also show what the cover did. -ENOENT, the usual: it is gone.
 */
static long take_away_moved(const struct keeper *keeper, const char *id,
                            const struct file *shown, const char *path) {
  struct mount cover;
  MUST(mount_find(OWN_TABLE, id, &cover));
  if (text_equal(cover.point, path))
    return 0; /* the new one has that id */
  for (u64 i = 0; i < keeper->count; i++)
    if (text_equal(keeper->kept[i].id, id))
      return 0; /* or another one of ours */
  MUST(unmount(cover.point, id, shown));
  if (find_within(keeper, cover.parent) == NULL)
    MUST(unmount(cover.point, cover.parent, NULL));
  return 0;
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
  char link[256], old[NUMBER_BYTES];
  MUST(file_look_at(place->fd, &under));
  MUST(check_kind(kept, place, &under));
  text_copy(old, kept->id);
  const struct file shown = kept->shown;
  MUST(have_spare(keeper, kept));
  MUST(cover(keeper, kept, place));
  take_away_moved(keeper, old, &shown, place->path);
  text_copy(kept->path, place->path);
  kept->refused = 0;
  long length = under.kind != S_IFLNK ? 0
                                      : CALL(__NR_readlinkat, place->fd, "",
                                             link, sizeof link - 1);
  link[length > 0 ? length : 0] = '\0';
  say_kept(keeper, kept, COVERED_AGAIN, link, 0);
  make_spare(kept);
  return 0;
}
