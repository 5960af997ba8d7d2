#include "holder.h"

#include <asm/errno.h>

long holder_open(struct holder *holder) {
  if (holder->there >= 0)
    return 0;
  if (!holder->mount.is_listed)
    return -ENOENT;
  holder->there = mount_open_root(holder->mount.point, holder->mount.id);
  return holder->there < 0 ? holder->there : 0;
}

void holder_close(struct holder *holder) {
  close_file(&holder->there);
  close_file(&holder->here);
}

long holder_leave(struct holder *holder) {
  struct mount mount;
  holder->here = open_itself(holder->mount.point);
  if (holder->here < 0)
    return holder->here;
  long result = mount_of(holder->here, &mount);
  if (result < 0)
    return result;
  if (mount.device != holder->mount.device ||
      mount.peer_group != holder->mount.peer_group ||
      !text_equal(mount.root, holder->mount.root))
    return -ESTALE;
  text_copy(holder->here_id, mount.id);
  return mount_change(holder->here, MS_SLAVE);
}

long holder_rejoin(struct holder *holder) {
  if (holder->here < 0)
    holder->here = mount_open_root(holder->mount.point, holder->here_id);
  if (holder->here < 0)
    return holder->here;
  long result = mount_change(holder->here, MS_PRIVATE);
  return result < 0 ? result : mount_set_group(holder->there, holder->here);
}
