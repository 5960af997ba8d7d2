/*
 * The sequence under any struct that the command line can hand over, in any
 * small world of mounts and files, with any answers of the kernel. The kernel
 * here keeps account: of mounts in both namespaces, of descriptors, of memory
 * and of the lock. Whatever happens:
 *
 * - the program is started only with all that was asked for, in a mount
 *   namespace that is otherwise as the host's, propagation included;
 * - the host is changed by pin alone, and a failure takes its pins back;
 * - a keeper is started where one is asked for, and once, with what it needs;
 * - the lock is held when a pin is made, relied on or taken away;
 * - what was opened is used while it is open and closed once, or it is
 *   close-on-exec when the program starts; so with memory.
 */
#include "../../ffi/aside.h"
#include "../../ffi/keeper.h"
#include "../../ffi/keeper/keeping.h"

#include <asm/poll.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/auxvec.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/sysinfo.h>
#include <linux/wait.h>
#include <setjmp.h>

#define METHOD(name, bit) bit |
#define ONE(...) +1
enum { ALL_METHODS = METHODS(METHOD) 0, LAST_STEP = LAUNCH_STEPS(ONE) };
enum { ASKED = 3, RESOLV_CONF = 4, COVERS };
enum { FDS = 1 << 15, MOUNTS = 1 << 12, BLOCKS = 16, INHERITED = 10 };
enum { MOST_CALLS = 100000, PROCESS = 7 };

enum space { GONE, DETACHED, HOST, COPY };
#define OF_A_MOUNT                                                             \
  char root[NAME], origin[NAME]; /* origin: what root is called on the host */ \
  unsigned device;                                                             \
  int twin; /* of a copy: the host's */                                        \
  int is_read_only, is_ours, is_pin;                                           \
  int is_marked; /* to expire, umount2(2) */                                   \
  int is_within; /* of a directory on itself */
#include "mounts.h"

/* Those that are asked for, and those that /etc/netns/n can have. */
static const char *const sources[COVERS] = {
    "/s/0", "/s/1", "/s/2", "/etc/netns/n/a", "/etc/netns/n/resolv.conf"};
static const char *const targets[COVERS] = {"/etc/0", "/etc/1", "/srv/c",
                                            "/etc/a", "/etc/resolv.conf"};

/* Bits of the input: what the world is like. */
enum {
  SLAVE = 1,      /* /etc has a master too */
  PEER = 2,       /* a peer of /etc is on /mnt */
  PINNED = 4,     /* there is a pin on the first target */
  KILLED = 8,     /* which a launch that was killed has left shared */
  RELIED_ON = 16, /* process 7 has covered it */
  FORCE = 32,
  OLD_MOUNT = 64, /* Linux before 5.2 */
  OLD_STATX = 128 /* Linux before 5.8 */
};

static struct record record[1];

static struct {
  const uint8_t *answers, *end, *first;
  int gap, is_endless;
  const uint8_t *table; /* another than what is true, or NULL */
  size_t table_bytes;
  unsigned world, kinds;
  struct launch *launch;
  const struct program *program;
  jmp_buf started, between_ends;
  int keepers, is_between, is_subreaper, was_subreaper;
  int is_keeping, starter; /* the end of the pipe that a keeper gets */
  unsigned entries;        /* of /etc/netns/n, bits */
  enum space space;        /* where this thread is */
  int is_probing;
  int lock; /* the descriptor that holds it, or -1 */
  int was_locked;
  int has_netns, calls;
  int trouble;        /* refusals and untruths, since the last pin was made */
  int has_had;        /* any, ever */
  int is_stuck;       /* setns was refused */
  int was_in_trouble; /* before a pin was made, which can be why: one target of
                         a directory alone is pinned, and the covers do not go
                         together */
  int is_exchanged;   /* a file, for another one */
  int is_misled; /* statmount(2) has left out something, or told another path */
  int is_asked[COVERS], is_listed[COVERS];
  int host_mounts; /* before anything happened */
  int groups;
  int fd_count, block_count;
  struct {
    void *at;
    unsigned long bytes;
  } blocks[BLOCKS];
} k;
static struct simulated before[8];
static struct {
  int is_open, is_cloexec, mount;
  char path[NAME];
  struct content content;
} fds[FDS];

static unsigned answer(void) {
  if (k.gap-- > 0 || k.calls > MOST_CALLS)
    return 0;
  if (k.end - k.answers < 2) {
    if (!k.is_endless || k.end - k.first < 2)
      return k.gap = 0;
    k.answers = k.first;
  }
  k.gap = k.answers[1];
  k.answers += 2;
  return k.answers[-2];
}

static long error(void) {
  unsigned byte = answer();
  k.trouble += byte >= 0xe0;
  k.has_had |= byte >= 0xe0;
  return byte < 0xe0 ? 0 : refusal(byte);
}

static int is_untrue(void) {
  int result = answer() >= 0xf0;
  k.trouble += result;
  k.has_had |= result;
  return result;
}

static int is_true(void) { return k.table == NULL; }

/* An entry whose namesake was not there is among what comes behind. */
static int is_left_out(int cover) {
  const struct cover *one =
      (const struct cover *)k.launch->covers + k.launch->cover_count;
  for (u64 i = 0; i < k.launch->left_out; i++, one++)
    if (strcmp((const char *)one->target, targets[cover]) == 0) {
      must(one->is_entry && !k.launch->strict && cover != RESOLV_CONF);
      must(k.has_had || !is_true());
      return 1;
    }
  return 0;
}

static int is_wanted(int cover) {
  return k.is_asked[cover] || (k.is_listed[cover] && !is_left_out(cover));
}

static void join(char to[NAME], const char *directory, const char *rest) {
  must(strlen(directory) + strlen(rest) + 2 < NAME);
  strcpy(to, strcmp(directory, "/") == 0 ? "" : directory);
  if (*rest != '\0' && *rest != '/')
    strcat(to, "/");
  strcat(to, rest);
  if (*to == '\0')
    strcpy(to, "/");
}

/* What is left of a path below a mount's point. */
static const char *below(const struct simulated *mount, const char *path) {
  size_t length = strlen(mount->point);
  length -= length == 1;
  must(strncmp(path, mount->point, length) == 0);
  return path + length;
}

static void name_in_filesystem(int mount, const char *path, char to[NAME]) {
  join(to, mounts[mount].root, below(&mounts[mount], path));
}

