#include "mount.h"
#include "statmount.h"

#include <asm/errno.h>
#include <asm/statfs.h>
#include <linux/stat.h>

/* Where the kernel's headers here are older. */
#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP 0x00000100
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200
#endif
#define MNT_DETACH 2 /* in libc's headers only: umount2(2) */

long open_itself(const char *path) {
  return open_file(path, O_PATH | O_NOFOLLOW);
}

long mount_open_root(const char *point, const char *id) {
  char seen[NUMBER_BYTES];
  long root = open_itself(point);
  if (root < 0)
    return root;
  long result = mount_id(root, seen);
  if (result == 0 && !text_equal(seen, id))
    result = -EBUSY;
  if (result == 0)
    return root;
  CALL(__NR_close, root);
  return result;
}

static u64 device_number(const char *text) { /* MAJOR:MINOR */
  const char *minor = text;
  while (*minor != ':' && *minor != '\0')
    minor++;
  return text_value(text, 10) << 32 |
         (*minor == ':' ? text_value(minor + 1, 10) : 0);
}

/* A line: ID PARENT DEVICE ROOT POINT OPTIONS [TAG...] - FILESYSTEM... */
int mount_next(struct reader *table, struct mount *mount) {
  char device[2 * NUMBER_BYTES];
  struct {
    char *word;
    size_t bytes;
  } fields[] = {
      {mount->id, sizeof mount->id},
      {mount->parent, sizeof mount->parent},
      {device, sizeof device},
      {mount->root, sizeof mount->root},
      {mount->point, sizeof mount->point},
  };
  char tag[NUMBER_BYTES + 8];
  long end = ' ';
  for (size_t i = 0; i < sizeof fields / sizeof *fields && end == ' '; i++)
    end = read_word(table, fields[i].word, fields[i].bytes);
  if (end != ' ')
    return 0;
  mount->is_listed = 1;
  mount->is_shared = mount->is_slave = 0;
  mount->unique_parent = mount->peer_group = 0;
  mount->device = device_number(device);
  end = read_word(table, mount->options, sizeof mount->options);
  for (int tags = 1; end == ' ';) {
    end = read_word(table, tag, sizeof tag);
    tags = tags && !text_equal(tag, "-");
    if (tags && text_starts(tag, "shared:")) {
      mount->is_shared = 1;
      mount->peer_group = text_value(tag + text_length("shared:"), 10);
    }
    mount->is_slave |= tags && text_starts(tag, "master:");
  }
  return 1;
}

long mount_search(const char *table_path,
                  int (*fits)(const struct mount *mount, const void *data),
                  const void *data, struct mount *mount) {
  struct reader table;
  int is_found = 0;
  MUST(read_open(&table, table_path));
  while (!is_found && mount_next(&table, mount))
    is_found = fits(mount, data);
  read_close(&table);
  return table.error ? table.error : is_found;
}

static int has_id(const struct mount *mount, const void *id) {
  return text_equal(mount->id, id);
}

long mount_find(const char *table_path, const char *id, struct mount *mount) {
  long result = mount_search(table_path, has_id, id, mount);
  return result == 0 ? -ENOENT : result < 0 ? result : 0;
}

/* 0, or -errno where the table must be asked: an old kernel, for one. */
static long tell(u64 unique_id, struct mount *mount) {
  struct statmount_request request = {.size = sizeof request,
                                      .id = unique_id,
                                      .want = WANT_SB_BASIC | WANT_MNT_BASIC |
                                              WANT_ROOT | WANT_POINT};
  struct statmount_answer answer;
  MUST(CALL(__NR_statmount, &request, &answer, sizeof answer, 0));
  const char *root = answer.text + answer.root;
  const char *point = answer.text + answer.point;
  if ((answer.mask & request.want) != request.want || *point != '/')
    return -ENOENT; /* or it lies outside of this root */
  text_number(mount->id, answer.old_id);
  text_number(mount->parent, answer.old_parent);
  mount->device = (u64)answer.device_major << 32 | answer.device_minor;
  mount->peer_group = answer.peer_group;
  text_number(mount->options, answer.attributes);
  /* As read_word() does: the kernel tells longer ones than paths. */
  text_cut(mount->root, root, sizeof mount->root);
  text_cut(mount->point, point, sizeof mount->point);
  mount->is_listed = 1;
  mount->is_shared = (answer.propagation & MS_SHARED) != 0;
  mount->is_slave = (answer.propagation & MS_SLAVE) != 0;
  mount->unique_parent = answer.parent;
  return 0;
}

long mount_below(const struct mount *mount, struct mount *below) {
  return mount->unique_parent != 0
             ? tell(mount->unique_parent, below)
             : mount_find(OWN_TABLE, mount->parent, below);
}

