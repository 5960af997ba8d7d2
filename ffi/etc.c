#include "etc.h"

#include <asm/errno.h>

static const char etc[] = "/etc/";

/* The whole directory, as getdents64(2) tells it: bytes of it, or -errno. */
static long read_entries(const char *path, char **entries) {
  long fd =
      CALL(__NR_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return fd;
  size_t room = 16 * 1024, have = 0;
  long at = allocate(room), got = 0;
  while (!is_error(at)) {
    got = CALL(__NR_getdents64, fd, at + (long)have, room - have);
    if (got <= 0)
      break;
    have += (size_t)got;
    if (room - have < sizeof(struct dirent64) + PATH_BYTES) {
      at = CALL(__NR_mremap, at, room, room * 2, MREMAP_MAYMOVE);
      room *= 2;
    }
  }
  CALL(__NR_close, fd);
  *entries = (char *)at;
  return is_error(at) ? at : got < 0 ? got : (long)have;
}

static int is_entry(const struct dirent64 *entry) {
  return !text_equal(entry->name, ".") && !text_equal(entry->name, "..");
}

static int is_covered(const struct cover *covers, u64 count,
                      const char *target) {
  for (u64 i = 0; i < count; i++)
    if (text_equal((const char *)covers[i].target, target))
      return 1;
  return 0;
}

static int is_before(const char *a, const char *b) {
  while (*a != '\0' && *a == *b)
    a++, b++;
  return (unsigned char)*a < (unsigned char)*b;
}

/* By the field: of a whole struct the compiler may ask libc's memcpy(3). */
static void copy(struct cover *to, const struct cover *from) {
#define COPY(name, meaning) to->name = from->name;
  COVER_FIELDS(COPY)
}

/* Into its place among the entries, which begin at first. */
static void insert(struct cover *covers, u64 first, u64 at,
                   const struct cover *cover) {
  for (; at > first &&
         is_before((const char *)cover->target, (char *)covers[at - 1].target);
       at--)
    copy(&covers[at], &covers[at - 1]);
  copy(&covers[at], cover);
}

long etc_list(struct launch *launch) {
  const char *directory = (const char *)launch->etc;
  char *entries;
  long bytes = read_entries(directory, &entries);
  if (bytes <= 0)
    return bytes == -ENOENT ? 0 : bytes;
  u64 asked = launch->cover_count, count = 0;
  size_t text_bytes = 0;
  const struct dirent64 *entry;
  for (long at = 0; at < bytes; at += entry->reclen, count++) {
    entry = (struct dirent64 *)(entries + at);
    text_bytes += text_length(directory) + sizeof etc +
                  2 * (text_length(entry->name) + 1);
  }
  long block = allocate((asked + count) * sizeof(struct cover) + text_bytes);
  if (is_error(block))
    return block;
  struct cover *covers = (struct cover *)block;
  char *text = (char *)(covers + asked + count);
  for (u64 i = 0; i < asked; i++)
    copy(&covers[i], (const struct cover *)launch->covers + i);
  launch->covers = (u64)block;
  for (long at = 0; at < bytes; at += entry->reclen) {
    entry = (struct dirent64 *)(entries + at);
    struct cover cover = {.source = (u64)text, .is_entry = 1};
    text = text_copy(text_copy(text_copy(text, directory), "/"), entry->name);
    cover.target = (u64)++text;
    text = text_copy(text_copy(text, etc), entry->name) + 1;
    if (is_entry(entry) &&
        !is_covered(covers, asked, (const char *)cover.target))
      insert(covers, asked, launch->cover_count++, &cover);
  }
  return 0;
}

long etc_find_resolv_conf(const struct launch *launch) {
  const struct cover *covers = (const struct cover *)launch->covers;
  return is_covered(covers, launch->cover_count, "/etc/resolv.conf") ||
                 is_covered(covers, launch->cover_count, "/etc")
             ? 0
             : -ENOENT;
}
