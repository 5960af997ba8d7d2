/*
 * A keeper beside a host and a program that do anything, under a kernel that
 * answers anything. The kernel here keeps account of mounts, descriptors, and
 * of where the keeper is. Whatever happens:
 *
 * - when it waits, it is in the program's mount namespace, and has no
 *   descriptor open but those that it knows of;
 * - what it lays goes nowhere else: on no mount that is shared, and private;
 * - what lies on a mount that it takes away is taken from no peer of that;
 * - it gives up no memory of its own, and says nothing that a terminal obeys;
 * - where the kernel told the truth, and refused nothing but for want of memory
 *   or descriptors, then when it waits for news alone all that can be covered
 *   is covered, by the source as it is now, with a clone of that ready; and of
 *   what the host has mounted in the directory nothing is missed.
 */
#include "../../ffi/keeper/detach.h"
#include "../../ffi/keeper/keeping.h"

#include <asm/poll.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <setjmp.h>

enum space { GONE, DETACHED, HERE, ELSEWHERE };
enum { FDS = 256, MOUNTS = 512, KEPT = 2, WITHIN = 6 };
#define OF_A_MOUNT struct file file; /* its root */
#include "mounts.h"

enum { HOST_DEVICE = 5, TASK_DEVICE = 7 };
enum { MOST_CALLS = 20000, MOST_LOOKS = 40, PROCESS = 42 };

/* Bits of the input: what the world is like. */
enum {
  ALONE = 1,     /* no mount is shared, and none on its directory */
  READ_ONLY = 2, /* as by --read-only */
  OLD_STATX = 4, /* Linux before 5.8 */
  OLD_MOVE = 8,  /* Linux before 6.5 */
  STATMOUNT = 16,
  HONEST = 32 /* it tells the truth, and refuses nothing */
};

static const char *const targets[KEPT] = {"/etc/resolv.conf", "/var/data"};
/* One by a link, /l, to /srv. */
static const char *const sources[KEPT] = {"/l/task.conf", "/srv/data"};

static struct {
  const uint8_t *answers, *end;
  int gap, calls, looks;
  unsigned world;
  int is_honest, is_elsewhere, is_in_proc, is_ending, clock;
  unsigned told; /* of what was done since it last waited */
  struct keeper *keeper;
  struct file target[KEPT], source[KEPT]; /* kind 0: missing */
  unsigned inodes, etc;                   /* /etc's own */
  jmp_buf over;
} k;
static struct {
  int is_open, mount;
  char path[NAME];
  struct file file;
  struct content content;
  int listed; /* of a directory of /proc, so far */
} fds[FDS];

static unsigned answer(void) {
  if (k.gap-- > 0 || k.calls > MOST_CALLS || k.end - k.answers < 2)
    return 0;
  k.gap = k.answers[1];
  k.answers += 2;
  return k.answers[-2];
}

static long error(void) {
  unsigned byte = k.world & HONEST ? 0 : answer();
  if (byte < 0xe0)
    return 0;
  long result = refusal(byte);
  k.is_honest &= is_shortage(result); /* which says nothing of what is there */
  return result;
}

static int is_untrue(void) {
  if (k.world & HONEST || answer() < 0xf0)
    return 0;
  k.is_honest = 0;
  return 1;
}

/* What is left of the input, as a text. */
static struct content anything(void) {
  return (struct content){k.answers, (size_t)(k.end - k.answers), 7};
}

/* --- files and mounts --- */

static struct file new_file(unsigned device, unsigned kind) {
  return (struct file){
      .device = device, .inode = 100 + k.inodes++, .kind = kind, .links = 1};
}

static int is_in(const char *const list[KEPT], const char *path) {
  for (int i = 0; i < KEPT; i++)
    if (strcmp(list[i], path) == 0)
      return i;
  return -1;
}

/* What the file system has there; kind 0: nothing. */
static struct file find_file(const char *path) {
  static const char *const directories[] = {"/",    "/etc",  "/var",
                                            "/srv", "/proc", "/etc/x"};
  int i = is_in(targets, path);
  if (i >= 0)
    return k.target[i];
  i = strcmp(path, "/srv/task.conf") == 0 ? 0 : is_in(sources, path);
  if (i >= 0)
    return k.source[i];
  if (strcmp(path, "/l") == 0)
    return (struct file){HOST_DEVICE, 1, S_IFLNK, 1};
  for (unsigned n = 0; n < sizeof directories / sizeof *directories; n++)
    if (strcmp(path, directories[n]) == 0)
      return (struct file){HOST_DEVICE, n == 1 ? k.etc : 2 + n, S_IFDIR, 1};
  return (struct file){.links = 0};
}

static int first_mount(int parent, int group, const char *point,
                       struct file file) {
  struct simulated m = {
      .space = HERE, .parent = parent, .group = group, .file = file};
  strcpy(m.point, point);
  return add_mount(m);
}

static enum space here(void) { return k.is_elsewhere ? ELSEWHERE : HERE; }