static void name_on_host(int mount, const char *path, char to[NAME]) {
  join(to, mounts[mount].origin, below(&mounts[mount], path));
}

static int root_of(enum space space) {
  for (int i = 1; i <= mount_count; i++)
    if (mounts[i].space == space && strcmp(mounts[i].point, "/") == 0)
      return i;
  must(0);
  return 0;
}

/* The last ones that are gone, and that nothing leads to. */
static void forget_gone(void) {
  int last = mount_count;
  while (mounts[last].space == GONE)
    last--;
  for (int i = INHERITED; i < k.fd_count; i++)
    if (fds[i].is_open && fds[i].mount > last)
      last = fds[i].mount;
  mount_count = last;
}

static unsigned kind_of(const char *name) {
  for (int i = 0; i < COVERS; i++) {
    if (strcmp(name, sources[i]) == 0)
      return i == 0 && k.kinds & 1 ? S_IFDIR : S_IFREG;
    if (strcmp(name, targets[i]) == 0)
      return i == 0 && k.kinds & 2            ? S_IFDIR
             : i < 3 && k.kinds >> 2 >> i & 1 ? S_IFLNK
                                              : S_IFREG;
  }
  static const char *const directories[] = {
      "/", "/etc", "/srv", "/s", "/mnt", "/etc/netns", "/etc/netns/n", "/run"};
  for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
    if (strcmp(name, directories[i]) == 0)
      return S_IFDIR;
  return S_IFREG;
}

static long new_fd(const char *path, int mount, int is_cloexec) {
  if (k.fd_count == FDS)
    return -EMFILE;
  int fd = k.fd_count++;
  must(strlen(path) < NAME);
  fds[fd].is_open = 1;
  fds[fd].is_cloexec = is_cloexec;
  fds[fd].mount = mount;
  fds[fd].content = (struct content){(const uint8_t *)"", 0, 1024};
  strcpy(fds[fd].path, path);
  return fd;
}

static int used(long fd) {
  must(fd >= 0 && fd < k.fd_count && fds[fd].is_open);
  return (int)fd;
}

/* "/proc/self/fd/N", or with "/NAME" behind it; or -1. */
static int fd_of(const char *path) {
  return strncmp(path, "/proc/self/fd/", 14) == 0 ? used(atoi(path + 14)) : -1;
}

static void path_of(const char *path, char to[NAME]) {
  const char *name = strchr(path + strlen("/proc/self/fd/"), '/');
  join(to, fds[fd_of(path)].path, name == NULL ? "" : name + 1);
}

/* What a program would read; of process 7 with its cover, if it has one. */
static void write_table(struct content *content, int is_of_process) {
  static char texts[4][8192];
  static int turn;
  char *text = texts[turn++ % 4], *end = text;
  enum space space = is_of_process ? HOST : k.space;
  for (int i = 1; i <= mount_count; i++) {
    struct simulated m = mounts[i];
    if (m.space != space)
      continue;
    if (is_of_process && m.is_pin)
      m.group = 0;
    end = tell_line(end, i, &m, m.device, m.root, m.is_read_only);
    if (is_of_process && m.is_pin && k.world & RELIED_ON)
      end += sprintf(end, "%d %d 0:5 /s/0 %s rw - ext4 x rw\n", 9000 + i, i,
                     m.point);
    must(end < text + sizeof texts[0] - 256);
  }
  if (k.is_probing && answer() < 0x80)
    end += sprintf(end, "4000 1 0:30 / /proc/x/d rw - tmpfs nspin rw\n");
  content->bytes = (const uint8_t *)text;
  content->have = (size_t)(end - text);
  if (k.table != NULL) {
    content->bytes = k.table;
    content->have = k.table_bytes;
  }
}

static void list(void) {
  for (int i = 0; i < 2; i++)
    k.is_listed[ASKED + i] = k.launch->etc != 0 && k.entries >> i & 1;
}

/*
 * Whether /etc/netns/n is there at all, its answers say as well; and in the
 * next attempt it can be there again.
 */
static long is_gone(long result) {
  for (int i = ASKED; i < COVERS && result == -ENOENT; i++)
    k.is_listed[i] = 0;
  return result;
}

static long open_at(long directory, const char *name, unsigned flags) {
  char path[NAME];
  long result = error();
  if (strcmp(name, "/etc/netns/n") == 0) {
    list();
    is_gone(result);
  }
  must(flags & O_CLOEXEC);
  must(directory == AT_FDCWD || used(directory) >= 0);
  if (result < 0)
    return result;
  if (strlen(name) >= NAME) /* made up by statmount(2) or the table */
    return -ENOENT;
  int other = fd_of(name);
  if (other >= 0) {
    name = strchr(name + strlen("/proc/self/fd/"), '/');
    if (name == NULL)
      return new_fd(fds[other].path, fds[other].mount, 1);
    directory = other;
    name++;
  }
  if (strncmp(name, "/proc/self/fdinfo/", 18) == 0) {
    static char lines[4][64];
    static int turn;
    char *line = lines[turn++ % 4];
    int mount = fds[used(atoi(name + 18))].mount;
    sprintf(line, "pos:\t0\n%s:\t%d\n", is_untrue() ? "mnt" : "mnt_id", mount);
    result = new_fd(name, 0, 1);
    if (result >= 0)
      fds[result].content = (struct content){(uint8_t *)line, strlen(line), 9};
    return result;
  }
  if (strncmp(name, "/proc", 5) == 0 || k.is_probing ||
      strcmp(name, "/run/netns/n") == 0)
    return new_fd(name, 0, 1);
  int from = directory == AT_FDCWD ? root_of(k.space) : fds[directory].mount;
  if (*name == '/')
    strcpy(path, name);
  else if (strcmp(name, ".") == 0)
    strcpy(path, directory == AT_FDCWD ? "/" : fds[directory].path);
  else
    join(path, fds[directory].path, name);
  int mount = *name == '/' ? walk_from(from, path) : top_at(from, path);
  char known[NAME];
  name_on_host(mount, path, known);
  unsigned kind = kind_of(known);
  if (flags & O_DIRECTORY && kind != S_IFDIR)
    return -ENOTDIR;
  if (flags & O_NOFOLLOW && kind == S_IFLNK && !(flags & O_PATH))
    return -ELOOP;
  return new_fd(path, mount, 1);
}

