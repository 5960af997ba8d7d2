#include "keeping.h"

#include <asm/errno.h>

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

static long take_away(struct keeper *keeper, struct within *within);

/* The program has made it private: there is no group to rejoin. */
static int is_alone(long peer) {
  struct mount mount;
  return mount_of(peer, &mount) == 0 && mount.is_listed && !mount.is_shared &&
         !mount.is_slave;
}

/*
 * What the host has mounted or unmounted in the moment in which the directory's
 * mount was no peer, the mount below it was told of: where the two differ now,
 * and did not before, the directory's mount goes, and the next look lays
 * another. The table is read in pieces, so what it says in a storm of mounts
 * must be said three times.
 */
static long catch_up(struct keeper *keeper, struct within *within) {
  int is_behind = within->was_level;
  for (int reads = 0; is_behind && reads < 3; reads++)
    is_behind = is_level(keeper, within) == 0;
  if (is_behind)
    MUST(take_away(keeper, within));
  within->was_level = 0;
  return 0;
}

long rejoin_group(struct within *within) {
  long result = directory_rejoin(&within->mount);
  if (result == -EINVAL && is_alone(within->mount.peer))
    result = 0;
  within->is_out = result < 0;
  return result;
}

long rejoin_within(struct keeper *keeper, struct within *within) {
  if (within->is_out) {
    within->was_level |= is_level(keeper, within) == 1;
    MUST(rejoin_group(within));
  }
  return catch_up(keeper, within);
}

long leave(struct keeper *keeper, long mount) {
  if (keeper->left.mount >= 0)
    return -EAGAIN; /* that one first */
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
  MUST(mount_propagation(left->mount, MS_PRIVATE));
  MUST(mount_set_group(left->peer, left->mount));
  *left = (struct left){-1, -1};
  return 0;
}

/* --- laying one --- */

long unmount_here(long fd) {
  MUST(mount_set(fd, AT_RECURSIVE, MS_PRIVATE, 0));
  return mount_detach(fd);
}

/*
 * It is unmounted, and so are the covers on it: the kernel gives their ids to
 * other mounts, by which no cover must be known.
 */
static void forget(struct keeper *keeper, struct within *within) {
  for (u64 i = 0; i < keeper->count; i++)
    if (text_is_below(keeper->kept[i].path, within->path))
      keeper->kept[i].id[0] = '\0';
  directory_close(&within->mount);
}

/*
 * Where the host has renamed a directory, the mount on that has moved along,
 * and is of no use there: it is unmounted. The mount that it lies on is a slave
 * just now, so no peer of that loses anything.
 */
static void take_away_moved(struct keeper *keeper, const char *path,
                            const char *holder_id) {
  struct mount mount;
  for (u64 i = 0; i < keeper->within_count; i++) {
    struct within *within = &keeper->within[i];
    if (within->mount.here >= 0 && text_equal(within->path, path) &&
        mount_of(within->mount.here, &mount) == 0 &&
        text_equal(mount.parent, holder_id) && !text_equal(mount.point, path) &&
        unmount_here(within->mount.here) == 0)
      forget(keeper, within);
  }
}

static struct within *find_room(const struct keeper *keeper) {
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here < 0)
      return &keeper->within[i];
  return NULL;
}

int has_room(const struct keeper *keeper) { return find_room(keeper) != NULL; }

static long lay_on(struct keeper *keeper, const char *path,
                   const struct mount *holder, long peer) {
  take_away_moved(keeper, path, holder->id);
  struct within *within = find_room(keeper);
  if (within == NULL) {
    CALL(__NR_close, peer);
    return -ENOSPC;
  }
  within->mount = (struct directory_mount)NO_DIRECTORY_MOUNT;
  within->mount.peer = peer;
  within->is_late = within->is_out = 1;
  within->was_level = 0;
  text_copy(within->path, path);
  long result = within->mount.peer < 0 ? within->mount.peer
                                       : directory_lay(&within->mount, path);
  if (result < 0)
    directory_close(&within->mount);
  return result;
}

long lay_within(struct keeper *keeper, const char *path,
                const struct mount *holder) {
  long root = mount_open_root(holder->point, holder->id);
  if (root < 0)
    return root;
  /*
   * What the directory's mount shall rejoin by, directory-mount.h. Cloned while
   * the holder is in its group; and not from the clone that leave() makes: that
   * cannot be cloned before Linux 6.15.
   */
  long own = text_equal(holder->point, path) ? mount_clone(root, 0)
                                             : CALL(__NR_dup, root);
  long result = own < 0 ? own : leave(keeper, root);
  if (result < 0)
    close_file(&own);
  if (result == 0) {
    long peer = keeper->left.peer;
    result = lay_on(keeper, path, holder, own);
    if (result == 0) /* those that were laid without it: start.c */
      find_covers(keeper);
    MUST(rejoin(keeper)); /* both stay open for another try */
    close_file(&peer);
  }
  close_file(&root);
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0)
      MUST(rejoin_within(keeper, &keeper->within[i]));
  return result < 0 ? result : -EAGAIN;
}