static int root_mount(void) {
  for (int i = 1; i <= mount_count; i++)
    if (mounts[i].space == here() && mounts[i].parent == 0)
      return top_at(i, "/");
  must(0);
  return 0;
}

static int walk(const char *path) { return walk_from(root_mount(), path); }

/* With all that is on it; of a detached one what was cloned along. */
static void remove_mount(int mount) {
  mounts[mount].space = GONE;
  for (int i = 1; i <= mount_count; i++)
    if (mounts[i].space != GONE && mounts[i].parent == mount)
      remove_mount(i);
}

static struct simulated copy_of(int mount, enum space space) {
  struct simulated copy = mounts[mount];
  copy.space = space;
  return copy;
}

/* The mounts on a mount, below that path, on a copy of it. */
static void copy_children(int from, int to, const char *path,
                          enum space space) {
  size_t length = strcmp(path, "/") == 0 ? 0 : strlen(path);
  for (int i = 1, last = mount_count; i <= last; i++)
    if (mounts[i].space != GONE && mounts[i].parent == from && i != to &&
        strncmp(mounts[i].point, path, length) == 0 &&
        mounts[i].point[length] == '/') {
      struct simulated copy = copy_of(i, space);
      copy.parent = to;
      int child = add_mount(copy);
      copy_children(i, child, mounts[i].point, space);
      for (int j = 1; j <= last; j++) /* what lies on its root */
        if (mounts[j].space != GONE && mounts[j].parent == i &&
            strcmp(mounts[j].point, mounts[i].point) == 0) {
          copy = copy_of(j, space);
          copy.parent = child;
          copy_children(j, add_mount(copy), mounts[j].point, space);
        }
    }
}

static void set_space(int mount, enum space space) {
  mounts[mount].space = space;
  for (int i = 1; i <= mount_count; i++)
    if (mounts[i].space == DETACHED && mounts[i].parent == mount)
      set_space(i, space);
}

/* --- descriptors --- */

static long new_fd(const char *path, int mount, struct file file) {
  for (int fd = 3; fd < FDS; fd++)
    if (!fds[fd].is_open) {
      must(strlen(path) < NAME);
      fds[fd].is_open = 1;
      fds[fd].mount = mount;
      fds[fd].file = file;
      fds[fd].content = (struct content){(const uint8_t *)"", 0, 64};
      fds[fd].listed = 0;
      memmove(fds[fd].path, path, strlen(path) + 1);
      return fd;
    }
  must(0); /* it would have run out of them long since */
  return -1;
}

static int used(long fd) {
  must(fd >= 3 && fd < FDS && fds[fd].is_open);
  return (int)fd;
}

static int fd_of(const char *path) {
  return strncmp(path, "/proc/self/fd/", 14) == 0 ? used(atoi(path + 14)) : -1;
}

static struct content mount_table(void) {
  static char text[1 << 17];
  char *end = text;
  for (int i = 1; i <= mount_count; i++) {
    if (mounts[i].space == here())
      end = tell_line(end, i, &mounts[i], (unsigned)mounts[i].file.device, "/",
                      0);
    must(end < text + sizeof text - 256);
  }
  return (struct content){(const uint8_t *)text, (size_t)(end - text), 1024};
}

/* As a text of /proc: its content is not what the path says. */
static long open_text(const char *path) {
  static char line[64];
  struct content content = {(const uint8_t *)"", 0, 64};
  if (strcmp(path, OWN_TABLE) == 0)
    content = mount_table();
  if (strncmp(path, "/proc/self/fdinfo/", 18) == 0) {
    int mount = fds[used(atoi(path + 18))].mount;
    sprintf(line, "pos:\t0\nmnt_id:\t%d\n", mount);
    content = (struct content){(const uint8_t *)line, strlen(line), 9};
  }
  if (is_untrue())
    content = anything();
  long fd = new_fd(path, 0, new_file(4, S_IFREG));
  fds[fd].content = content;
  return fd;
}

static void join(char to[2 * NAME], const char *directory, const char *name) {
  if (strcmp(name, ".") == 0)
    name = "";
  sprintf(to, "%s%s%s", directory,
          *name == '\0' || strcmp(directory, "/") == 0 ? "" : "/", name);
}