static long close_fd(int fd) {
  must(fd >= INHERITED); /* 0 to 2, and whatever the program inherits */
  fds[fd].is_open = 0;
  if (k.lock == fd)
    k.lock = -1;
  int mount = fds[fd].mount;
  if (mount > 0 && mounts[mount].space == DETACHED) {
    mounts[mount].space = GONE;
    for (int i = 1; i <= mount_count; i++)
      if (mounts[i].space == DETACHED && mounts[i].parent == mount)
        mounts[i].space = GONE;
  }
  return 0;
}

/* openat2(2), where no link is followed. */
static long open_whole(long root, const char *path,
                       const struct open_how *how) {
  char known[NAME];
  const u64 in_root = root == AT_FDCWD ? 0 : RESOLVE_IN_ROOT;
  must(how->resolve == (RESOLVE_NO_SYMLINKS | in_root) && how->mode == 0);
  long fd = open_at(root, path, (unsigned)how->flags);
  if (fd < 0)
    return fd;
  name_on_host(fds[fd].mount, path, known);
  if (kind_of(known) != S_IFLNK || how->flags & O_NOFOLLOW)
    return fd;
  close_fd((int)fd);
  return -ELOOP;
}

static long stat_fd(int fd, struct stat *status) {
  char known[NAME], name[NAME];
  long result = error();
  if (result < 0)
    return result;
  int mount = fds[fd].mount;
  memset(status, 0, sizeof *status);
  if (mount == 0) { /* a namespace */
    status->st_ino = answer() < 0xe0 ? 1 : 2;
    return 0;
  }
  name_on_host(mount, fds[fd].path, known);
  name_in_filesystem(mount, fds[fd].path, name);
  status->st_dev = mounts[mount].device;
  status->st_ino = 1;
  for (const char *c = name; *c != '\0'; c++)
    status->st_ino = status->st_ino * 31 + (unsigned char)*c;
  status->st_mode = kind_of(known) | 0755;
  status->st_nlink = !is_untrue();
  if (is_untrue()) {
    k.is_exchanged = 1;
    status->st_ino = 1000 + (u64)k.calls;
  }
  return 0;
}

static long stat_path(const char *path, struct stat *status) {
  long result = error();
  memset(status, 0, sizeof *status);
  status->st_mode = S_IFREG | 0755; /* of a program */
  size_t length = strlen(path);
  int is_user = length > 8 && strcmp(path + length - 8, "/ns/user") == 0;
  status->st_ino = is_user                                  ? 0xeffffffd
                   : strcmp(path, "/proc/self/ns/mnt") == 0 ? 1
                                                            : 2;
  if (answer() >= 0xe0)
    status->st_ino = 3, k.trouble++;
  return result;
}

/* Of a file; or the ids of the mount, those that the kernel knows. */
static long statx_at(long directory, const char *path, unsigned mask,
                     struct statx *status) {
  memset(status, 0, sizeof *status);
  must(*path == '\0');
  if (mask == STATX_BASIC_STATS) {
    struct stat file = {0};
    long looked = stat_fd(used(directory), &file);
    tell_file(status, &file);
    return looked;
  }
  long result = error();
  if (result < 0)
    return result;
  int mount = fds[used(directory)].mount;
  if (k.world & OLD_STATX || is_untrue())
    return 0;
  tell_id(status, mask, (u64)mount);
  return 0;
}

/*
 * As the kernel tells it: strings that end within the answer, of any length
 * that fits there, or of the mount; or with a mask that leaves some out.
 */
static long statmount(const struct statmount_request *request,
                      struct statmount_answer *told, size_t room) {
  long result = error();
  must(request->size == 24 && room == sizeof *told && request->spare == 0);
  if (result < 0)
    return result;
  int id = (int)(unsigned)request->id;
  must(id >= 0 && id <= mount_count && request->id >> 32 == 1);
  const struct simulated *mount = &mounts[id];
  if (id == 0 || mount->space != k.space)
    return -ENOENT;
  tell_mount(told, id, mount->device, mount->root);
  int trouble = k.trouble;
  told->mask = is_untrue() ? answer() : request->want;
  told->id = request->id;
  told->attributes = (u64)mount->is_read_only;
  if (is_untrue())
    told->parent = 0;
  if (is_untrue()) {
    size_t length = (size_t)answer() * 32;
    tell_oddly(told, length, answer());
  }
  k.is_misled |= k.trouble > trouble;
  return 0;
}

/* The directory in one piece, or in two. */
static long entries(struct content *content, char *to, size_t room) {
  static const char *const names[] = {".", "..", "a", "resolv.conf"};
  long result = is_gone(error());
  if (result < 0)
    return result;
  size_t have = 0;
  for (size_t i = content->have; i < 4; i++) {
    if (i >= 2 && !(k.entries >> (i - 2) & 1))
      continue;
    struct dirent64 *entry = (struct dirent64 *)(to + have);
    size_t bytes = (sizeof *entry + strlen(names[i]) + 1 + 7) & ~7ul;
    must(have + bytes <= room);
    *entry = (struct dirent64){.reclen = (unsigned short)bytes};
    strcpy(entry->name, names[i]);
    have += bytes;
    content->have = i + 1;
    if (answer() & 1)
      break;
  }
  return (long)have;
}

static long numbers(struct content *content, char *to) {
  long result = error();
  if (result < 0 || content->have > 0)
    return result;
  struct dirent64 *entry = (struct dirent64 *)to;
  *entry = (struct dirent64){.reclen = 32};
  sprintf(entry->name, "%d", PROCESS);
  content->have = 1;
  return entry->reclen;
}

static int is_target(const char *name) {
  for (int i = 0; i < COVERS; i++)
    if (is_wanted(i) && strcmp(name, targets[i]) == 0)
      return 1;
  return 0;
}

