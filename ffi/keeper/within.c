#include "keeping.h"

#include <asm/errno.h>

#define MNT_DETACH 2 /* in libc's headers only */

struct within *find_within(const struct keeper *keeper, const char *id) {
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0 &&
        text_equal(keeper->within[i].mount.id, id))
      return &keeper->within[i];
  return NULL;
}

long leave_within(struct within *within) {
  within->is_out = 1;
  return directory_leave(&within->mount);
}

long rejoin_within(struct within *within) {
  MUST(directory_rejoin(&within->mount));
  within->is_out = 0;
  return 0;
}

long leave(struct keeper *keeper, long mount) {
  long peer = mount_clone(mount, 0);
  if (peer < 0)
    return peer;
  long result = mount_propagation(mount, MS_SLAVE);
  if (result < 0)
    close_file(&peer);
  else
    keeper->left = (struct left){mount, peer};
  return result;
}

long rejoin(struct keeper *keeper) {
  struct left *left = &keeper->left;
  long result = mount_propagation(left->mount, MS_PRIVATE);
  if (result == 0)
    result = mount_set_group(left->peer, left->mount);
  if (result == 0)
    *left = (struct left){-1, -1};
  return result;
}

/* --- laying one --- */

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

/* umount(2) takes away the topmost that lies there. */
static void unmount(long fd) {
  char path[FD_PATH_BYTES];
  fd_path(path, fd);
  CALL(__NR_umount2, path, MNT_DETACH);
}

/* With it go the covers that lie on it; their ids are somebody else's then. */
static void forget(struct keeper *keeper, struct within *within) {
  for (u64 i = 0; i < keeper->count; i++)
    if (text_is_below(keeper->kept[i].path, within->path))
      keeper->kept[i].id[0] = '\0';
  directory_close(&within->mount);
}

/*
 * The mount of a directory that was renamed has gone with it, and is of no use
 * there. While the mount that it is on is a slave: so it goes here alone.
 */
static void take_away_moved(struct keeper *keeper, const char *path,
                            const char *holder_id) {
  struct mount mount;
  for (u64 i = 0; i < keeper->within_count; i++) {
    struct within *within = &keeper->within[i];
    if (within->mount.here >= 0 && text_equal(within->path, path) &&
        mount_of(within->mount.here, &mount) == 0 &&
        text_equal(mount.parent, holder_id) && !text_equal(mount.point, path)) {
      unmount(within->mount.here);
      forget(keeper, within);
    }
  }
}

static struct within *find_room(const struct keeper *keeper) {
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here < 0)
      return &keeper->within[i];
  return NULL;
}

static long lay_on(struct keeper *keeper, const char *path,
                   const struct mount *holder, long root) {
  take_away_moved(keeper, path, holder->id);
  struct within *within = find_room(keeper);
  if (within == NULL)
    return -ENOSPC;
  within->mount = (struct directory_mount)NO_DIRECTORY_MOUNT;
  within->mount.peer = text_equal(holder->point, path)
                           ? mount_clone(keeper->left.peer, 0)
                           : CALL(__NR_dup, root);
  within->is_late = within->is_out = 1;
  text_copy(within->path, path);
  long result = within->mount.peer < 0 ? within->mount.peer
                                       : directory_lay(&within->mount, path);
  if (result < 0)
    directory_close(&within->mount);
  return result;
}

long lay_within(struct keeper *keeper, const char *path,
                const struct mount *holder) {
  long root = open_root(holder);
  if (root < 0)
    return root;
  long result = leave(keeper, root);
  if (result == 0) {
    long peer = keeper->left.peer;
    result = lay_on(keeper, path, holder, root);
    MUST(rejoin(keeper)); /* both stay open for another try */
    close_file(&peer);
  }
  close_file(&root);
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0 && keeper->within[i].is_out)
      MUST(rejoin_within(&keeper->within[i]));
  return result < 0 ? result : -EAGAIN;
}

void take_away(struct keeper *keeper, struct within *within) {
  struct place place;
  char id[NUMBER_BYTES];
  if (leave_within(within) < 0 ||
      path_open(-1, within->path, LINK_ITSELF, &place) < 0)
    return;
  int is_topmost =
      mount_id(place.fd, id) == 0 && text_equal(id, within->mount.id);
  if (is_topmost)
    unmount(place.fd);
  close_file(&place.fd);
  if (is_topmost)
    forget(keeper, within);
}

/* --- what was missed --- */

struct children { /* of one mount, within the directory: how many, and which */
  u64 count, sum;
};

static u64 hash(const char *text) { /* FNV-1a */
  u64 value = 0xcbf29ce484222325;
  while (*text != '\0')
    value = (value ^ (unsigned char)*text++) * 0x100000001b3;
  return value;
}

static int is_ours(const struct keeper *keeper, const char *point) {
  for (u64 i = 0; i < keeper->count; i++)
    if (text_equal(keeper->kept[i].path, point))
      return 1;
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0 &&
        text_equal(keeper->within[i].path, point))
      return 1;
  return 0;
}

long is_level(const struct keeper *keeper, const struct within *within) {
  struct reader table;
  struct mount mount;
  struct children here = {0, 0}, there = {0, 0};
  MUST(read_open(&table, OWN_TABLE));
  while (mount_next(&table, &mount)) {
    struct children *children =
        text_equal(mount.parent, within->mount.id)          ? &here
        : text_equal(mount.parent, within->mount.holder_id) ? &there
                                                            : NULL;
    if (children == NULL || !text_is_below(mount.point, within->path) ||
        text_equal(mount.point, within->path) || is_ours(keeper, mount.point))
      continue;
    children->count++;
    children->sum += hash(mount.point);
  }
  read_close(&table);
  if (table.error)
    return table.error;
  return here.count == there.count && here.sum == there.sum;
}

/* --- at each look --- */

/* As the program has made that of the mount below it. */
static long follow_propagation(const struct within *within,
                               const struct mount *own,
                               const struct mount *holder) {
  if (!own->is_shared || holder->is_shared)
    return 0;
  return mount_propagation(within->mount.here,
                           holder->is_slave ? MS_SLAVE : MS_PRIVATE);
}

long tend_directories(struct keeper *keeper) {
  struct mount own, holder;
  if (keeper->left.mount >= 0) {
    struct left left = keeper->left;
    MUST(rejoin(keeper));
    close_file(&left.mount);
    close_file(&left.peer);
  }
  for (u64 i = 0; i < keeper->within_count; i++) {
    struct within *within = &keeper->within[i];
    if (within->mount.here < 0)
      continue;
    if (!keeper->is_table_new || mount_of(within->mount.here, &own) < 0)
      continue;
    if (!own.is_listed)
      forget(keeper, within); /* its directory was removed */
    if (!own.is_listed || mount_below(&own, &holder) < 0)
      continue;
    if (text_equal(holder.id, within->mount.holder_id))
      MUST(follow_propagation(within, &own, &holder));
    else if (within->is_late)
      take_away(keeper, within);
  }
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0 && keeper->within[i].is_out)
      MUST(rejoin_within(&keeper->within[i]));
  return 0;
}
