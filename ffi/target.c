#include "target.h"

#include <asm/errno.h>
#include <linux/stat.h>

#define METHOD(name, bit) name = bit,
enum { METHODS(METHOD) };

#define CONDITION(name, meaning) WHEN_##name,
enum condition { CONDITIONS(CONDITION) };

#define RULE(name, asked, when, act, why) {asked, WHEN_##when, ACT_##act},
static const struct rule {
  unsigned char asked, when, act;
} rules[] = {DECISIONS(RULE)};
enum { RULES = sizeof rules / sizeof *rules };

static long look_at(long directory, const char *path, int flags,
                    struct file *file) {
  struct statx status;
  long result =
      CALL(__NR_statx, directory, path, flags, STATX_TYPE | STATX_INO, &status);
  file->device = (u64)status.stx_dev_major << 32 | status.stx_dev_minor;
  file->inode = status.stx_ino;
  file->kind = status.stx_mode & S_IFMT;
  return result;
}

static int is_same(const struct file *a, const struct file *b) {
  return a->device == b->device && a->inode == b->inode;
}

static int is_directory(const struct file *file) {
  return file->kind == S_IFDIR;
}

/* A directory comes with what is mounted in it, a file has nothing inside. */
static u64 recursion(const struct target *target) {
  return is_directory(&target->source) ? MS_REC : 0;
}

long target_open_source(struct target *target, const char *source) {
  return look_at(AT_FDCWD, source, 0, &target->source);
}

/* Up to the last "/"; of "/" itself, "/". */
static void name_directory(struct target *target) {
  char *end = target->directory, *last = end;
  text_copy(end, target->path);
  for (; *end != '\0'; end++)
    if (*end == '/')
      last = end;
  last[last == target->directory] = '\0';
}

/* Of a mount that was detached meanwhile, the kernel gives another path. */
static long is_there(const struct target *target, const char *id) {
  struct file now;
  char now_id[NUMBER_BYTES];
  long fd = open_itself(target->path);
  if (fd < 0)
    return fd;
  long result = look_at(fd, "", AT_EMPTY_PATH, &now);
  if (result == 0)
    result = mount_id(fd, now_id);
  CALL(__NR_close, fd);
  if (result < 0)
    return result;
  return is_same(&now, &target->host) && text_equal(now_id, id) ? 0 : -ESTALE;
}

static long open_once(struct target *target, const char *path) {
  char link[FD_PATH_BYTES], id[NUMBER_BYTES];
  long itself = is_directory(&target->source) ? 0 : O_NOFOLLOW;
  long fd = CALL(__NR_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC | itself);
  if (fd < 0)
    return fd;
  fd_path(link, fd);
  target->pin = -1;
  long length =
      CALL(__NR_readlinkat, AT_FDCWD, link, target->path, PATH_BYTES - 1);
  long result = look_at(fd, "", AT_EMPTY_PATH, &target->host);
  if (result == 0)
    result = mount_id(fd, id);
  CALL(__NR_close, fd);
  if (length < 0 || result < 0)
    return length < 0 ? length : result;
  target->path[length] = '\0';
  name_directory(target);
  return is_there(target, id);
}

long target_open(struct target *target, const char *path) {
  enum { TRIES = 50 }; /* another launch may be pinning it */
  long result = -ESTALE;
  for (int tries = 0; result == -ESTALE && tries < TRIES; tries++)
    result = open_once(target, path);
  return result;
}

long target_compare(const struct target *target) {
  if (text_equal(target->path, "/"))
    return -EBUSY;
  if (is_directory(&target->source) == is_directory(&target->host))
    return 0;
  return is_directory(&target->source) ? -EISDIR : -ENOTDIR;
}

long target_inspect(struct target *target, int asked) {
  long fd = open_itself(asked == OVERLAY ? target->directory : target->path);
  if (fd < 0)
    return fd;
  long result = mount_of(fd, &target->holder.mount);
  CALL(__NR_close, fd);
  return result;
}