static long open_at(long directory, const char *name, unsigned flags) {
  char path[2 * NAME];
  must(flags & O_CLOEXEC);
  must(directory == AT_FDCWD || used(directory) >= 0);
  long result = error();
  if (result < 0)
    return result;
  if (strlen(name) >= NAME)
    return -ENAMETOOLONG;
  int again = fd_of(name);
  if (again >= 0) {
    long fd = new_fd(fds[again].path, fds[again].mount, fds[again].file);
    fds[fd].content = (struct content){(const uint8_t *)"text", 4, 3};
    return fd;
  }
  if (directory == k.keeper->proc || strncmp(name, "/proc/self/", 11) == 0 ||
      (directory == AT_FDCWD && k.is_in_proc))
    return open_text(name);
  if (flags & O_CREAT) {
    must(k.is_elsewhere && mounts[fds[directory].mount].group == 0);
    return new_fd(fds[directory].path, fds[directory].mount,
                  new_file(TASK_DEVICE, S_IFREG));
  }
  if (directory == AT_FDCWD && *name != '/')
    return must(!k.is_honest || *name == '\0'), -ENOENT; /* a mount's point */
  if (strcmp(name, "..") == 0) {
    strcpy(path, fds[directory].path);
    *(strrchr(path, '/') == path ? path + 1 : strrchr(path, '/')) = '\0';
  } else if (directory == AT_FDCWD)
    strcpy(path, name);
  else
    join(path, fds[directory].path, name);
  if (strlen(path) >= NAME)
    return -ENAMETOOLONG;
  int from = directory == AT_FDCWD ? walk(path) : fds[directory].mount;
  int mount = top_at(from, path);
  struct file file = strcmp(mounts[mount].point, path) == 0 ? mounts[mount].file
                                                            : find_file(path);
  if (file.kind == 0)
    return -ENOENT;
  if (flags & O_DIRECTORY && file.kind != S_IFDIR)
    return -ENOTDIR;
  return new_fd(path, mount, file);
}

static long close_fd(long fd) {
  int mount = fds[used(fd)].mount, others = 0;
  fds[fd].is_open = 0;
  for (int i = 3; i < FDS; i++)
    others += fds[i].is_open && fds[i].mount == mount;
  if (others == 0 && mounts[mount].space == DETACHED)
    remove_mount(mount);
  return 0;
}

/* openat2(2), where no link is followed. */
static long open_whole(long root, const char *path,
                       const struct open_how *how) {
  char way[NAME];
  must(root == AT_FDCWD && how->resolve == RESOLVE_NO_SYMLINKS);
  for (const char *at = path; *at != '\0' && at - path < NAME; at++) {
    memcpy(way, path, (size_t)(at - path));
    way[at - path] = '\0';
    if (*at == '/' && find_file(way).kind == S_IFLNK)
      return -ELOOP;
  }
  long fd = open_at(root, path, (unsigned)how->flags);
  if (fd < 0 || fds[fd].file.kind != S_IFLNK || how->flags & O_NOFOLLOW)
    return fd;
  close_fd(fd);
  return -ELOOP;
}

static long stat_fd(long fd, struct stat *status) {
  long result = error();
  const struct file *file = &fds[used(fd)].file;
  *status = (struct stat){.st_dev = file->device,
                          .st_ino = file->inode,
                          .st_mode = file->kind | 0755,
                          .st_nlink = file->links};
  int target = is_in(targets, fds[fd].path);
  for (int i = 0; i < KEPT; i++) /* of what was replaced meanwhile */
    if (file->device == TASK_DEVICE && file->inode != k.source[i].inode &&
        i == target)
      status->st_nlink = file->kind == S_IFDIR;
  if (is_untrue())
    status->st_ino = answer(), status->st_uid = 1000;
  if (is_untrue())
    status->st_mode = (answer() & 15) << 12;
  return result;
}

static long statx_fd(long fd, unsigned mask, struct statx *status) {
  memset(status, 0, sizeof *status);
  if (mask == STATX_BASIC_STATS) {
    struct stat file;
    long looked = stat_fd(fd, &file);
    tell_file(status, &file);
    return looked;
  }
  long result = error();
  if (result < 0 || k.world & OLD_STATX)
    return result;
  u64 id = is_untrue() ? answer() : (unsigned)fds[used(fd)].mount;
  tell_id(status, mask, id);
  return 0;
}

static long statmount(const struct statmount_request *request,
                      struct statmount_answer *told) {
  unsigned id = (unsigned)request->id;
  long result = k.world & STATMOUNT ? error() : -ENOSYS;
  if (result < 0)
    return result;
  if (id == 0 || id > (unsigned)mount_count || mounts[id].space != here())
    return -ENOENT;
  tell_mount(told, (int)id, (unsigned)mounts[id].file.device, "/");
  told->mask = is_untrue() ? answer() : request->want;
  if (is_untrue()) {
    size_t length = (size_t)answer() * 32;
    tell_oddly(told, length, answer() << 1);
  }
  return 0;
}

/* --- calls that change mounts --- */

static long open_tree(long fd, unsigned flags) {
  long result = error();
  must(flags & OPEN_TREE_CLONE && flags & OPEN_TREE_CLOEXEC);
  int from = fds[used(fd)].mount;
  if (result < 0)
    return result;
  if (mount_count > MOUNTS / 2)
    return -ENOSPC;
  struct simulated copy = copy_of(from, DETACHED);
  copy.parent = 0;
  copy.file = fds[fd].file;
  strcpy(copy.point, fds[fd].path);
  int to = add_mount(copy);
  if (flags & AT_RECURSIVE)
    copy_children(from, to, fds[fd].path, DETACHED);
  return new_fd(fds[fd].path, to, fds[fd].file);
}

static int is_root(long fd) {
  return strcmp(fds[fd].path, mounts[fds[fd].mount].point) == 0;
}

static void change_all(int mount, u64 kind, int is_recursive) {
  set_propagation(&mounts[mount], kind);
  for (int i = 1; is_recursive && i <= mount_count; i++)
    if (mounts[i].space != GONE && mounts[i].parent == mount)
      change_all(i, kind, 1);
}