/* A mount becomes the topmost one at that place. */
static long attach(int mount, int onto) {
  struct simulated *m = &mounts[mount];
  int parent = top_at(fds[onto].mount, fds[onto].path);
  if (mounts[parent].space != k.space)
    return -EINVAL;
  strcpy(m->point, fds[onto].path);
  m->parent = parent;
  for (int i = INHERITED; i < k.fd_count; i++)
    if (fds[i].mount == mount)
      strcpy(fds[i].path, m->point);
  m->space = k.space;
  m->is_ours = 1;
  for (int i = 1; i <= mount_count; i++)
    if (mounts[i].space == DETACHED && mounts[i].parent == mount)
      mounts[i].space = k.space;
  if (k.space == HOST) {
    /* Only a target that is asked for, onto itself, under the lock. */
    char target[NAME];
    name_on_host(fds[onto].mount, fds[onto].path, target);
    must(k.lock >= 0 && is_target(target) && strcmp(m->origin, target) == 0);
    must(kind_of(target) != S_IFDIR);
    m->is_pin = 1;
    k.was_in_trouble |= k.trouble > 0;
    k.trouble = 0;
  } else /* nothing that lands in the copy may go out to the host */
    must(!is_true() || mounts[parent].group == 0);
  if (mounts[parent].group != 0 && m->group == 0)
    m->group = ++k.groups; /* attach_recursive_mnt() */
  return 0;
}

static int copy_of(int fd) {
  struct simulated m = mounts[fds[fd].mount];
  must(fds[fd].mount > 0);
  name_in_filesystem(fds[fd].mount, fds[fd].path, m.root);
  name_on_host(fds[fd].mount, fds[fd].path, m.origin);
  strcpy(m.point, fds[fd].path);
  m.space = DETACHED;
  m.parent = m.twin = m.is_ours = m.is_pin = 0;
  return add_mount(m);
}

/* With what is mounted in it; in the copy that is of the depth of one. */
static int copy_with_all(int fd) {
  int from = fds[fd].mount, last = mount_count, to = copy_of(fd);
  const char *path = fds[fd].path;
  mounts[to].is_within = kind_of(mounts[to].origin) == S_IFDIR;
  for (int i = 1; i <= last; i++)
    if (mounts[i].space == k.space && mounts[i].parent == from &&
        strncmp(mounts[i].point, path, strlen(path)) == 0 &&
        mounts[i].point[strlen(path)] == '/') {
      struct simulated m = mounts[i];
      m.space = DETACHED;
      m.parent = to;
      add_mount(m);
    }
  return to;
}

static long lay(int onto, const char *type, unsigned long flags) {
  must(k.space == COPY);
  struct simulated m = {.device = strcmp(type, "tmpfs") == 0 ? 90 : 91,
                        .root = "/",
                        .is_read_only = (flags & MS_RDONLY) != 0};
  name_on_host(fds[onto].mount, fds[onto].path, m.origin);
  return attach(add_mount(m), onto);
}

static long change(struct simulated *m, unsigned long flags) {
  if (m->space != k.space && m->space != DETACHED)
    return -EINVAL;
  if (k.space == HOST && m->space == HOST) { /* only a pin's, to private */
    must(flags == MS_PRIVATE && m->is_pin && k.lock >= 0);
  }
  set_propagation(m, flags);
  return 0;
}

static long mount(const char *source, const char *onto, const char *type,
                  unsigned long flags) {
  long result = error();
  int fd = fd_of(onto);
  if (k.is_probing || (k.space == COPY && strcmp(onto, "/proc") == 0)) {
    k.is_probing = 1;
    must(k.space == COPY);
    return result;
  }
  must(fd >= 0); /* never by a path */
  if (result < 0)
    return result;
  if (type != NULL)
    return lay(fd, type, flags);
  if (flags & MS_REMOUNT) {
    must(k.space == COPY && mounts[fds[fd].mount].is_ours);
    must(flags & MS_BIND && flags & MS_RDONLY);
    return mounts[fds[fd].mount].is_read_only = 1, 0;
  }
  if (flags & MS_BIND)
    return attach(copy_of(fd_of(source)), fd);
  return change(&mounts[fds[fd].mount], flags & ~(u64)MS_REC);
}

static long set_attributes(int fd, const struct mount_attr *attributes) {
  struct simulated *m = &mounts[fds[fd].mount];
  if (attributes->propagation == MS_PRIVATE)
    return change(m, MS_PRIVATE);
  must(attributes->attr_set == MOUNT_ATTR_RDONLY && k.space == COPY);
  must(m->is_ours);
  return m->is_read_only = 1, 0;
}

static long move_mount(long from, long to, unsigned long flags) {
  enum { SET_GROUP = 0x100 };
  if (from < 0 || to < 0) { /* the probe; or what it could not open */
    must(flags & SET_GROUP);
    return !(k.world & OLD_MOUNT) && answer() < 0xe0 ? -EBADF : -ENOSYS;
  }
  used(from), used(to);
  long result = k.world & OLD_MOUNT ? -ENOSYS : error();
  if (result < 0 || k.is_probing)
    return result;
  struct simulated *m = &mounts[fds[from].mount], *n = &mounts[fds[to].mount];
  if (!(flags & SET_GROUP))
    return m->space == DETACHED ? attach(fds[from].mount, (int)to) : -EINVAL;
  must(k.space == COPY && n->space == COPY);
  /* Of the host's mount, of the copy that has rejoined that before, or a clone.
   */
  must(m->space == HOST ||
       (n->is_within && (&mounts[n->parent] == m || m->space == DETACHED)));
  if (n->group != 0 || n->master != 0)
    return -EINVAL;
  n->group = m->group;
  n->master = m->master;
  return 0;
}

static long unmount(const char *path, int flags) {
  enum { DETACH = 2, EXPIRE = 4 | 8 }; /* without following a link */
  char at[NAME];
  long result = error();
  path_of(path, at);
  int top = top_at(fds[fd_of(path)].mount, at);
  struct simulated *m = &mounts[top];
  must(flags == DETACH || flags == EXPIRE);
  if (result < 0)
    return result;
  if (m->space != k.space || strcmp(m->point, at) != 0)
    return -EINVAL;
  if (flags == EXPIRE) {
    for (int i = INHERITED; i < k.fd_count; i++)
      if (fds[i].is_open && fds[i].mount == top)
        return -EBUSY;
    int was_marked = m->is_marked && !is_untrue(); /* it was not used since */
    m->is_marked = 1;
    if (!was_marked)
      return -EAGAIN;
  }
  m->space = GONE;
  if (k.space == HOST)
    must(k.lock >= 0 && m->is_pin);
  for (int i = 1; k.space == COPY && i <= mount_count; i++)
    if (mounts[i].space == HOST && mounts[m->parent].group != 0 &&
        mounts[mounts[i].parent].group == mounts[m->parent].group &&
        strcmp(mounts[i].root, m->root) == 0 && mounts[i].device == m->device &&
        strcmp(below(&mounts[mounts[i].parent], mounts[i].point),
               below(&mounts[m->parent], m->point)) == 0) {
      must(k.lock >= 0 && mounts[i].is_pin);
      mounts[i].space = GONE;
    }
  return 0;
}