/* 1, 0 or -errno. */
static long holds(enum condition when, struct target *target, int is_dry,
                  struct host *host) {
  enum { FIRST_USER_NAMESPACE = 0xeffffffd }; /* PROC_USER_INIT_INO */
  const struct mount *mount = &target->holder.mount;
  struct file user;
  switch (when) {
  case WHEN_ON_ITSELF:
    return !mount->is_shared && target_is_on_itself(target) == 1;
  case WHEN_PRIVATE:
    return !mount->is_shared;
  case WHEN_PLAIN:
    return target->host.kind != S_IFLNK;
  case WHEN_UNREACHABLE:
    return holder_open(&target->holder) < 0;
  case WHEN_UNPRIVILEGED:
    return is_dry && host_may_mount() != 1;
  case WHEN_NO_SET_GROUP:
    return !holder_can_rejoin();
  case WHEN_USER_NAMESPACE:
    return look_at(AT_FDCWD, "/proc/self/ns/user", 0, &user) < 0 ||
           user.inode != FIRST_USER_NAMESPACE;
  case WHEN_BAD_GRAPH:
    if (!mount->is_slave)
      return 0;
    long is_sound = holder_graph_is_sound(host);
    return is_sound < 0 ? is_sound : !is_sound;
  case WHEN_ALWAYS:
    break;
  }
  return 1;
}

long target_decide(struct target *target, struct cover *cover, int asked,
                   int is_dry, struct host *host) {
  u64 told = cover->decision;
  const struct rule *rule = rules;
  for (long result = 0; result == 0; rule += result == 0) {
    if (rule == rules + RULES)
      return -EINVAL; /* no such method */
    if (rule->asked & asked)
      result = holds((enum condition)rule->when, target, is_dry, host);
    if (result < 0)
      return result;
  }
  target->act = rule->act;
  target->must_leave = target->holder.mount.is_shared &&
                       (rule->act == ACT_REJOIN || rule->act == ACT_OVERLAY);
  cover->decision = (u64)(rule - rules) + 1;
  /* Another launch may have pinned since. */
  int is_as_told = told == 0 || told == cover->decision ||
                   (rule->act == ACT_COVER && told <= RULES &&
                    rules[told - 1].act == ACT_PIN);
  if (!is_as_told)
    return -ESTALE;
  return rule->act == ACT_REFUSE ? -EOPNOTSUPP : 0;
}

long target_self_bind(struct target *target) {
  int is_recursive = is_directory(&target->source);
  return target->pin = mount_on_itself(target->path, is_recursive);
}

static long change(const char *path, u64 flags) {
  long fd = open_itself(path);
  if (fd < 0)
    return fd;
  long result = mount_change(fd, flags);
  CALL(__NR_close, fd);
  return result;
}

long target_make_private(const struct target *target) {
  return target->pin < 0 ? change(target->path, MS_PRIVATE)
                         : mount_change(target->pin, MS_PRIVATE);
}

long target_make_cover_private(const struct target *target) {
  return change(target->path, MS_PRIVATE | recursion(target));
}

long target_is_on_itself(const struct target *target) {
  struct mount below;
  const struct mount *mount = &target->holder.mount;
  if ((mount->is_shared || mount->is_slave) && is_directory(&target->host))
    return 0;
  long result = mount_below(mount, &below);
  if (result < 0)
    return result;
  size_t inside = text_length(below.point);
  if (inside == 1)
    inside = 0; /* "/" */
  if (!text_equal(mount->point, target->path) ||
      !text_equal(mount->device, below.device) ||
      !text_equal(mount->options, below.options) ||
      !text_starts(mount->point, below.point))
    return 0;
  char root[2 * sizeof below.root], *end = root;
  if (!text_equal(below.root, "/"))
    end = text_copy(end, below.root);
  text_copy(end, mount->point + inside);
  return text_length(root) < PATH_BYTES && text_equal(mount->root, root);
}

void target_take_back(struct target *target) {
  if (target->pin >= 0)
    mount_remove(target->pin);
}

long target_find_pin(struct target *target) {
  const struct mount *mount = &target->holder.mount;
  target->pin = open_itself(target->path);
  if (target->pin < 0)
    return target->pin;
  long result = mount_of(target->pin, &target->holder.mount);
  if (result == 0)
    result = target_is_on_itself(target);
  if (result != 1)
    return result == 0 ? -EINVAL : result;
  result = is_directory(&target->host) ? mount_is_parent(mount->id) : 0;
  return result == 1 ? -EBUSY : result;
}

