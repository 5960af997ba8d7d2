/*
 * Any path in any small tree, with links of every kind and owner: where it
 * leads, or why nowhere, is what a resolver by parent pointers says; and no
 * descriptor but that of the place stays open, whatever call fails.
 */
#include "../../ffi/path.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <string.h>

enum { NODES = 24, FDS = 16, TEXT = 24, NAMES = 8, USER = 7 };
static char names[NAMES][300] = {"a", "b", "c", "dd", ".", "..", "", ""};

struct node {
  unsigned kind, owner, mode; /* S_IFLNK with a target: a magic link */
  int parent, target;         /* -1: to what has no path, as a pipe */
  const char *name;
  char text[TEXT * 300]; /* of a link */
};
static struct node nodes[NODES];
static int node_count, fd_node[FDS];
static unsigned calls, refused, refusal, is_eloop, has_openat2;

static int find(int directory, const char *name) {
  for (int i = 1; i < node_count; i++)
    if (nodes[i].parent == directory && strcmp(nodes[i].name, name) == 0)
      return i;
  return -1;
}

/* "" for the root; cut where it is longer than any path. */
static size_t path_of(int node, char *to, size_t room) {
  if (node == 0)
    return *to = '\0', 0;
  size_t length = path_of(nodes[node].parent, to, room);
  if (length + 1 + strlen(nodes[node].name) >= room)
    return room;
  to[length] = '/';
  strcpy(to + length + 1, nodes[node].name);
  return length + 1 + strlen(nodes[node].name);
}

static long new_fd(int node) {
  for (int fd = 3; fd < FDS; fd++)
    if (fd_node[fd] < 0)
      return fd_node[fd] = node, fd;
  must(0); /* a walk holds but a few at once */
  return -1;
}

static int used(long fd) {
  must(fd >= 3 && fd < FDS && fd_node[fd] >= 0);
  return fd_node[fd];
}

static long open_at(long directory, const char *name, long flags) {
  must(flags & O_PATH && flags & O_CLOEXEC);
  if (directory == AT_FDCWD)
    return must(strcmp(name, "/") == 0), new_fd(0);
  int at = used(directory), node;
  if (nodes[at].kind != S_IFDIR)
    return -ENOTDIR;
  must(*name != '\0' && strchr(name, '/') == NULL);
  if (strcmp(name, ".") == 0)
    node = at;
  else if (strcmp(name, "..") == 0)
    node = nodes[at].parent;
  else
    node = find(at, name);
  if (node < 0)
    return -ENOENT;
  if (nodes[node].kind == S_IFLNK && !(flags & O_NOFOLLOW)) {
    must(nodes[node].target != 0); /* the kernel follows magic links only */
    node = nodes[node].target < 0 ? NODES - 1 : nodes[node].target;
  }
  if (flags & O_DIRECTORY && nodes[node].kind != S_IFDIR)
    return nodes[node].kind == S_IFLNK && is_eloop ? -ELOOP : -ENOTDIR;
  return new_fd(node);
}

/* openat2(2), where no link is followed, and each name is one. */
static long open_whole(long root, const char *path,
                       const struct open_how *how) {
  const u64 in_root = root == AT_FDCWD ? 0 : RESOLVE_IN_ROOT;
  must(root == AT_FDCWD || used(root) == 0);
  must(how->resolve == (RESOLVE_NO_SYMLINKS | in_root) && how->mode == 0);
  must(*path == '/' && how->flags & O_PATH && how->flags & O_CLOEXEC);
  int at = 0;
  if (strlen(path) >= PATH_BYTES)
    return -ENAMETOOLONG;
  for (const char *name = path; name[1] != '\0';) {
    static char component[256];
    size_t length = strcspn(++name, "/");
    must(length > 0);
    if (length > 255)
      return -ENAMETOOLONG;
    memcpy(component, name, length);
    component[length] = '\0';
    must(strcmp(component, ".") != 0 && strcmp(component, "..") != 0);
    if (nodes[at].kind != S_IFDIR)
      return nodes[at].kind == S_IFLNK ? -ELOOP : -ENOTDIR;
    at = find(at, component);
    if (at < 0)
      return -ENOENT;
    name += length;
    must(*name == '\0' || name[1] != '\0');
    if (*name == '\0')
      break;
  }
  if (nodes[at].kind == S_IFLNK && !(how->flags & O_NOFOLLOW))
    return -ELOOP;
  if (how->flags & O_DIRECTORY && nodes[at].kind != S_IFDIR)
    return -ENOTDIR;
  return new_fd(at);
}