static long unshare(void) {
  long result = error();
  must(k.space == HOST);
  if (result < 0)
    return result;
  forget_gone();
  int copies[MOUNTS] = {0}, last = mount_count;
  if (last > MOUNTS - 64)
    return -ENOSPC;
  for (int i = 1; i <= last; i++)
    if (mounts[i].space == HOST) {
      struct simulated m = mounts[i];
      m.space = COPY;
      m.twin = i;
      m.parent = copies[m.parent];
      m.is_ours = m.is_pin = 0;
      copies[i] = add_mount(m);
    }
  k.space = COPY;
  return 0;
}

static long return_to_host(void) {
  long result = error();
  k.is_stuck |= result < 0;
  if (result < 0)
    return result;
  for (int i = 1; i <= mount_count; i++)
    if (mounts[i].space == COPY)
      mounts[i].space = GONE;
  k.space = HOST;
  k.is_probing = 0;
  return 0;
}

/* Pins that are left on the host; nothing else is changed there. */
static int check_host(int is_started) {
  int pins = 0;
  for (int i = 1; i <= mount_count; i++) {
    struct simulated *m = &mounts[i];
    if (i > k.host_mounts) {
      pins += m->space == HOST;
      must(m->space != HOST || m->is_pin);
      must(m->space != HOST || !is_started || (m->group == 0 && !m->master));
    } else if (!before[i].is_pin)
      must(memcmp(m, &before[i], sizeof *m) == 0);
    else
      must(m->space == HOST || m->space == GONE);
  }
  return pins;
}

/* The source, on the target bound onto itself, on what holds the target. */
static void check_cover(int cover) {
  char name[NAME];
  int top = walk_from(root_of(COPY), targets[cover]);
  const struct simulated *upper = &mounts[top], *lower = &mounts[upper->parent];
  const struct simulated *holder = &mounts[lower->parent];
  name_on_host(top, targets[cover], name);
  must(strcmp(name, sources[cover]) == 0);
  must(!k.launch->read_only || upper->is_read_only);
  if (lower->device != 91) { /* what an overlay shows is its own */
    name_on_host(upper->parent, targets[cover], name);
    must(strcmp(name, targets[cover]) == 0);
  }
  for (const struct simulated *m = upper;; m = lower) {
    /* Where one target of a directory alone was pinned, in trouble, its cover
     * can lie on the copy of that pin. */
    must((m->is_ours || (k.was_in_trouble && mounts[m->twin].is_pin)) &&
         m->group == 0 && m->master == 0);
    must(strcmp(m->point, targets[cover]) == 0);
    if (m == lower)
      break;
  }
  must(!holder->is_ours || holder->device == 91 || holder->is_within);
  const struct simulated *twin = &mounts[holder->twin];
  if (holder->twin > 0 && twin->is_pin && twin->group == 0)
    must(k.lock >= 0 ||
         k.is_misled); /* one that is shared can be rejoined as any mount */
}

static void starts(const char *const *argv, char **environment) {
  const struct launch *launch = k.launch;
  must(environment == record->environment);
  must(argv == (const char *const *)k.program->argv);
  must(k.space == (launch->cover_count > 0 ? COPY : HOST));
  check_host(1);
  for (int i = 0; i < COVERS && is_true(); i++)
    if (is_wanted(i))
      check_cover(i);
  int is_kept = 0;
  /* All else is as on the host, and what either mounts reaches the other. */
  for (int i = 1; i <= mount_count && is_true(); i++) {
    const struct simulated *m = &mounts[i], *twin = &mounts[m->twin];
    if (m->space == COPY && m->twin > 0)
      must(m->group == twin->group && m->master == twin->master);
    if (m->space == COPY && m->twin == 0 && m->is_within &&
        !is_target(m->point)) {
      const struct simulated *holder = &mounts[m->parent];
      must(holder->twin > 0 && strcmp(m->point, "/etc") == 0);
      must(m->group != 0 && m->group == mounts[holder->twin].group);
      must(m->master == mounts[holder->twin].master);
      is_kept = 1;
    } else if (m->space == COPY && m->twin == 0)
      must(is_target(m->point) || m->device == 90 || m->device == 91);
  }
  must(k.keepers <= 1 && k.keepers >= is_kept);
  must(k.keepers == 0 || (launch->keep && launch->method == AUTO));
  must(k.is_subreaper == k.was_subreaper);
  for (int i = INHERITED; i < k.fd_count; i++)
    must(!fds[i].is_open || fds[i].is_cloexec);
  must(launch->etc == 0 || is_wanted(RESOLV_CONF));
  must(k.has_netns == (launch->netns != 0));
  if (launch->command_words > 0) {
    must(strcmp(*argv++, "nsenter") == 0);
    must(strcmp(*argv++, launch->tid_word == 2 ? "42" : "") == 0);
    must(strcmp(*argv++, "--") == 0);
  }
  if (launch->word_count > 0)
    must(strcmp(*argv++, "own") == 0);
  if (launch->skip == 3)
    must(strcmp(*argv++, "p") == 0);
  must(strcmp(*argv++, "a") == 0 && *argv == NULL);
  longjmp(k.started, 1);
}

static long read_fd(int fd, long to, long room) {
  long result = error();
  const char *path = fds[fd].path;
  size_t length = strlen(path);
  int is_table = length > 9 && strcmp(path + length - 9, "mountinfo") == 0;
  if (result < 0)
    return result;
  if (is_table && fds[fd].content.piece == 1024) { /* the first piece */
    write_table(&fds[fd].content, strcmp(path, OWN_TABLE) != 0);
    fds[fd].content.piece = 1000;
  }
  return content_read(&fds[fd].content, to, room);
}

static void release(long at, long bytes) {
  int i = 0;
  while (i < k.block_count && (long)k.blocks[i].at != at)
    i++;
  must(i < k.block_count && k.blocks[i].bytes == (unsigned long)bytes);
  free(k.blocks[i].at);
  k.blocks[i] = k.blocks[--k.block_count];
}