/* The mount that it lies on, out of its peer group and back. */
static long leave_below(struct keeper *keeper, const struct within *within,
                        struct within **below) {
  struct mount own, mount, peer;
  MUST(mount_of(within->mount.here, &own));
  MUST(mount_below(&own, &mount));
  *below = find_within(keeper, mount.id);
  if (*below != NULL)
    return leave_within(*below);
  MUST(mount_of(within->mount.peer, &peer));
  if (!peer.is_listed || !text_equal(peer.id, mount.id))
    return -ENOENT; /* no way leads to it */
  long root = CALL(__NR_dup, within->mount.peer);
  long result = root < 0 ? root : leave(keeper, root);
  if (result < 0)
    close_file(&root);
  return result;
}

static long rejoin_below(struct keeper *keeper, struct within *below) {
  struct left left = keeper->left;
  if (below != NULL)
    return rejoin_within(keeper, below);
  MUST(rejoin(keeper)); /* both stay open for another try */
  close_file(&left.mount);
  close_file(&left.peer);
  return 0;
}

/* What lies there is that mount: 0. -ESTALE: another one, on top of it. */
static long open_topmost(const struct within *within, struct place *place) {
  char id[NUMBER_BYTES];
  MUST(path_open(-1, within->path, LINK_ITSELF, place));
  long result = mount_id(place->fd, id);
  if (result == 0 && !text_equal(id, within->mount.id))
    result = -ESTALE;
  if (result < 0)
    close_file(&place->fd);
  return result;
}

static long unmount_topmost(struct keeper *keeper, struct within *within) {
  struct place place;
  MUST(open_topmost(within, &place));
  within->is_out = 1; /* where it is made private, and not unmounted */
  long result = unmount_here(place.fd);
  close_file(&place.fd);
  if (result == 0)
    forget(keeper, within);
  return result;
}

/*
 * umount(2) goes to every peer of the mount that it unmounts from: to the
 * host's, and to those of other programs. So the mount below leaves its peer
 * group first, and rejoins it afterwards. Where it cannot leave, or another
 * mount lies on the directory's, all stays as it is: 0, too. -errno: not yet.
 */
static long take_away(struct keeper *keeper, struct within *within) {
  struct within *below = NULL;
  struct place place;
  /* First: leaving and rejoining wakes the keeper, for another try. */
  long result = open_topmost(within, &place);
  if (result == 0) {
    close_file(&place.fd);
    result = leave_below(keeper, within, &below);
  }
  if (result == 0) {
    result = unmount_topmost(keeper, within);
    MUST(rejoin_below(keeper, below));
  }
  return result == -EAGAIN || is_shortage(result) ? result : 0;
}

/* --- at each look --- */

/*
 * The program has made the mount below private, or a slave of the host's
 * (`mount --make-private /`): this one becomes the same.
 */
static long follow_propagation(const struct within *within,
                               const struct mount *own,
                               const struct mount *holder) {
  if (!own->is_shared || holder->is_shared)
    return 0;
  return mount_propagation(within->mount.here,
                           holder->is_slave ? MS_SLAVE : MS_PRIVATE);
}

/* The one that could not rejoin; unless it has been unmounted since. */
static long rejoin_left(struct keeper *keeper) {
  struct left left = keeper->left;
  struct mount mount;
  if (left.mount < 0)
    return 0;
  long result = rejoin(keeper);
  if (result < 0 && mount_of(left.mount, &mount) == 0 && mount.is_listed)
    return result;
  keeper->left = (struct left){-1, -1};
  close_file(&left.mount);
  close_file(&left.peer);
  return 0;
}

static long tend(struct keeper *keeper, struct within *within) {
  struct mount own, below;
  MUST(mount_of(within->mount.here, &own));
  if (!own.is_listed) {
    forget(keeper, within); /* its directory was removed */
    return 0;
  }
  long result = mount_below(&own, &below);
  if (result < 0)
    return is_shortage(result) ? result : 0;
  if (text_equal(below.id, within->mount.holder_id))
    return follow_propagation(within, &own, &below);
  if (within->is_late && !text_equal(below.id, within->old_id))
    return take_away(keeper, within);
  return 0;
}

long tend_directories(struct keeper *keeper) {
  long worst = rejoin_left(keeper);
  for (u64 i = 0; i < keeper->within_count; i++) {
    struct within *within = &keeper->within[i];
    if (within->mount.here >= 0 && keeper->is_table_new) {
      long result = tend(keeper, within);
      worst = result < 0 ? result : worst;
    }
  }
  for (u64 i = 0; i < keeper->within_count; i++)
    if (keeper->within[i].mount.here >= 0) {
      long result = rejoin_within(keeper, &keeper->within[i]);
      worst = result < 0 ? result : worst;
    }
  return worst;
}