long mount_of(long fd, struct mount *mount) {
  struct statx status;
  char id[NUMBER_BYTES];
  if (CALL(__NR_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
           STATX_MNT_ID_UNIQUE, &status) == 0 &&
      status.stx_mask & STATX_MNT_ID_UNIQUE &&
      tell(status.stx_mnt_id, mount) == 0)
    return 0;
  long result = mount_id(fd, id);
  if (result < 0)
    return result;
  result = mount_find(OWN_TABLE, id, mount);
  if (result != -ENOENT)
    return result;
  text_copy(mount->id, id);
  mount->is_listed = mount->is_slave = 0;
  mount->is_shared = 1;
  mount->unique_parent = mount->peer_group = 0;
  mount->root[0] = mount->point[0] = '\0';
  return 0;
}

long mount_bind(const char *source, long onto, u64 flags) {
  char path[FD_PATH_BYTES];
  fd_path(path, onto);
  return CALL(__NR_mount, source, path, 0, MS_BIND | flags);
}

long mount_clone(long fd, long recursive) {
  return CALL(__NR_open_tree, fd, "",
              AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
}

#define BOTH_OPEN (MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)

long mount_attach(long clone, long onto) {
  return CALL(__NR_move_mount, clone, "", onto, "", BOTH_OPEN);
}

long mount_attach_beneath(long clone, long topmost) {
  return CALL(__NR_move_mount, clone, "", topmost, "",
              BOTH_OPEN | MOVE_MOUNT_BENEATH);
}

long mount_set_group(long from, long to) {
  return CALL(__NR_move_mount, from, "", to, "",
              BOTH_OPEN | MOVE_MOUNT_SET_GROUP);
}

long mount_path_in(const struct mount *mount, const char *path,
                   char inside[PATH_BYTES]) {
  size_t point = text_length(mount->point), root = text_length(mount->root);
  point -= point == 1; /* "/" */
  root -= root == 1;
  if (!text_is_below(path, mount->point) ||
      root + text_length(path + point) >= PATH_BYTES)
    return -ENOENT;
  char *end = inside;
  if (root > 0)
    end = text_copy(end, mount->root);
  text_copy(end, path + point);
  if (*inside == '\0')
    text_copy(inside, "/");
  return 0;
}

static int is_on(const struct mount *mount, const void *id) {
  return text_equal(mount->parent, id);
}

long mount_is_parent(const char *table_path, const char *id) {
  struct mount mount;
  return mount_search(table_path, is_on, id, &mount);
}

long mount_change(long fd, u64 flags) {
  char path[FD_PATH_BYTES];
  fd_path(path, fd);
  return CALL(__NR_mount, 0, path, 0, flags);
}

long mount_set(long fd, long recursive, u64 propagation, u64 attributes) {
  struct mount_attr wanted = {.propagation = propagation,
                              .attr_set = attributes};
  return CALL(__NR_mount_setattr, fd, "", AT_EMPTY_PATH | recursive, &wanted,
              sizeof wanted);
}

long mount_propagation(long fd, u64 kind) { return mount_set(fd, 0, kind, 0); }

long mount_detach(long fd) {
  char path[FD_PATH_BYTES];
  fd_path(path, fd);
  return CALL(__NR_umount2, path, MNT_DETACH);
}

/*
 * A remount sets every flag of the mount, so those that it has are said again;
 * statfs(2) tells them by the same bits, but for two.
 */
long mount_make_read_only(long fd, int is_directory) {
  enum {
    SAME = 0x0c0e,
    NOATIME = 0x0400,
    RELATIME = 0x1000,
    NOSYMFOLLOW = 0x2000
  };
  if (is_directory)
    return mount_set(fd, AT_RECURSIVE, 0, MOUNT_ATTR_RDONLY);
  struct statfs mount;
  long result = CALL(__NR_fstatfs, fd, &mount);
  if (result < 0)
    return result;
  u64 flags = (u64)mount.f_flags & SAME;
  if (mount.f_flags & RELATIME)
    flags |= MS_RELATIME;
  if (!(mount.f_flags & (RELATIME | NOATIME)))
    flags |= MS_STRICTATIME;
  if (mount.f_flags & NOSYMFOLLOW)
    flags |= MS_NOSYMFOLLOW;
  return mount_change(fd, MS_REMOUNT | MS_BIND | MS_RDONLY | flags);
}

long mount_is_on_itself(const struct mount *mount) {
  struct mount below;
  long result = mount_below(mount, &below);
  if (result == -ENOENT) /* outside of this root: its path ends like ours */
    return text_ends(mount->root, mount->point);
  if (result < 0)
    return result;
  if (mount->device != below.device ||
      !text_equal(mount->options, below.options))
    return 0;
  char root[PATH_BYTES];
  return mount_path_in(&below, mount->point, root) == 0 &&
         text_equal(mount->root, root);
}

int mount_is_cover(const struct mount *mount, const char *path) {
  struct mount below;
  return text_equal(mount->point, path) && !mount->is_shared &&
         !mount->is_slave && mount_below(mount, &below) == 0 &&
         text_equal(below.point, path) && !below.is_shared && !below.is_slave;
}