static long read_link(long fd, const char *path, char *to, long room) {
  char text[PATH_BYTES + 300];
  int node;
  if (fd != AT_FDCWD) {
    node = used(fd);
    must(*path == '\0' && nodes[node].kind == S_IFLNK);
    strcpy(text, nodes[node].text);
  } else { /* what an open file is called */
    must(strncmp(path, "/proc/self/fd/", 14) == 0);
    node = used(text_value(path + 14, 10));
    if (node == NODES - 1)
      strcpy(text, "pipe:[1]");
    else if (path_of(node, text, PATH_BYTES) == PATH_BYTES)
      return -ENAMETOOLONG;
    else if (*text == '\0')
      strcpy(text, "/");
  }
  long length = (long)strlen(text) < room ? (long)strlen(text) : room;
  memcpy(to, text, (size_t)length);
  return length;
}

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)e, (void)f;
  if (number == __NR_openat2)
    return has_openat2
               ? open_whole(a, (const char *)b, (const struct open_how *)c)
               : -ENOSYS;
  if (number == __NR_close)
    return used(a), fd_node[a] = -1, 0;
  if (number == __NR_geteuid)
    return USER;
  if (calls++ == refused)
    return -(long)refusal;
  switch (number) {
  case __NR_openat:
    return open_at(a, (const char *)b, c);
  case __NR_fstat: {
    const struct node *node = &nodes[used(a)];
    *(struct stat *)b = (struct stat){.st_mode = node->kind | node->mode,
                                      .st_uid = node->owner};
    return 0;
  }
  case __NR_fstatfs:
    memset((void *)b, 0, sizeof(struct statfs));
    ((struct statfs *)b)->f_type =
        nodes[used(a)].target != 0 ? PROC_SUPER_MAGIC : TMPFS_MAGIC;
    return 0;
  case __NR_readlinkat:
    return read_link(a, (const char *)b, (char *)c, d);
  }
  must(0);
  return 0;
}

long fuzz_allocate(unsigned long bytes) { return -(long)bytes; }

static int is_trusted(unsigned owner) {
  return owner == 0 || owner == USER || owner == nodes[0].owner;
}

/* path_resolution(7), and the rule for links: the node, or -errno. */
static long resolve(const char *path, enum last_link last) {
  static char rest[4 * PATH_BYTES], joined[4 * PATH_BYTES];
  int at = 0, links = 0;
  strcpy(rest, path);
  for (;;) {
    char *name = rest + strspn(rest, "/");
    size_t length = strcspn(name, "/");
    if (length == 0)
      return at;
    if (length > 255)
      return -ENAMETOOLONG;
    char *after = name + length;
    int is_followed = *after == '/';
    static char component[256];
    memcpy(component, name, length);
    component[length] = '\0';
    memmove(joined, after, strlen(after) + 1);
    strcpy(rest, joined);
    if (nodes[at].kind != S_IFDIR)
      return -ENOTDIR;
    if (strcmp(component, ".") == 0)
      continue;
    if (strcmp(component, "..") == 0) {
      at = nodes[at].parent;
      continue;
    }
    int node = find(at, component);
    if (node < 0)
      return -ENOENT;
    const struct node *found = &nodes[node], *directory = &nodes[at];
    if (found->kind == S_IFLNK && (is_followed || last == LINK_FOLLOWED)) {
      if (++links > 40)
        return -ELOOP;
      if (!is_trusted(found->owner) || !is_trusted(directory->owner) ||
          (directory->mode & 022 && !(directory->mode & 01000)))
        return -EACCES;
      if (found->target != 0) { /* to a pipe: nothing that has a path */
        if (is_followed &&
            (found->target < 0 || nodes[found->target].kind != S_IFDIR))
          return -ENOTDIR;
        if (found->target < 0)
          return -ENOENT;
        at = found->target;
        continue;
      }
      if (strlen(found->text) + strlen(rest) + 1 > PATH_BYTES)
        return -ENAMETOOLONG;
      strcpy(joined, found->text);
      strcat(joined, rest);
      strcpy(rest, joined);
      if (*rest == '/')
        at = 0;
      continue;
    }
    if (is_followed && found->kind != S_IFDIR)
      return -ENOTDIR;
    static char whole[PATH_BYTES];
    if (path_of(node, whole, sizeof whole) == sizeof whole)
      return -ENAMETOOLONG;
    at = node;
  }
}