/* What it was given is open in it, as it is here. */
static void keep(const struct daemon *daemon) {
  must(k.space == COPY && !k.is_subreaper);
  must(daemon->starter == k.starter && daemon->files[3] == k.starter);
  must(daemon->run == keeper_run);
  for (size_t i = 0; i < daemon->file_count; i++)
    must(daemon->files[i] < 0 || used(daemon->files[i]) >= INHERITED);
  k.keepers++;
}

/* In the process between, before that makes the keeper. */
long daemon_detach(const struct daemon *daemon) {
  must(k.is_between && daemon->capabilities != 0);
  return error();
}

/* The one between shares the memory, and is done when clone(2) returns. */
static long clone(unsigned long flags, void (*body)(void *), void *data) {
  long result = error();
  if (result < 0)
    return result;
  must((flags & 0xff) == 0);
  if (!(flags & CLONE_VFORK))
    return keep(data), 44;
  must(flags & CLONE_VM && !k.is_between && !k.is_subreaper);
  k.is_between = 1;
  if (setjmp(k.between_ends) == 0) {
    body(data);
    must(0);
  }
  k.is_between = 0;
  return 43;
}

/* It is another process's. */
_Noreturn void keeper_run(void *daemon) {
  (void)daemon;
  must(0);
  __builtin_trap();
}

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)f;
  k.calls++;
  switch (number) {
  case __NR_clone:
    return clone((unsigned long)a, (void (*)(void *))c, (void *)d);
  case __NR_exit_group:
    must(k.is_between);
    longjmp(k.between_ends, 1);
  case __NR_pipe2: {
    long result = error();
    must(b == O_CLOEXEC);
    k.is_keeping = 1;
    if (result < 0 || k.fd_count + 2 > FDS)
      return result < 0 ? result : -EMFILE;
    k.starter = ((int *)a)[0] = (int)new_fd("/pipe", 0, 1);
    ((int *)a)[1] = (int)new_fd("/pipe", 0, 1);
    return 0;
  }
  case __NR_sysinfo:
    ((struct sysinfo *)a)->procs = (unsigned short)(answer() << 8);
    return error();
  case __NR_wait4:
    must(a == 43 && c == __WCLONE);
    return a;
  case __NR_pidfd_open: {
    long result = error();
    if (a == -1) /* is it there? */
      return result < 0 ? result : -EINVAL;
    return result < 0 ? result : new_fd("/pidfd", 0, 1);
  }
  case __NR_prctl: {
    long result = error();
    if (a == PR_GET_CHILD_SUBREAPER)
      return *(int *)b = k.is_subreaper, 0;
    must(a == PR_SET_CHILD_SUBREAPER);
    if (result == 0)
      k.is_subreaper = (int)b;
    return result;
  }
  case __NR_openat:
    return open_at(a, (const char *)b, (unsigned)c);
  case __NR_openat2:
    return open_whole(a, (const char *)b, (const struct open_how *)c);
  case __NR_close:
    error();
    return close_fd(used(a)); /* close(2): closed, whatever it says */
  case __NR_read:
    return read_fd(used(a), b, c);
  case __NR_fstat:
    return stat_fd(used(a), (struct stat *)b);
  case __NR_newfstatat:
    return stat_path((const char *)b, (struct stat *)c);
  case __NR_statx:
    return statx_at(a, (const char *)b, (unsigned)d, (struct statx *)e);
  case __NR_statmount:
    return statmount((const void *)a, (void *)b, (size_t)c);
  case __NR_readlinkat: {
    long result = error();
    if (a != AT_FDCWD || strcmp((const char *)b, "/proc/self") != 0)
      return used(a), -ELOOP; /* test/fuzz/path.c follows links */
    must(d >= 2);
    return result < 0 ? result : (memcpy((char *)c, "42", 2), 2);
  }
  case __NR_capget:
    ((struct { unsigned effective, permitted, inheritable; } *)b)[0].effective =
        answer() < 0xe0 ? ~0u : 0;
    return error();
  case __NR_geteuid:
    return 0;
  case __NR_fstatfs: {
    int is_netns = strcmp(fds[used(a)].path, "/run/netns/n") == 0;
    memset((void *)b, 0, sizeof(struct statfs));
    *(long *)b = is_netns && answer() < 0xe0 ? NSFS_MAGIC : 1;
    return error();
  }
  case __NR_ioctl:
    used(a);
    if (b == NS_GET_USERNS) {
      long result = error();
      return result < 0 ? result : new_fd("/proc/user", 0, 1);
    }
    must(b == NS_GET_NSTYPE);
    return answer() < 0xe0 ? CLONE_NEWNET : CLONE_NEWNS;
  case __NR_flock: {
    long result = error();
    used(a);
    must(k.lock < 0 && (b == 2 || b == 6)); /* LOCK_EX, LOCK_NB */
    if (result == 0)
      k.lock = (int)a, k.was_locked = 1;
    return result;
  }
  case __NR_mount:
    return mount((const char *)a, (const char *)b, (const char *)c,
                 (unsigned long)d);
  case __NR_open_tree: {
    long result = k.world & OLD_MOUNT ? -ENOSYS : error();
    if (a == -1) /* is it there? */
      return result < 0 ? result : -EBADF;
    must((c & OPEN_TREE_CLONE) != 0 && (c & OPEN_TREE_CLOEXEC) != 0);
    used(a);
    forget_gone();
    if (result < 0 || mount_count > MOUNTS - 64 || k.fd_count == FDS)
      return result < 0 ? result : -ENOSPC;
    return new_fd(fds[a].path,
                  c & AT_RECURSIVE ? copy_with_all((int)a) : copy_of((int)a),
                  1);
  }
  case __NR_mount_setattr: {
    long result = k.world & OLD_MOUNT ? -ENOSYS : error();
    if (a == -1) /* is it there? */
      return result < 0 ? result : -EINVAL;
    used(a);
    return result < 0 ? result : set_attributes((int)a, (const void *)d);
  }
  case __NR_move_mount:
    return move_mount(a, c, (unsigned long)e);
  case __NR_umount2:
    must(fd_of((const char *)a) >= 0);
    return unmount((const char *)a, (int)b);
  case __NR_unshare:
    must(a == CLONE_NEWNS);
    return unshare();
  case __NR_setns: {
    if (a == -1) { /* may it be called? */
      long result = error();
      return must(b == CLONE_NEWNS), result < 0 ? result : -EBADF;
    }
    used(a);
    if (b == CLONE_NEWNS)
      return must(k.space == COPY), return_to_host();
    long result = error();
    k.has_netns |= result == 0;
    return result;
  }
  case __NR_ppoll:
    if (a == -1) { /* may it be called? */
      long result = error();
      return result < 0 ? result : -EINVAL;
    }
    must(((const struct pollfd *)a)->fd == -1 ||
         used(((const struct pollfd *)a)->fd) > 0);
    return is_untrue();
  case __NR_dup:
  case __NR_fcntl:
  case __NR_signalfd4: {
    long result = error();
    return result < 0 ? result : a == -1 ? -EBADF : 0; /* may it be called? */
  }
  case __NR_gettid:
  case __NR_getpid:
    return answer() < 0xf0 ? 42 : 43;
  case __NR_execve: {
    long result = error();
    if (result == 0)
      starts((const char *const *)b, (char **)c);
    return result;
  }
  case __NR_getdents64:
    return strcmp(fds[used(a)].path, "/etc/netns/n") == 0
               ? entries(&fds[a].content, (char *)b, (size_t)c)
               : numbers(&fds[a].content, (char *)b);
  case __NR_rt_sigaction: /* Bun ignores SIGPIPE */
    if (c != 0)
      *(struct signal_action *)c = (struct signal_action){.handler = a == 13};
    return error();
  case __NR_rt_sigpending:
    *(u64 *)a = answer();
    return error();
  case __NR_munmap:
    release(a, b);
    return 0;
  case __NR_mremap:
    return -ENOMEM;
  case __NR_chroot:
    if (*(char *)a == '\0') /* asked whether it would be allowed */
      return error() < 0 ? -EPERM : -ENOENT;
    return error();
  case __NR_fchdir:
    if (a == -1) /* asked whether it would be allowed */
      return error() < 0 ? -EPERM : -EBADF;
    used(a);
    return error();
  }
  return error();
}