static long set_attributes(long fd, unsigned flags,
                           const struct mount_attr *attributes) {
  long result = error();
  int mount = fds[used(fd)].mount;
  if (result < 0)
    return result;
  if (!is_root(fd) || mounts[mount].space == GONE)
    return -EINVAL;
  change_all(mount, attributes->propagation, flags & AT_RECURSIVE);
  return 0;
}

/* A source that is none any more. */
static int is_unlinked(struct file file) {
  return file.device == TASK_DEVICE && file.inode != k.source[0].inode &&
         file.inode != k.source[1].inode;
}

/* So that it is the topmost there, or lies under the one that was. */
static long attach(int mount, int onto, int is_beneath) {
  struct simulated *m = &mounts[mount];
  if (m->space != DETACHED)
    return -EINVAL;
  int top = top_at(fds[onto].mount, fds[onto].path);
  int parent = is_beneath ? mounts[top].parent : top;
  if (mounts[top].space != here() || parent == 0 ||
      (is_beneath && strcmp(mounts[top].point, fds[onto].path) != 0))
    return -EINVAL;
  if ((m->file.kind == S_IFDIR) != (fds[onto].file.kind == S_IFDIR))
    return -ENOTDIR;
  if (is_unlinked(m->file) || (!is_beneath && is_unlinked(fds[onto].file)))
    return -ENOENT; /* get_mountpoint() */
  /* Only a directory on itself is no private one: it is to rejoin. */
  int is_on_itself = m->file.device != TASK_DEVICE && m->file.kind == S_IFDIR;
  if (k.is_honest) {
    must(mounts[parent].group == 0);
    must(k.is_elsewhere || is_on_itself || (m->group == 0 && m->master == 0));
  }
  strcpy(m->point, fds[onto].path);
  m->parent = parent;
  set_space(mount, here());
  if (is_beneath)
    mounts[top].parent = mount;
  for (int i = 3; i < FDS; i++)
    if (fds[i].is_open && fds[i].mount == mount)
      strcpy(fds[i].path, m->point);
  return 0;
}

static long move_mount(long from, long to, unsigned flags) {
  enum { SET_GROUP = 0x100, BENEATH = 0x200 };
  long result = error();
  used(from), used(to);
  if (result < 0)
    return result;
  struct simulated *m = &mounts[fds[from].mount], *n = &mounts[fds[to].mount];
  if (!(flags & SET_GROUP))
    return flags & BENEATH && k.world & OLD_MOVE
               ? -EINVAL
               : attach(fds[from].mount, (int)to, (flags & BENEATH) != 0);
  if (n->group != 0 || n->master != 0 || n->space == GONE || m->space == GONE ||
      (m->group == 0 && m->master == 0))
    return -EINVAL;
  n->group = m->group;
  n->master = m->master;
  return 0;
}

static long mount(const char *onto, const char *type, unsigned long flags) {
  long result = error();
  int fd = fd_of(onto);
  must(fd >= 0); /* never by a path */
  if (result < 0)
    return result;
  if (type == NULL) {
    for (int i = 1; flags & MS_REC && i <= mount_count; i++)
      if (mounts[i].space == here())
        set_propagation(&mounts[i], flags);
    return set_propagation(&mounts[fds[fd].mount], flags), 0;
  }
  int parent = top_at(fds[fd].mount, fds[fd].path);
  must(k.is_elsewhere && (!k.is_honest || mounts[parent].group == 0));
  struct simulated tmpfs = {
      .space = ELSEWHERE, .parent = parent, .file = new_file(9, S_IFDIR)};
  strcpy(tmpfs.point, fds[fd].path);
  return add_mount(tmpfs), 0;
}

/* Else what is taken from it goes with it in each of its peers. */
static void check_no_peers(int mount) {
  for (int i = 1; i <= mount_count; i++)
    if (mounts[i].space != GONE && mounts[i].parent == mount) {
      must(mounts[mount].group == 0);
      check_no_peers(i);
    }
}

static long unmount(const char *path, int flags) {
  enum { DETACH = 2 };
  long result = error();
  int fd = fd_of(path);
  must(fd >= 0 && flags == DETACH);
  if (result < 0)
    return result;
  int top = top_at(fds[fd].mount, fds[fd].path);
  if (mounts[top].space != here() || mounts[top].parent == 0 ||
      strcmp(mounts[top].point, fds[fd].path) != 0)
    return -EINVAL;
  check_no_peers(top);
  remove_mount(top);
  return 0;
}

static long unshare(void) {
  long result = error();
  must(!k.is_elsewhere);
  if (result < 0)
    return result;
  if (mount_count > MOUNTS / 2)
    return -ENOSPC;
  int copies[MOUNTS] = {0}, last = mount_count;
  for (int i = 1; i <= last; i++)
    if (mounts[i].space == HERE)
      copies[i] = add_mount(copy_of(i, ELSEWHERE));
  for (int i = 1; i <= last; i++)
    if (copies[i] != 0)
      mounts[copies[i]].parent = copies[mounts[i].parent];
  k.is_elsewhere = 1;
  return 0;
}

