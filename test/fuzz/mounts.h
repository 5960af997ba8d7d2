/*
 * What the kernels that launch.c and keeper.c play have in common: mounts, each
 * at a point of another, and how they are walked and told of. Who includes this
 * has its own spaces for them, of which 0 is GONE and 1 DETACHED (open, and
 * mounted nowhere), and says by OF_A_MOUNT what more it knows of each.
 */
#include "../../ffi/statmount.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

/* Of <stdlib.h>, which defines what <linux/resource.h> defines too. */
void *calloc(size_t count, size_t bytes);
void free(void *block);
int atoi(const char *text);

enum { NAME = 64 }; /* bytes of any path */

struct simulated {
  enum space space;
  int parent, group, master; /* 0: none */
  char point[NAME];
  OF_A_MOUNT
};
static struct simulated mounts[MOUNTS]; /* from 1; the number is the id */
static int mount_count;

/* What a call is refused with, by a byte of the input. */
static long refusal(unsigned byte) {
  static const long errors[] = {EPERM,  ENOENT, EIO,    EINTR,  EAGAIN, ENOMEM,
                                EACCES, EBUSY,  ENODEV, EINVAL, EMFILE, ENOSPC,
                                ENOSYS, ESTALE, ELOOP,  E2BIG};
  return -errors[byte & 15];
}

static int add_mount(struct simulated mount) {
  must(mount_count + 1 < MOUNTS);
  mounts[++mount_count] = mount;
  return mount_count;
}

/* The topmost mount at a place of a mount. */
static int top_at(int mount, const char *path) {
  for (int i = 1; i <= mount_count; i++)
    if (mounts[i].space == mounts[mount].space && mounts[i].parent == mount &&
        strcmp(mounts[i].point, path) == 0)
      return top_at(i, path);
  return mount;
}

static int walk_from(int mount, const char *path) {
  char part[NAME];
  for (size_t i = 1; i <= strlen(path); i++)
    if (path[i] == '/' || path[i] == '\0') {
      memcpy(part, path, i);
      part[i] = '\0';
      mount = top_at(mount, part);
    }
  return mount;
}

static void set_propagation(struct simulated *mount, u64 kind) {
  if (kind & MS_SLAVE && mount->group != 0)
    mount->master = mount->group;
  if (kind & MS_PRIVATE)
    mount->master = 0;
  if (kind & (MS_SLAVE | MS_PRIVATE))
    mount->group = 0;
}

/* What statx(2) says of a file of which fstat(2) says that. */
static void tell_file(struct statx *status, const struct stat *file) {
  status->stx_dev_minor = (unsigned)file->st_dev;
  status->stx_ino = file->st_ino;
  status->stx_mode = (unsigned short)file->st_mode;
  status->stx_nlink = (unsigned)file->st_nlink;
}

/* What statx(2) says of the mount that holds an open file. */
static void tell_id(struct statx *status, unsigned mask, u64 id) {
  status->stx_mask = mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE);
  status->stx_mnt_id = mask & STATX_MNT_ID_UNIQUE ? id | 1ULL << 32 : id;
}

/* And statmount(2), of one of a device, whose root has that name there. */
static void tell_mount(struct statmount_answer *told, int id, unsigned device,
                       const char *root) {
  const struct simulated *mount = &mounts[id];
  memset(told, 0xa5, sizeof *told);
  told->size = sizeof *told;
  told->old_id = (unsigned)id;
  told->old_parent = (unsigned)mount->parent;
  told->parent = mount->parent == 0 ? 0 : 1ULL << 32 | told->old_parent;
  told->device_major = 0;
  told->device_minor = device;
  told->peer_group = (u64)mount->group;
  told->propagation =
      (mount->group ? MS_SHARED : 0) | (mount->master ? MS_SLAVE : 0);
  told->root = 0;
  told->point = (unsigned)strlen(root) + 1;
  strcpy(told->text, root);
  strcpy(told->text + told->point, mount->point);
}

/* The same, where its strings are longer than a path, or empty. */
static void tell_oddly(struct statmount_answer *told, size_t length,
                       unsigned which) {
  memset(told->text, '/', length);
  told->text[length] = '\0';
  told->root = which & 1 ? (unsigned)length : 0;
  told->point = which & 2 ? (unsigned)length : 0;
}

/* A line of mountinfo; the new end of what is written. */
static char *tell_line(char *end, int id, const struct simulated *mount,
                       unsigned device, const char *root, int is_read_only) {
  end += sprintf(end, "%d %d 0:%u %s %s %s", id, mount->parent, device, root,
                 mount->point, is_read_only ? "ro" : "rw");
  end += mount->group ? sprintf(end, " shared:%d", mount->group) : 0;
  end += mount->master ? sprintf(end, " master:%d", mount->master) : 0;
  return end + sprintf(end, " - ext4 x rw\n");
}