long fuzz_allocate(unsigned long bytes) {
  if (error() < 0)
    return -ENOMEM;
  if (bytes == 0)
    return -EINVAL; /* as mmap(2) */
  must(k.block_count < BLOCKS);
  k.blocks[k.block_count].bytes = bytes;
  return (long)(k.blocks[k.block_count++].at = calloc(1, bytes));
}

static void make_world(void) {
  add_mount((struct simulated){.space = HOST,
                               .device = 5,
                               .group = 1,
                               .root = "/",
                               .point = "/",
                               .origin = "/"});
  add_mount((struct simulated){.space = HOST,
                               .parent = 1,
                               .device = 22,
                               .group = 7,
                               .master = k.world & SLAVE ? 2 : 0,
                               .root = "/",
                               .point = "/etc",
                               .origin = "/etc"});
  add_mount((struct simulated){.space = HOST,
                               .parent = 1,
                               .device = 5,
                               .root = "/srv",
                               .point = "/srv",
                               .origin = "/srv"});
  if (k.world & PEER)
    add_mount((struct simulated){.space = HOST,
                                 .parent = 1,
                                 .device = 22,
                                 .group = 7,
                                 .master = k.world & SLAVE ? 2 : 0,
                                 .root = "/",
                                 .point = "/mnt",
                                 .origin = "/etc"});
  if (k.world & PINNED)
    add_mount((struct simulated){.space = HOST,
                                 .parent = 2,
                                 .device = 22,
                                 .group = k.world & KILLED ? 8 : 0,
                                 .is_pin = 1,
                                 .root = "/0",
                                 .point = "/etc/0",
                                 .origin = "/etc/0"});
  k.groups = 10;
  k.host_mounts = mount_count;
  memcpy(before, mounts, sizeof before);
}

/*
 * Nothing stays open but what a keeper would get, until this process ends;
 * nothing stays on the host where undoing did not fail.
 */
static void check_failed(int is_unpin, int is_done) {
  int left = check_host(0);
  for (int i = INHERITED; i < k.fd_count; i++)
    must(!fds[i].is_open || (k.is_keeping && fds[i].is_cloexec));
  /* The words, the covers that a message names, and a dry run's steps. */
  must(k.block_count <= 3 + k.is_keeping);
  /* Where nothing is pinned, the way back is closed before a keeper starts. */
  must(k.space == HOST || k.is_stuck || k.launch->failed_step == STEP_KEEP ||
       k.is_keeping);
  /* By its path alone a pin on what is elsewhere now cannot be found. */
  int is_lost = k.world & OLD_MOUNT && k.is_exchanged;
  must(left == 0 || k.trouble + k.was_in_trouble > 1 || is_lost || !is_true());
  for (int i = 1; i <= k.host_mounts; i++) {
    int is_there = mounts[i].space == HOST;
    must(is_there || (is_unpin && before[i].is_pin));
    if (is_unpin && before[i].is_pin && k.trouble == 0 && is_true())
      must(is_there != is_done);
    if (k.world & RELIED_ON && !(k.world & FORCE) && k.trouble == 0 &&
        is_true())
      must(is_there);
  }
}

/* What a dry run tells: the covers, and steps in their order. */
static void check_decided(void) {
  const struct launch *launch = k.launch;
  const struct cover *told = (const struct cover *)launch->covers;
  const u64 *steps = (const u64 *)launch->steps;
  for (int i = 0; i < COVERS; i++) {
    u64 at = 0;
    while (at < launch->cover_count &&
           strcmp((const char *)told[at].target, targets[i]) != 0)
      at++;
    must((at < launch->cover_count) == is_wanted(i));
    must(!is_wanted(i) ||
         (told[at].decision > 0 && told[at].holder < launch->cover_count));
  }
  must(launch->step_count > 0);
  for (u64 i = 0; i < launch->step_count; i++) {
    u64 step = steps[i] & 0xffffffff, cover = steps[i] >> 32;
    must(step > STEP_NONE && step <= STEP_EXECUTE);
    must(cover == 0 || cover < launch->cover_count);
    must(i == 0 || steps[i] != steps[i - 1]);
  }
  must(steps[launch->step_count - 1] << 32 == (u64)STEP_EXECUTE << 32);
}

