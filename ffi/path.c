#include "path.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>

struct walk {
  long root, at; /* "/", -1: this thread's; the directory that was reached */
  char *path;    /* of the latter; "" for "/" */
  unsigned user, root_owner;
  struct visitor *visitor; /* or NULL */
  int links;
  int is_named; /* path is kept: not of a walk from the working directory */
  char rest[PATH_BYTES]; /* still to be walked, once a link was followed */
};

static void move(long *at, long fd) {
  close_file(at);
  *at = fd;
}

/*
 * With O_DIRECTORY first: it makes the kernel mount what autofs(5) has
 * announced there, which O_PATH alone does not. And what opens so needs no
 * fstat(2), for which the server of a mount that is there (FUSE, NFS) would be
 * asked: one that hangs stops nobody who covers its root.
 */
static long open_component(long directory, const char *name, unsigned *kind) {
  enum { FLAGS = O_PATH | O_NOFOLLOW | O_CLOEXEC };
  struct stat status;
  *kind = S_IFDIR;
  long fd = CALL(__NR_openat, directory, name, FLAGS | O_DIRECTORY);
  if (fd != -ENOTDIR && fd != -ELOOP)
    return fd;
  fd = CALL(__NR_openat, directory, name, FLAGS);
  if (fd < 0)
    return fd;
  long result = CALL(__NR_fstat, fd, &status);
  *kind = status.st_mode & S_IFMT;
  if (result == 0)
    return fd;
  CALL(__NR_close, fd);
  return result;
}

/*
 * In a user namespace the files of the first one's root seem to belong to
 * somebody else: the owner of "/" could lead root anywhere anyway.
 */
static int is_trusted(const struct walk *walk, unsigned owner) {
  return owner == 0 || owner == walk->user || owner == walk->root_owner;
}

static int is_safe(const struct walk *walk, const struct stat *directory,
                   const struct stat *link) {
  enum { STICKY = 01000, WRITTEN_BY_OTHERS = 022 };
  return is_trusted(walk, link->st_uid) &&
         is_trusted(walk, directory->st_uid) &&
         (!(directory->st_mode & WRITTEN_BY_OTHERS) ||
          directory->st_mode & STICKY);
}

/* /proc/PID/fd/N and the like lead where no text says. */
static int is_magic(long link) {
  struct statfs filesystem;
  return CALL(__NR_fstatfs, link, &filesystem) == 0 &&
         filesystem.f_type == PROC_SUPER_MAGIC;
}

static long follow_magic(struct walk *walk, const char *name,
                         const char *rest) {
  char link[FD_PATH_BYTES];
  long kind = *rest == '/' ? O_DIRECTORY : 0;
  long fd = CALL(__NR_openat, walk->at, name, O_PATH | O_CLOEXEC | kind);
  if (fd < 0)
    return fd;
  move(&walk->at, fd);
  fd_path(link, fd);
  long length =
      CALL(__NR_readlinkat, AT_FDCWD, link, walk->path, PATH_BYTES - 1);
  if (length < 0)
    return length;
  walk->path[length == 1 ? 0 : length] = '\0'; /* "/" */
  return walk->path[0] == '/' || length == 1 ? 0 : -ENOENT;
}

static long open_root(struct walk *walk) {
  long fd = walk->root < 0
                ? open_file("/", O_PATH)
                : CALL(__NR_openat, walk->root, ".", O_PATH | O_CLOEXEC);
  if (fd < 0)
    return fd;
  move(&walk->at, fd);
  return 0;
}

/* The link's text comes before what was left to be walked. */
static long follow(struct walk *walk, long link, const char *name,
                   const char **rest) {
  enum { MAX_LINKS = 40 }; /* path_resolution(7) */
  char text[PATH_BYTES];
  struct stat directory, itself;
  if (++walk->links > MAX_LINKS)
    return -ELOOP;
  MUST(CALL(__NR_fstat, walk->at, &directory));
  MUST(CALL(__NR_fstat, link, &itself));
  if (!is_safe(walk, &directory, &itself))
    return -EACCES;
  if (is_magic(link))
    return follow_magic(walk, name, *rest);
  long length = CALL(__NR_readlinkat, link, "", text, sizeof text - 1);
  if (length < 0)
    return length;
  if ((size_t)length + text_length(*rest) >= sizeof text)
    return -ENAMETOOLONG;
  text_copy(text + length, *rest); /* begins with "/", or is empty */
  text_copy(walk->rest, text);
  *rest = walk->rest;
  if (text[0] != '/')
    return 0;
  walk->path[0] = '\0';
  walk->is_named = 1;
  return open_root(walk);
}

static long go_up(struct walk *walk) {
  char *last = walk->path + text_length(walk->path);
  if (walk->is_named && last == walk->path)
    return 0; /* ".." of "/" is "/" */
  while (last > walk->path && *last != '/')
    last--;
  *last = '\0';
  long fd = CALL(__NR_openat, walk->at, "..", O_PATH | O_CLOEXEC);
  if (fd < 0)
    return fd;
  move(&walk->at, fd);
  return 0;
}