static long set_namespace(void) {
  long result = error();
  must(k.is_elsewhere || k.is_ending);
  k.is_ending = result < 0; /* it must not go on in there */
  if (result < 0)
    return result;
  k.is_elsewhere = 0;
  for (int i = 1; i <= mount_count; i++)
    if (mounts[i].space == ELSEWHERE)
      mounts[i].space = GONE;
  return 0;
}

/* --- what the host and the program do --- */

/* As detach_mounts() of the kernel. */
static void replace(unsigned i, struct file file) {
  k.target[i] = file;
  for (int m = 1; m <= mount_count; m++)
    if (mounts[m].space == HERE && strcmp(mounts[m].point, targets[i]) == 0)
      remove_mount(m);
}

static void mount_on_host(const char *point) {
  for (int i = 1, last = mount_count; i <= last; i++) {
    size_t length = strlen(mounts[i].point);
    length -= length == 1;
    if (mounts[i].space != HERE || mounts[i].group + mounts[i].master == 0 ||
        strncmp(mounts[i].point, point, length) != 0 || last > MOUNTS / 2)
      continue;
    int is_slave = mounts[i].group == 0; /* then what arrives is one, too */
    struct simulated new = {.space = HERE,
                            .parent = i,
                            .group = is_slave ? 0 : 3,
                            .master = is_slave ? 3 : 0,
                            .file = new_file(8, S_IFDIR)};
    strcpy(new.point, point);
    int under = add_mount(new);
    for (int j = 1; j <= last; j++) /* beneath what is there: propagate_mnt() */
      if (mounts[j].space == HERE && mounts[j].parent == i &&
          strcmp(mounts[j].point, point) == 0)
        mounts[j].parent = under;
  }
}

static void unmount_on_host(const char *point) {
  for (int i = 1, last = mount_count; i <= last; i++) {
    if (mounts[i].space != HERE || mounts[i].group + mounts[i].master == 0)
      continue;
    for (int j = last; j > 0; j--)
      if (mounts[j].space == HERE && mounts[j].parent == i &&
          strcmp(mounts[j].point, point) == 0) {
        remove_mount(j);
        break;
      }
  }
}

/* What it is told of. */
enum { TABLE = 1, PROGRAM = 2, NAMES = 4, BOTH = TABLE | NAMES };

/* What lay on the old one is gone: of a cover that lies on the next one. */
static unsigned replace_source(unsigned i, struct file file) {
  unsigned told = NAMES;
  for (int m = 1; m <= mount_count; m++)
    if (mounts[m].space == HERE && k.source[i].kind != 0 &&
        mounts[mounts[m].parent].file.inode == k.source[i].inode &&
        strcmp(mounts[mounts[m].parent].point, mounts[m].point) == 0) {
      remove_mount(m);
      told |= TABLE;
    }
  k.source[i] = file;
  return told;
}

/* Anything; returns what it is told of. */
static unsigned act(void) {
  unsigned what = answer(), i = what >> 4 & 1;
  unsigned kind = i == 0 ? S_IFREG : S_IFDIR;
  switch (what & 15) {
  case 0:
    return what >> 5;
  case 1:
    return replace(i, new_file(HOST_DEVICE, kind)), BOTH;
  case 2:
    return replace(i, new_file(HOST_DEVICE, S_IFLNK)), BOTH;
  case 3:
    return replace(i, (struct file){.links = 0}), BOTH;
  case 4:
    return replace(i, new_file(HOST_DEVICE, S_IFREG + S_IFDIR - kind)), BOTH;
  case 5:
    return replace_source(i, new_file(TASK_DEVICE, kind));
  case 6:
    return replace_source(i, (struct file){.links = 0});
  case 7:
    return replace_source(i, new_file(TASK_DEVICE, S_IFREG + S_IFDIR - kind));
  case 8: /* another program, or this one, unmounts what lies there */
  case 9: {
    int top = walk(what & 1 ? targets[i] : i == 0 ? "/etc" : "/var");
    if (mounts[top].parent != 0 && strcmp(mounts[top].point, "/") != 0)
      remove_mount(top);
    return TABLE;
  }
  case 10:
    return mount_on_host(what >> 5 & 1 ? "/etc/x" : "/etc"), TABLE;
  case 11: /* the directory is made anew: what was on the old one is gone */
    k.etc = 100 + k.inodes++;
    for (int m = 1; m <= mount_count; m++)
      if (mounts[m].space == HERE && strcmp(mounts[m].point, "/etc") == 0)
        remove_mount(m);
    return replace(0, new_file(HOST_DEVICE, S_IFREG)), BOTH;
  case 12:
    for (int m = 1; m <= mount_count; m++)
      if (mounts[m].space == HERE)
        set_propagation(&mounts[m], what >> 5 & 1 ? MS_SLAVE : MS_PRIVATE);
    return TABLE;
  case 13:
    return PROGRAM;
  case 15:
    return unmount_on_host("/etc/x"), TABLE;
  case 14:
    k.is_honest = 0; /* pivot_root(2): a look at nothing it knows */
    first_mount(root_mount(), 0, "/", find_file("/"));
    return TABLE;
  }
  return NAMES;
}