/*
 * Is anything mounted below the directory, but on the target? 1, 0, -errno. Not
 * what lies below it on another mount, which this one hides already.
 */
static long is_hiding(const struct target *target, long directory) {
  struct reader table;
  struct mount mount;
  char holder[NUMBER_BYTES];
  size_t length = text_length(target->directory);
  length -= length == 1; /* "/" */
  long result = mount_id(directory, holder);
  if (result == 0)
    result = read_open(&table, "/proc/self/mountinfo");
  if (result < 0)
    return result;
  while (result == 0 && mount_next(&table, &mount))
    result = text_equal(mount.parent, holder) &&
             text_starts(mount.point, target->directory) &&
             mount.point[length] == '/' && mount.point[length + 1] != '\0' &&
             !text_equal(mount.point, target->path);
  read_close(&table);
  return table.error ? table.error : result;
}

/*
 * Without an upper layer overlayfs wants two lower ones: the second is an empty
 * tmpfs, laid on the directory first. The layers are named by descriptor: no
 * character of a path needs an escape.
 */
long target_overlay(const struct target *target) {
  char layers[16 + 2 * FD_PATH_BYTES], path[FD_PATH_BYTES];
  long below = open_itself(target->directory);
  if (below < 0)
    return below;
  long result = is_hiding(target, below);
  if (result > 0)
    result = -EBUSY;
  fd_path(path, below);
  if (result == 0)
    result = CALL(__NR_mount, "nspin", path, "tmpfs", 0, "mode=755,size=4k");
  long empty = result < 0 ? result : open_itself(target->directory);
  if (empty >= 0) {
    char *end = text_copy(layers, "lowerdir=");
    fd_path(end, below);
    end = text_copy(end + text_length(end), ":");
    fd_path(end, empty);
    fd_path(path, empty);
    result = CALL(__NR_mount, "nspin", path, "overlay", MS_RDONLY, layers);
    CALL(__NR_close, empty);
  }
  CALL(__NR_close, below);
  return empty < 0 ? empty : result;
}

long target_open_shown(struct target *target, const char *source) {
  struct file seen;
  target->shown = CALL(__NR_openat, AT_FDCWD, source, O_PATH | O_CLOEXEC);
  if (target->shown < 0)
    return target->shown;
  long result = look_at(target->shown, "", AT_EMPTY_PATH, &seen);
  if (result < 0)
    return result;
  return is_same(&seen, &target->source) ? 0 : -ESTALE;
}

long target_bind(struct target *target) {
  char source[FD_PATH_BYTES];
  struct mount mount;
  fd_path(source, target->shown);
  long fd = open_itself(target->path);
  if (fd < 0)
    return fd;
  long result = mount_of(fd, &mount);
  if (result == 0)
    result =
        mount.is_shared ? -ESTALE : mount_bind(source, fd, recursion(target));
  if (result == -ENOENT)
    result = -ESTALE; /* what was opened has been removed since */
  CALL(__NR_close, fd);
  CALL(__NR_close, target->shown);
  return result;
}

long target_verify(const struct target *target) {
  struct file seen;
  long result = look_at(AT_FDCWD, target->path, AT_SYMLINK_NOFOLLOW, &seen);
  if (result < 0)
    return result;
  return is_same(&seen, &target->source) ? 0 : -ESTALE;
}

long target_make_read_only(const struct target *target) {
  long fd = open_itself(target->path);
  if (fd < 0)
    return fd;
  long result = mount_make_read_only(fd, is_directory(&target->source));
  CALL(__NR_close, fd);
  return result;
}

/* A walk from a directory of the host's stays among the host's mounts. */
long target_verify_host(const struct target *target, const struct host *host) {
  struct file seen;
  const char *relative = target->path[1] == '\0' ? "." : target->path + 1;
  long result = look_at(host->root, relative, AT_SYMLINK_NOFOLLOW, &seen);
  if (result < 0)
    return result;
  return is_same(&seen, &target->host) ? 0 : -ESTALE;
}