/* Bytes of the input; 0 after its end. */
static const uint8_t *input, *input_end;
static unsigned next(void) { return input < input_end ? *input++ : 0; }

/* Names and slashes, so many. */
static void write_path(char *to, size_t room, unsigned count) {
  for (; count > 0; count--) {
    unsigned byte = next();
    const char *name = names[byte % NAMES];
    if (strlen(to) + strlen(name) + 3 > room)
      return;
    strcat(to, name);
    if (byte & 0x80 || count > 1)
      strcat(to, byte & 0x40 ? "//" : "/");
  }
}

/* REFUSED (two bytes) REFUSAL FLAGS, the nodes, the path. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const unsigned kinds[] = {S_IFDIR, S_IFDIR, S_IFREG, S_IFLNK};
  static const unsigned owners[] = {0, 0, USER, 99};
  static const unsigned modes[] = {0755, 0775, 01777, 0757};
  memset(names[6], 'x', 255);
  memset(names[7], 'y', 256);
  input = data;
  input_end = data + size;
  refused = next();
  refused += next() << 8;
  refusal = next() % 40 + 1;
  unsigned flags = next();
  is_eloop = flags & 1;
  has_openat2 = flags & 32;
  calls = 0;
  for (int i = 0; i < FDS; i++)
    fd_node[i] = -1;
  nodes[0] = (struct node){
      .kind = S_IFDIR, .mode = 0755, .owner = flags & 2 ? 99 : 0, .name = ""};
  nodes[NODES - 1] = (struct node){.kind = S_IFIFO, .parent = -1, .name = ""};
  unsigned wanted = next() % (NODES - 2);
  for (node_count = 1; wanted > 0; wanted--) {
    struct node *node = &nodes[node_count];
    unsigned byte = next();
    int parent = (int)(next() % (unsigned)node_count);
    static const int usable[] = {0, 1, 2, 3, 6};
    const char *name = names[usable[next() % 5]];
    if (nodes[parent].kind != S_IFDIR || find(parent, name) >= 0)
      continue;
    memset(node, 0, sizeof *node);
    node->kind = kinds[byte & 3];
    node->owner = owners[byte >> 2 & 3];
    node->mode = modes[byte >> 4 & 3];
    node->parent = parent;
    node->name = name;
    if (node->kind == S_IFLNK && byte & 0x40) { /* to what is there, or not */
      int target = (int)(next() % (unsigned)node_count);
      node->target = target == 0 || nodes[target].kind == S_IFLNK ? -1 : target;
    } else if (node->kind == S_IFLNK) {
      strcpy(node->text, byte & 0x80 ? "/" : "");
      write_path(node->text, sizeof node->text, 1 + next() % 4);
      if (*node->text == '\0')
        strcpy(node->text, ".");
    }
    node_count++;
  }
  static char path[PATH_BYTES];
  strcpy(path, flags & 4 ? "//" : "/");
  write_path(path, sizeof path, (unsigned)(input_end - input) % 64);

  static struct place place;
  enum last_link last = flags & 8 ? LINK_FOLLOWED : LINK_ITSELF;
  long root = flags & 16 ? new_fd(0) : -1;
  long result = path_open(root, path, last, &place);
  must(result <= 0 && (result == 0) == (place.fd >= 0));
  if (calls <= refused) { /* nothing was */
    long expected = resolve(path, last);
    must(result == (expected < 0 ? expected : 0));
    if (result == 0) {
      static char whole[PATH_BYTES];
      must(used(place.fd) == expected);
      path_of((int)expected, whole, sizeof whole);
      must(strcmp(place.path, *whole == '\0' ? "/" : whole) == 0);
    }
  }
  for (int fd = 0; fd < FDS; fd++)
    must(fd_node[fd] < 0 || fd == place.fd || fd == root);
  return 0;
}