/* --- what must hold when it waits --- */

static int is_known(int fd) {
  const struct keeper *keeper = k.keeper;
  int is = fd == keeper->table || fd == keeper->program ||
           fd == keeper->signals || fd == keeper->proc ||
           fd == keeper->daemon.starter || fd == keeper->left.mount ||
           fd == keeper->left.peer;
  for (u64 i = 0; i < keeper->count; i++)
    is |= fd == keeper->kept[i].spare;
  for (u64 i = 0; i < keeper->within_count; i++)
    is |= fd == keeper->within[i].mount.here ||
          fd == keeper->within[i].mount.peer;
  for (int i = 0; i < KEEPER_WATCHES; i++)
    is |= fd == keeper->watches[i].fd;
  return is;
}

#define ENDS_IN(text, bytes) must(memchr(text, '\0', bytes) != NULL)
#define ENDS(text) ENDS_IN(text, sizeof(text))

static void check(void) {
  const struct keeper *keeper = k.keeper;
  must(!k.is_elsewhere && !k.is_in_proc);
  for (int fd = 3; fd < FDS; fd++)
    must(!fds[fd].is_open || is_known(fd));
  ENDS(keeper->root);
  for (u64 i = 0; i < keeper->count; i++) {
    const struct kept *kept = &keeper->kept[i];
    must(kept->spare < 0 || used(kept->spare) > 0);
    ENDS(kept->id);
    ENDS(kept->path);
    must(strcmp(kept->target, targets[i]) == 0);
    must(strcmp(kept->source, sources[i]) == 0);
  }
  for (u64 i = 0; i < keeper->within_count; i++) {
    must(keeper->within[i].mount.here < 0 ||
         used(keeper->within[i].mount.here) > 0);
    ENDS(keeper->within[i].mount.id);
    ENDS(keeper->within[i].mount.holder_id);
    ENDS_IN(keeper->within[i].path, PATH_BYTES);
  }
  for (int i = 0; i < KEEPER_WATCHES; i++)
    must(keeper->watches[i].fd < 0 || used(keeper->watches[i].fd) > 0);
}

/* Where nothing was refused: each of them that is there, and of its kind. */
static void check_covers(void) {
  for (int i = 0; i < KEPT; i++) {
    unsigned kind = k.target[i].kind;
    int can_be = i == 0 ? kind == S_IFREG || kind == S_IFLNK : kind == S_IFDIR;
    const struct simulated *top = &mounts[walk(targets[i])];
    if (!can_be || !k.is_honest)
      continue;
    must(strcmp(top->point, targets[i]) == 0);
    must(top->file.device == TASK_DEVICE);
    must(k.keeper->kept[i].spare >= 0);
    if (k.source[i].kind == top->file.kind && !(k.world & OLD_MOVE))
      must(top->file.inode == k.source[i].inode);
  }
}

static int count_on(int mount, const char *point) {
  int count = 0;
  for (int i = 1; i <= mount_count; i++)
    count += mounts[i].space == HERE && mounts[i].parent == mount &&
             strcmp(mounts[i].point, point) == 0;
  return count;
}

/*
 * On the directory's mount is what is on the one that it was laid on, which was
 * never out; unless the host has laid another one between the two.
 */
static void check_level(void) {
  for (int i = 0; i < WITHIN && k.is_honest && !(k.world & OLD_MOVE); i++) {
    const struct directory_mount *one = &k.keeper->within[i].mount;
    int mount = one->here < 0 ? 0 : fds[one->here].mount;
    if (mounts[mount].space == HERE &&
        mounts[mount].parent == atoi(one->holder_id) &&
        strcmp(mounts[mount].point, "/etc") == 0)
      must(count_on(mount, "/etc/x") ==
           count_on(mounts[mount].parent, "/etc/x"));
  }
}

static long wait(struct pollfd *files, unsigned count) {
  check();
  if (count == 2)
    return 0; /* a little rest */
  if (k.looks++ > 0 && k.keeper->pause == 0 && k.told == 0)
    check_covers(), check_level();
  if (k.looks > MOST_LOOKS || (k.end - k.answers < 2 && k.gap <= 0) ||
      mount_count > MOUNTS / 2 || k.calls > MOST_CALLS)
    longjmp(k.over, 1);
  if (files[3].fd >= 0 && answer() & 1) { /* the program is executed */
    for (unsigned i = 0; i < count; i++)
      files[i].revents = i == 3 ? POLLHUP : 0;
    return 1;
  }
  if (k.told == 0)
    k.told = act();
  k.is_ending = (k.told & PROGRAM) != 0 || k.keeper->program < 0;
  for (unsigned i = 0; i < count; i++)
    files[i].revents = k.told >> i & 1 ? files[i].events : 0;
  k.told = 0;
  return 1;
}