/* Takes the next component out of rest: its length, 0 at the end, or -errno. */
static long next_component(const char **rest, char name[256]) {
  long length = 0;
  while (**rest == '/')
    ++*rest;
  for (; **rest != '/' && **rest != '\0'; ++*rest) {
    if (length == 255)
      return -ENAMETOOLONG;
    name[length++] = **rest;
  }
  name[length] = '\0';
  return length;
}

static int is_end(const char *rest) {
  while (*rest == '/')
    rest++;
  return *rest == '\0';
}

static long step(struct walk *walk, const char *name, const char **rest,
                 enum last_link last) {
  if (text_equal(name, "."))
    return 0;
  if (text_equal(name, ".."))
    return go_up(walk);
  if (walk->visitor != NULL)
    walk->visitor->visit(walk->visitor, walk->at);
  unsigned kind;
  long fd = open_component(walk->at, name, &kind);
  if (fd < 0)
    return fd;
  long result = 0;
  int must_be_directory = **rest == '/';
  if (kind == S_IFLNK && (must_be_directory || last == LINK_FOLLOWED)) {
    result = follow(walk, fd, name, rest);
    CALL(__NR_close, fd);
    return result;
  }
  size_t length = text_length(walk->path);
  if (!walk->is_named)
    name = "";
  if (must_be_directory && kind != S_IFDIR)
    result = -ENOTDIR;
  if (result == 0 && length + 1 + text_length(name) >= PATH_BYTES)
    result = -ENAMETOOLONG;
  if (result < 0) {
    CALL(__NR_close, fd);
    return result;
  }
  if (*name != '\0')
    text_copy(text_copy(walk->path + length, "/"), name);
  move(&walk->at, fd);
  return 0;
}

static long walk_to(struct walk *walk, const char *rest, enum last_link last) {
  char name[256];
  struct stat status;
  MUST(open_root(walk));
  MUST(CALL(__NR_fstat, walk->at, &status));
  walk->root_owner = status.st_uid;
  if (!walk->is_named) {
    long here = open_file(".", O_PATH);
    if (here < 0)
      return here;
    move(&walk->at, here);
  }
  while (!is_end(rest)) {
    long length = next_component(&rest, name);
    if (length < 0)
      return length;
    MUST(step(walk, name, &rest, last));
  }
  if (walk->is_named && *walk->path == '\0')
    text_copy(walk->path, "/");
  return 0;
}

long path_walk(long root, const char *path, enum last_link last,
               struct place *place, struct visitor *visitor) {
  struct walk walk = {.root = root,
                      .at = -1,
                      .visitor = visitor,
                      .path = place->path,
                      .is_named = *path == '/',
                      .user = (unsigned)CALL(__NR_geteuid)};
  place->fd = -1;
  place->path[0] = '\0';
  if (*path == '\0')
    return -ENOENT;
  long result = walk_to(&walk, path, last);
  if (result < 0)
    move(&walk.at, -1);
  place->fd = walk.at;
  return result;
}

/*
 * Is it spelled as the walk would go: no "//", ".", ".." or slash at its end?
 * Names that begin with a dot are seldom, and are walked to.
 */
static int is_spelled_out(const char *path) {
  if (*path != '/')
    return 0;
  for (; *path != '\0'; path++)
    if (*path == '/' && (path[1] == '/' || path[1] == '.' || path[1] == '\0'))
      return 0;
  return 1;
}

/*
 * Where no symbolic link is on the way the kernel walks it all in one call:
 * openat2(2), Linux 5.6. A directory first, as in open_component().
 */
static long open_whole(long root, const char *path, enum last_link last) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_DIRECTORY,
                         .resolve = RESOLVE_NO_SYMLINKS};
  if (last == LINK_ITSELF)
    how.flags |= O_NOFOLLOW;
  if (root >= 0)
    how.resolve |= RESOLVE_IN_ROOT;
  else
    root = AT_FDCWD;
  long fd = CALL(__NR_openat2, root, path, &how, sizeof how);
  if (fd != -ENOTDIR)
    return fd;
  how.flags &= ~(u64)O_DIRECTORY;
  return CALL(__NR_openat2, root, path, &how, sizeof how);
}

long path_open(long root, const char *path, enum last_link last,
               struct place *place) {
  place->fd = is_spelled_out(path) ? open_whole(root, path, last) : -1;
  if (place->fd < 0) /* step by step, which also says why */
    return path_walk(root, path, last, place, NULL);
  text_copy(place->path, path);
  return 0;
}

void path_directory(const char *path, char directory[PATH_BYTES]) {
  char *end = text_copy(directory, path);
  while (end > directory && *end != '/')
    end--;
  end[end == directory] = '\0'; /* of "/f" it is "/" */
}
