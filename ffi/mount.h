/* One mount: what proc_pid_mountinfo(5) says of it, and how to change it. */
#ifndef NSPIN_MOUNT_H
#define NSPIN_MOUNT_H

#include "proc.h"

#include <linux/mount.h>

struct mount {
  int is_listed; /* 0: its root lies outside of this root (chroot) */
  int is_shared, is_slave;
  u64 peer_group;    /* 0: none, or it was not said */
  u64 device;        /* major << 32 | minor */
  u64 unique_parent; /* for statmount(2); 0 where that told nothing */
  char id[NUMBER_BYTES], parent[NUMBER_BYTES];
  char options[128]; /* of the mount, not of its file system */
  /*
   * A byte more than any path has: what mountinfo tells can be longer, and is
   * cut; so it is equal to no path, and no call takes it.
   */
  char root[PATH_BYTES + 1];  /* of the mount, within its file system */
  char point[PATH_BYTES + 1]; /* where it is mounted */
};

/*
 * The mount that holds an open file, in this thread's mount namespace, by
 * statmount(2) or, where that tells nothing, by the table. One that is not
 * listed is taken for shared: no one can tell. 0 or -errno.
 */
long mount_of(long fd, struct mount *mount);

/* The mount that this one is on; -ENOENT: not listed. */
long mount_below(const struct mount *mount, struct mount *below);

/* The next line of an open mountinfo: 1, or 0 at its end (table->error). */
int mount_next(struct reader *table, struct mount *mount);

/* The first of that mountinfo that fits: 1; 0, there is none; or -errno. */
long mount_search(const char *table,
                  int (*fits)(const struct mount *mount, const void *data),
                  const void *data, struct mount *mount);

/*
 * mount(2) by open files: a path would be walked again, through symbolic links
 * and whatever has landed on it since; and a link itself has no other name.
 * Where onto is the file of a mount that is gone, or of another namespace,
 * these fail with EINVAL.
 */
long mount_bind(const char *source, long onto, u64 flags);
long mount_change(long fd, u64 flags);

/*
 * Its propagation, MS_PRIVATE and so on, as mount_change() does it, but without
 * /proc, which the program can have covered: mount_setattr(2), Linux 5.12.
 */
long mount_propagation(long fd, u64 kind);
/* The same, with AT_RECURSIVE also of all that is on it; and attributes. */
long mount_set(long fd, long recursive, u64 propagation, u64 attributes);

/* umount(2) of the topmost mount that lies there, with all that is on it. */
long mount_detach(long fd);

/*
 * A detached clone of an open directory or file, with AT_RECURSIVE also of what
 * is mounted in it; attached onto what is open: open_tree(2), move_mount(2),
 * Linux 5.2. Where something lies on that, it is attached on top. Or beneath
 * the topmost mount there: MOVE_MOUNT_BENEATH, Linux 6.5.
 */
long mount_clone(long fd, long recursive); /* its descriptor, or -errno */
long mount_attach(long clone, long onto);
long mount_attach_beneath(long clone, long topmost);

/*
 * A private mount, by its root, into the peer group of another, whose root is
 * the same or above: MOVE_MOUNT_SET_GROUP, Linux 5.15.
 */
long mount_set_group(long from, long to);

/*
 * What a path below the mount's point is called within its file system: root
 * and the rest of the path. 0, or -ENOENT: it is not below, or too long.
 */
long mount_path_in(const struct mount *mount, const char *path,
                   char inside[PATH_BYTES]);

/* Is it of what lies below it at that place? 1, 0 or -errno. */
long mount_is_on_itself(const struct mount *mount);

/* As nspin lays it at that place: on a private mount, and private itself. */
int mount_is_cover(const struct mount *mount, const char *path);

/* The mount of that id in that mountinfo; -ENOENT: not listed. */
long mount_find(const char *table, const char *id, struct mount *mount);

/* Is any mount of that mountinfo on that one? 1, 0 or -errno. */
#define OWN_TABLE "/proc/self/mountinfo"
long mount_is_parent(const char *table, const char *id);

/* Below a directory too (Linux 5.12); of a file on any kernel. */
long mount_make_read_only(long fd, int is_directory);

/* The root of the mount of that id; -EBUSY: another lies on it. */
long mount_open_root(const char *point, const char *id);

/* O_PATH; a symbolic link itself, not what it leads to. */
long open_itself(const char *path);

#endif
