#include "own-dns.h"
#include "../block.h"
#include "../privilege.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/stat.h>

/*
 * A directory is hidden by an empty one: what its daemon makes anew in there is
 * hidden too. A socket by an empty file, to which nobody can connect.
 */
#define PATH_OF(name, path) own == OWN_DNS_##name ? path:
static const char *path_of(enum own_dns own) {
  return OWN_DNS_TARGETS(PATH_OF) NULL;
}

/* One of the launch's own lies there, or on a directory on the way. */
static int is_covered(const struct launch *launch, const char *path) {
  const struct cover *covers = (const struct cover *)launch->covers;
  for (u64 i = 0; i < launch->cover_count; i++)
    if (text_is_below(path, (const char *)covers[i].target))
      return 1;
  return 0;
}

/* What cannot be looked at either: the step that opens it says why. */
static int is_here(enum own_dns own) {
  struct place place;
  long result =
      path_open(-1, path_of(own),
                own == OWN_DNS_NSCD ? LINK_FOLLOWED : LINK_ITSELF, &place);
  close_file(&place.fd);
  return result != -ENOENT && result != -ENOTDIR;
}

long own_dns_list(struct launch *launch) {
  struct cover *covers = (struct cover *)launch->covers;
  u64 count = launch->cover_count;
  for (enum own_dns own = 0; own < OWN_DNS_COVERS; own++) {
    if (!is_covered(launch, path_of(own)) && is_here(own))
      covers[count++] = (struct cover){.source = (u64) "--own-dns",
                                       .target = (u64)path_of(own),
                                       .is_entry = OF_OWN_DNS};
  }
  launch->cover_count = count;
  return 0;
}

/* The host's, to a block; its length. It can be a link, and any file. */
static long read_nsswitch(struct block *block) {
  enum { LONGEST = 64 << 10 };
  struct place place;
  struct file file;
  char path[FD_PATH_BYTES];
  MUST(path_open(-1, path_of(OWN_DNS_NSSWITCH), LINK_FOLLOWED, &place));
  fd_path(path, place.fd);
  long result = file_look_at(place.fd, &file);
  if (result == 0 && file.kind != S_IFREG)
    result = -EINVAL; /* to open it could act on it, or wait */
  long fd = result < 0 ? result : open_file(path, O_RDONLY);
  close_file(&place.fd);
  MUST(fd);
  result = block_obtain(block, LONGEST);
  long length = 0, got = result;
  while (result == 0 && length < LONGEST &&
         (got = CALL(__NR_read, fd, (char *)block->at + length,
                     LONGEST - length)) > 0)
    length += got;
  CALL(__NR_close, fd);
  return result < 0 ? result : got < 0 ? got : got > 0 ? -EFBIG : length;
}

static int is_space(char c) { /* isspace(3) */
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * As glibc reads it (nss/nss_database.c): space of any kind, the name, and more
 * space or a colon. The last such line is the one that counts.
 */
static int is_of_hosts(const char *line, const char *end) {
  static const char name[] = "hosts";
  while (line < end && is_space(*line))
    line++;
  for (const char *c = name; *c != '\0'; c++)
    if (line == end || *line++ != *c)
      return 0;
  return line < end && (*line == ':' || is_space(*line));
}

static long put(long to, const char *text, size_t bytes) {
  long result = bytes == 0 ? 0 : CALL(__NR_write, to, text, bytes);
  return result < 0 ? result : result == (long)bytes ? 0 : -EIO;
}

/* Its lines but for those of hosts, and one for that. */
static long write_nsswitch(long to, const char *text, const char *end) {
  static const char own[] = "hosts: files dns\n";
  MUST(put(to, own, sizeof own - 1));
  while (text < end) {
    const char *next = text;
    while (next < end && *next++ != '\n')
      ;
    if (!is_of_hosts(text, next))
      MUST(put(to, text, (size_t)(next - text)));
    text = next;
  }
  return 0;
}

/* On /proc, which is there wherever this program runs: propagation-probe.c. */
#define HERE "/proc/own-dns"

static long make(enum own_dns own, const struct block *text, long length) {
  enum { MODE = 0644, DIRECTORY_MODE = 0755 };
  MUST(CALL(__NR_mount, 0, "/proc", 0, MS_PRIVATE));
  MUST(CALL(__NR_mount, "own-dns", "/proc", "tmpfs",
            MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755"));
  if (own == OWN_DNS_NSCD) {
    MUST(CALL(__NR_mkdirat, AT_FDCWD, HERE, DIRECTORY_MODE));
    MUST(CALL(__NR_fchmodat, AT_FDCWD, HERE, DIRECTORY_MODE));
  } else {
    long file = CALL(__NR_openat, AT_FDCWD, HERE,
                     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
    MUST(file);
    long result = CALL(__NR_fchmod, file, MODE); /* whatever the umask is */
    if (result == 0 && own == OWN_DNS_NSSWITCH)
      result = write_nsswitch(file, (const char *)text->at,
                              (const char *)text->at + length);
    CALL(__NR_close, file);
    MUST(result);
  }
  return CALL(__NR_open_tree, AT_FDCWD, HERE,
              OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static long make_elsewhere(enum own_dns own, const struct block *text,
                           long length, struct host *host, long *clone) {
  if (!can_return())
    return -EPERM;
  MUST(host_leave(host));
  *clone = make(own, text, length);
  MUST(host_return(host));
  return *clone < 0 ? *clone : 0;
}

long own_dns_make(struct target *target, const char *path, struct host *host) {
  struct block text = {0, 0};
  enum own_dns own = 0;
  while (!text_equal(path, path_of(own)))
    own++;
  target->shown.kind = own == OWN_DNS_NSCD ? S_IFDIR : S_IFREG;
  if (host == NULL)
    return 0;
  long length = own == OWN_DNS_NSSWITCH ? read_nsswitch(&text) : 0;
  long result = length < 0
                    ? length
                    : make_elsewhere(own, &text, length, host, &target->clone);
  block_release(&text);
  return result < 0 ? result : file_look_at(target->clone, &target->shown);
}