/* No launch here asks for an extra. */
static long start_aside(unsigned what, struct launch *launch,
                        struct target *targets, void *process,
                        const char *program) {
  must(what == ASIDE_KEEPER);
  return keeper_start(launch, targets, process, program);
}

long make_spare(struct kept *kept) { return must(kept == NULL), 0; }

long own_dns_make(struct target *target, const char *path, struct host *host) {
  (void)path, (void)host;
  return must(target == NULL), 0;
}

/*
 * WHAT METHOD SKIP TABLE-LENGTH*4 ENTRIES WORLD KINDS, the table, the answers:
 * each is a byte, and how many noughts follow it.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { HEADER = 7 };
  if (size < HEADER)
    return 0;
  unsigned what = data[0], flags = data[1], etc = data[4];
  size_t table = (size_t)data[3] * 4;
  size -= HEADER;
  if (table > size)
    table = size;
  memset(&k, 0, sizeof k);
  mount_count = 0;
  k.world = data[5];
  k.kinds = data[6];
  k.is_subreaper = k.was_subreaper = what >> 4 & 1;
  k.space = HOST;
  k.lock = -1;
  k.table = table > 0 ? data + HEADER : NULL;
  k.table_bytes = table;
  k.answers = k.first = data + HEADER + table;
  k.end = data + HEADER + size;
  k.is_endless = k.kinds >> 7;
  k.entries = etc & 3;
  make_world();
  for (k.fd_count = 0; k.fd_count < INHERITED; k.fd_count++) {
    fds[k.fd_count].is_open = 1;
    fds[k.fd_count].mount = 0;
    fds[k.fd_count].path[0] = '\0';
  }

  struct cover covers[ASKED + 1];
  for (size_t i = 0; i < ASKED; i++)
    covers[i] = (struct cover){.source = (u64)sources[i],
                               .target = (u64)targets[i],
                               .decision = flags & 0x40 ? data[2] / 8 : 0,
                               .holder = data[2]};
  struct launch launch = {
      .size = sizeof launch - (what >= 0xf0 ? what & 15 : 0),
      .netns = what & 4 ? (u64) "/run/netns/n" : 0,
      .etc = etc & 4 ? (u64) "/etc/netns/n" : 0,
      .covers = (u64)covers,
      .cover_count = what & 3,
      .method = flags & ALL_METHODS,
      .keep = etc >> 5 & 1,
      .read_only = flags >> 4 & 1,
      .words = flags & 0x20 ? (u64) "nsenter\0\0--\0own" : 0,
      .word_count = flags & 0x20 ? 4 : 0,
      .command_words = flags & 0x20 ? 3 : 0,
      .tid_word = (flags & 0x28) == 0x28 ? 2 : 0,
      .by_command = (flags >> 5 & 1) << (what >> 3 & 1),
      .strict = etc >> 4 & 1,
      .left_out = data[2],
      .skip = 3 + (data[2] == 1),
      .lock = (u64) "/run/nspin.lock",
      .force = (k.world & FORCE) != 0,
      .step_count = data[2],
      .failed_process = data[2],
      .failed_step = data[2],
      .failed_cover = data[2],
      .failed_errno = data[2],
  };
  /* One of them may name what /etc/netns/n has too: then that does not. */
  if (etc & 8 && launch.cover_count > 0) {
    covers[0].source = (u64)sources[RESOLV_CONF];
    covers[0].target = (u64)targets[RESOLV_CONF];
  }
  for (u64 i = 0; i < launch.cover_count; i++)
    for (int j = 0; j < COVERS; j++)
      k.is_asked[j] |= strcmp((const char *)covers[i].target, targets[j]) == 0;
  k.launch = &launch;
  list();
  static const char path[] = "PATH=/bin:/usr/bin";
  static char *variables[] = {(char *)path, NULL};
  static const u64 quiet[] = {AT_UID, 1000, AT_SECURE, 0, AT_NULL};
  static const u64 secure[] = {AT_SECURE, 1, AT_UID, 1000, AT_NULL};
  int is_secure = what >= 0xf0 && flags >= 0xf0;
  static char *line[] = {"nspin", "run", "--", "p", "a", NULL};
  static unsigned descriptors[] = {0, 5};
  *record =
      (struct record){.directory = flags & 0x80 ? 9 : -1,
                      .object = -1,
                      .aside = etc >> 6 & 1 ? NULL : start_aside,
                      .descriptor_count = 2,
                      .descriptors = descriptors,
                      .arguments = line,
                      .environment = variables,
                      .environment_end = (void *)(is_secure ? secure : quiet)};

  enum {
    LAUNCH,
    DECIDE,
    UNPIN
  } entry = what & 0x40   ? DECIDE
            : what & 0x20 ? UNPIN
                          : LAUNCH;
  static struct program program;
  k.program = &program;
  if (entry == UNPIN && launch.cover_count == 0)
    launch.cover_count = 1;
  if (setjmp(k.started) == 0) {
    if (entry == LAUNCH)
      sequence_run(&launch, record, &program, 0);
    else if (entry == DECIDE)
      sequence_run(&launch, record, &program, 1);
    else
      sequence_unpin(&launch);
    u64 step = launch.failed_step;
    must(entry != LAUNCH || step != STEP_NONE);
    must(k.keepers == 0 || (k.keepers == 1 && step >= STEP_KEEP));
    must(step <= LAST_STEP &&
         (step == STEP_NONE) == (launch.failed_errno == 0));
    must(launch.failed_errno < 4096);
    must((step == STEP_CONTRACT) == (launch.size != sizeof launch) ||
         (step == STEP_CONTRACT && entry == DECIDE &&
          launch.failed_errno == ENOMEM));
    must(step != STEP_CONTRACT || k.calls == 0);
    must(entry != DECIDE || !k.was_locked);
    /* What it was about is there to be named. */
    must(step == STEP_CONTRACT || launch.cover_count == 0 ||
         launch.failed_cover < launch.cover_count + launch.left_out);
    check_failed(entry == UNPIN, step == STEP_NONE);
    if (entry == DECIDE && step == STEP_NONE)
      check_decided();
  } else {
    must(entry == LAUNCH);
  }
  while (k.block_count > 0)
    free(k.blocks[--k.block_count].at);
  return 0;
}
