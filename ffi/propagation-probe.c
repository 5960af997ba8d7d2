#include "propagation-probe.h"
#include "mount.h"
#include "privilege.h"

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

long propagation_is_sound(struct host *host) {
  if (!can_return())
    return 0;
  MUST(host_leave(host));
  long result = try_graph();
  MUST(host_return(host));
  return is_shortage(result) ? result : result == 1;
}
