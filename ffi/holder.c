#include "holder.h"

#include <asm/errno.h>

long holder_open(struct holder *holder) {
  char id[NUMBER_BYTES];
  if (holder->there >= 0)
    return 0;
  if (!holder->mount.is_listed)
    return -ENOENT;
  holder->there = open_itself(holder->mount.point);
  if (holder->there < 0)
    return holder->there;
  long result = mount_id(holder->there, id);
  if (result == 0 && !text_equal(id, holder->mount.id))
    result = -EBUSY; /* another mount lies on it */
  if (result < 0)
    close_file(&holder->there);
  return result;
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
  return mount_change(holder->here, MS_SLAVE);
}

long holder_rejoin(struct holder *holder) {
  long result = mount_change(holder->here, MS_PRIVATE);
  return result < 0 ? result : mount_set_group(holder->there, holder->here);
}

long holder_can_rejoin(void) {
  long result = mount_set_group(-1, -1);
  return result == -EPERM ? result : result == -EBADF;
}

static long bind_as(const char *from, const char *to, u64 kind) {
  MUST(CALL(__NR_mkdirat, AT_FDCWD, to, 0700));
  MUST(CALL(__NR_mount, from, to, 0, MS_BIND));
  if (kind & MS_SHARED)
    MUST(CALL(__NR_mount, 0, to, 0, MS_SLAVE));
  return CALL(__NR_mount, 0, to, 0, kind);
}

static long rejoin_peer(const char *peer, const char *path) {
  long from = open_itself(peer), to = open_itself(path);
  long result = mount_set_group(from, to); /* -EBADF where one is not open */
  close_file(&from);
  close_file(&to);
  return result;
}

/* On /proc, which is there wherever this program runs. */
static long make_graph(void) {
  MUST(CALL(__NR_mount, "nspin", "/proc", "tmpfs", 0, 0));
  MUST(CALL(__NR_mkdirat, AT_FDCWD, "/proc/a", 0700));
  MUST(CALL(__NR_mount, "nspin", "/proc/a", "tmpfs", 0, 0));
  MUST(CALL(__NR_mount, 0, "/proc/a", 0, MS_SHARED));
  MUST(CALL(__NR_mkdirat, AT_FDCWD, "/proc/a/d", 0700));
  MUST(bind_as("/proc/a", "/proc/x", MS_SHARED));
  MUST(bind_as("/proc/a", "/proc/y", MS_SHARED));
  MUST(bind_as("/proc/a", "/proc/z", MS_PRIVATE));
  MUST(rejoin_peer("/proc/x", "/proc/z"));
  return CALL(__NR_mount, "nspin", "/proc/a/d", "tmpfs", 0, 0);
}

/* The table is opened first: /proc is covered then. */
static long try_graph(void) {
  struct reader table;
  struct mount mount;
  int seen = 0;
  MUST(CALL(__NR_mount, 0, "/proc", 0, MS_PRIVATE));
  MUST(read_open(&table, OWN_TABLE));
  long result = make_graph();
  while (result == 0 && mount_next(&table, &mount))
    seen += text_equal(mount.point, "/proc/x/d");
  read_close(&table);
  return result < 0 ? result : seen == 1;
}

long holder_graph_is_sound(struct host *host) {
  if (!host_can_return())
    return 0;
  MUST(host_leave(host));
  long result = try_graph();
  MUST(host_return(host));
  return is_shortage(result) ? result : result == 1;
}