/* One line of printable bytes, as a datagram. */
static long say_line(const char *text, size_t length) {
  must(length > 4 && text[0] == '<' && length < 32768);
  for (size_t i = 0; i < length; i++)
    must((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
  return error();
}

/* Of /proc/self/fd what is open, one by one; elsewhere one process or thread.
 */
static long list(long fd, char *to, long room) {
  long result = error();
  int *at = &fds[used(fd)].listed;
  int is_own = strcmp(fds[fd].path, "/proc/self/fd") == 0;
  if (*at == 0 && is_own)
    *at = 3;
  while (is_own && *at < FDS && !fds[*at].is_open)
    ++*at;
  if (result < 0 || *at == (is_own ? FDS : 1))
    return result;
  struct dirent64 *entry = (struct dirent64 *)to;
  must(room >= 32);
  *entry = (struct dirent64){.reclen = 32};
  sprintf(entry->name, "%d", is_own ? *at : PROCESS);
  ++*at;
  return entry->reclen;
}

static long read_link(long fd, const char *path, char *to, long room) {
  long result = error();
  const char *text = strstr(path, "/ns/mnt")
                         ? answer() & 1 ? "mnt:[1]" : "mnt:[2]"
                     : strcmp(path, "self") == 0 ? "41"
                     : fd == AT_FDCWD            ? fds[fd_of(path)].path
                                                 : "/srv";
  if (result < 0)
    return result;
  must(fd == AT_FDCWD || used(fd) > 0);
  struct content content = {(const uint8_t *)text, strlen(text), 64};
  if (is_untrue()) {
    content = anything();
    content.piece = 4096;
  }
  return content_read(&content, (long)to, room);
}

static long dup_fd(long fd) {
  long result = error();
  used(fd);
  return result < 0 ? result
                    : new_fd(fds[fd].path, fds[fd].mount, fds[fd].file);
}

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)f;
  k.calls++;
  struct file none = {.kind = S_IFREG};
  int is_moment = number == __NR_move_mount || number == __NR_umount2 ||
                  number == __NR_open_tree;
  if (is_moment && k.looks > 0 && answer() >= 0xc0)
    k.told |= act();
  switch (number) {
  case __NR_openat:
    return open_at(a, (const char *)b, (unsigned)c);
  case __NR_openat2:
    return open_whole(a, (const char *)b, (const struct open_how *)c);
  case __NR_close:
    return close_fd(a);
  case __NR_close_range: {
    long result = error();
    must(a >= 0 && (unsigned)a <= (unsigned)b && c == 0);
    for (long fd = a < 3 ? 3 : a; result == 0 && fd < FDS && fd <= (unsigned)b;
         fd++)
      if (fds[fd].is_open)
        close_fd(fd);
    return result;
  }
  case __NR_dup:
    return dup_fd(a);
  case __NR_fstat:
    return stat_fd(a, (struct stat *)b);
  case __NR_newfstatat: {
    *(struct stat *)c = (struct stat){.st_nlink = 2 + (answer() & 1),
                                      .st_ino = 1 + (unsigned)is_untrue()};
    return error();
  }
  case __NR_statx:
    return statx_fd(a, (unsigned)d, (struct statx *)e);
  case __NR_statmount:
    return statmount((const void *)a, (void *)b);
  case __NR_fstatfs:
    memset((void *)b, 0, sizeof(struct statfs));
    *(long *)b = is_untrue() ? PROC_SUPER_MAGIC : TMPFS_MAGIC;
    return error();
  case __NR_readlinkat:
    return read_link(a, (const char *)b, (char *)c, d);
  case __NR_read: {
    long result = a == k.keeper->signals ? -EAGAIN : error();
    return result < 0 ? result : content_read(&fds[used(a)].content, b, c);
  }
  case __NR_write: {
    long result = error();
    return used(a), result < 0 ? result : c;
  }
  case __NR_getdents64:
    return list(a, (char *)b, c);
  case __NR_open_tree:
    return open_tree(a, (unsigned)c);
  case __NR_mount_setattr:
    return set_attributes(a, (unsigned)c, (const void *)d);
  case __NR_move_mount:
    return move_mount(a, c, (unsigned)e);
  case __NR_mount:
    return mount((const char *)b, (const char *)c, (unsigned long)d);
  case __NR_umount2:
    return unmount((const char *)a, (int)b);
  case __NR_unshare:
    must(a == CLONE_NEWNS);
    return unshare();
  case __NR_setns:
    used(a);
    return set_namespace();
  case __NR_fchdir:
    used(a);
    k.is_in_proc = a == k.keeper->proc;
    return k.is_elsewhere ? error() : 0;
  case __NR_chdir:
    k.is_in_proc = 0;
    return 0;
  case __NR_getpid: /* in a PID namespace below that of /proc: another */
    return is_untrue() ? 2 : 41;
  case __NR_signalfd4:
  case __NR_socket:
  case __NR_pidfd_open: {
    long result = error();
    return result < 0 ? result : new_fd("/anonymous", 0, none);
  }
  case __NR_sendto:
    must(a < 0 || used(a) > 0);
    return say_line((const char *)b, (size_t)c);
  case __NR_ppoll:
    return wait((struct pollfd *)a, (unsigned)b);
  case __NR_clock_gettime:
    k.clock += 100000 + (int)answer() * 100000;
    *(struct timespec *)b =
        (struct timespec){k.clock / 1000000, k.clock % 1000000 * 1000};
    return 0;
  case __NR_munmap: {
    u64 at = (u64)k.keeper, end = at + k.keeper->daemon.bytes;
    must(!((u64)a < end && (u64)a + (u64)b > at));
    must(k.keeper->daemon.starter < 0); /* else it is another's memory too */
    return 0;
  }
  case __NR_chroot: {
    long result = error();
    return k.is_ending = result < 0, result;
  }
  case __NR_exit_group: /* also where it has nothing but its start yet */
    must(k.is_ending || !k.is_honest || k.looks == 0);
    longjmp(k.over, 1);
  }
  return error();
}

