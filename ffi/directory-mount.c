#include "directory-mount.h"
#include "path.h"

#include <asm/errno.h>

void directory_close(struct directory_mount *directory) {
  close_file(&directory->here);
  close_file(&directory->peer);
}

/* Late: a launch has few descriptors to spare while it covers. */
static long open_peer(struct directory_mount *directory) {
  struct mount own, holder;
  if (directory->peer >= 0)
    return 0;
  MUST(mount_of(directory->here, &own));
  MUST(mount_below(&own, &holder));
  directory->peer = mount_open_root(holder.point, directory->holder_id);
  return directory->peer < 0 ? directory->peer : 0;
}

static long lay(struct directory_mount *directory, long on) {
  struct mount mount;
  MUST(mount_of(on, &mount));
  if (mount.is_shared)
    return -ESTALE;
  text_copy(directory->holder_id, mount.id);
  directory->here = mount_clone(on, AT_RECURSIVE);
  if (directory->here < 0)
    return directory->here;
  MUST(mount_attach(directory->here, on));
  return mount_id(directory->here, directory->id);
}

long directory_lay(struct directory_mount *directory, const char *path) {
  struct place place;
  long opened = path_open(-1, path, LINK_ITSELF, &place);
  if (opened < 0) /* it was there when it was looked at */
    return opened == -ENOENT || opened == -ENOTDIR ? -ESTALE : opened;
  long result = lay(directory, place.fd);
  close_file(&place.fd);
  return result;
}

long directory_leave(const struct directory_mount *directory) {
  return mount_propagation(directory->here, MS_SLAVE);
}

long directory_rejoin(struct directory_mount *directory) {
  MUST(open_peer(directory));
  MUST(mount_propagation(directory->here, MS_PRIVATE));
  return mount_set_group(directory->peer, directory->here);
}