long fuzz_allocate(unsigned long bytes) { return -(long)bytes; }

_Noreturn void daemon_end(void) { /* as ffi/keeper/daemon.c */
  fuzz_call(__NR_exit_group, 0, 0, 0, 0, 0, 0);
  __builtin_trap();
}

/* --- the world before --- */

static void keep(struct keeper *keeper, int i) {
  char directory[PATH_BYTES];
  struct kept *kept = &keeper->kept[i];
  struct within *within = &keeper->within[i];
  unsigned kind = i == 0 ? S_IFREG : S_IFDIR;
  k.target[i] = new_file(HOST_DEVICE, kind);
  k.source[i] = new_file(TASK_DEVICE, kind);
  path_directory(targets[i], directory);
  int on = 1;
  if (!(k.world & ALONE)) {
    on = first_mount(1, 1, directory, find_file(directory));
    within->mount.here = new_fd(directory, on, mounts[on].file);
    strcpy(within->path, directory);
    sprintf(within->mount.id, "%d", on);
    strcpy(within->mount.holder_id, "1");
  }
  int below = first_mount(on, 0, targets[i], k.target[i]);
  int cover = first_mount(below, 0, targets[i], k.source[i]);
  kept->shown = k.source[i];
  kept->spare = -1;
  sprintf(kept->id, "%d", cover);
  strcpy(kept->target, targets[i]);
  strcpy(kept->source, sources[i]);
  strcpy(kept->path, targets[i]);
}

/* WORLD, the length of the program's name, that name, the answers: each is a
 * byte, and how many noughts follow it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2 || size < 2 + (size_t)data[1])
    return 0;
  memset(&k, 0, sizeof k);
  mount_count = 0;
  memset(fds, 0, sizeof fds);
  k.world = data[0];
  k.is_honest = 1;
  k.etc = 3;
  k.answers = data + 2 + data[1];
  k.end = data + size;
  struct keeper *keeper = calloc(1, sizeof *keeper);
  k.keeper = keeper;
  keeper->daemon.bytes = sizeof *keeper;
  keeper->kept = calloc(KEPT, sizeof *keeper->kept);
  keeper->within = calloc(WITHIN, sizeof *keeper->within);
  keeper->count = KEPT;
  keeper->within_count = WITHIN;
  for (int i = 0; i < WITHIN; i++)
    keeper->within[i] = (struct within){.mount = NO_DIRECTORY_MOUNT,
                                        .path = calloc(1, PATH_BYTES)};
  for (int i = 0; i < KEEPER_WATCHES; i++)
    keeper->watches[i].fd = -1;
  keeper->left = (struct left){-1, -1};
  keeper->signals = -1;
  keeper->namespace = 1;
  keeper->is_read_only = (k.world & READ_ONLY) != 0;
  strcpy(keeper->process, "42");
  for (size_t i = 0; i < data[1] && i < sizeof keeper->name - 1; i++)
    keeper->name[i] = (char)data[2 + i];
  first_mount(0, k.world & ALONE ? 0 : 1, "/", find_file("/"));
  for (int i = 0; i < KEPT; i++)
    keep(keeper, i);
  keeper->table = new_fd("/proc/table", 0, (struct file){.kind = S_IFREG});
  keeper->program = new_fd("/anonymous", 0, (struct file){.kind = S_IFREG});
  keeper->daemon.starter = new_fd("/pipe", 0, (struct file){.kind = S_IFREG});
  keeper->proc = new_fd("/proc", 0, (struct file){.kind = S_IFDIR});
  long kept[4 + WITHIN] = {keeper->table, keeper->program, keeper->proc,
                           keeper->daemon.starter};
  for (int i = 0; i < WITHIN; i++)
    kept[4 + i] = keeper->within[i].mount.here;
  keeper->daemon.files = kept;
  keeper->daemon.file_count = sizeof kept / sizeof *kept;
  if (setjmp(k.over) == 0 && daemon_detach(&keeper->daemon) == 0)
    keeper_run(keeper);
  for (int i = 0; i < WITHIN; i++)
    free(keeper->within[i].path);
  free(keeper->within);
  free(keeper->kept);
  free(keeper);
  return 0;
}
