#include "etc-netns.h"
#include "aside.h"

#include <asm/errno.h>

static const char etc[] = "/etc/";

/* The whole directory, as getdents64(2) tells it: bytes of it, or -errno. */
static long read_entries(const char *path, struct block *entries) {
  long fd = open_file(path, O_RDONLY | O_DIRECTORY);
  if (fd < 0)
    return fd;
  size_t room = 16 * 1024, have = 0;
  long result = block_obtain(entries, room);
  while (result == 0) {
    long got = CALL(__NR_getdents64, fd, entries->at + have, room - have);
    if (got <= 0) {
      result = got;
      break;
    }
    have += (size_t)got;
    if (room - have < sizeof(struct dirent64) + PATH_BYTES)
      result = block_grow(entries, room *= 2);
  }
  CALL(__NR_close, fd);
  return result < 0 ? result : (long)have;
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

/* Into its place among the entries, which begin at first. */
static void insert(struct cover *first, struct cover *at, u64 source,
                   u64 target) {
  for (; at > first && text_compare((char *)target, (char *)at[-1].target) < 0;
       at--) {
    at->source = at[-1].source;
    at->target = at[-1].target;
  }
  at->source = source;
  at->target = target;
}

static long list(struct launch *launch, struct block *block,
                 const char *entries, long bytes) {
  const char *directory = (const char *)launch->etc;
  u64 asked = launch->cover_count, count = 0;
  size_t text_bytes = 0;
  const struct dirent64 *entry;
  for (long at = 0; at < bytes; at += entry->reclen, count++) {
    entry = (const struct dirent64 *)(entries + at);
    text_bytes += text_length(directory) + sizeof etc +
                  2 * (text_length(entry->name) + 1);
  }
  count += OWN_DNS_COVERS;
  MUST(
      block_obtain(block, (asked + count) * sizeof(struct cover) + text_bytes));
  struct cover *covers = (struct cover *)block->at, *end = covers + asked;
  char *text = (char *)(end + count);
  for (u64 i = 0; i < asked; i++)
    covers[i] = ((const struct cover *)launch->covers)[i];
  for (long at = 0; at < bytes; at += entry->reclen) {
    entry = (const struct dirent64 *)(entries + at);
    char *source = text;
    char *target = text_copy(text_copy(text, directory), "/");
    target = text_copy(target, entry->name) + 1;
    text = text_copy(text_copy(target, etc), entry->name) + 1;
    if (!is_entry(entry) || is_covered(covers, asked, target))
      continue;
    end->is_entry = 1;
    insert(covers + asked, end++, (u64)source, (u64)target);
  }
  launch->covers = (u64)block->at;
  launch->cover_count = (u64)(end - covers);
  return 0;
}

long etc_list(struct launch *launch, struct block *block) {
  struct block entries = {0, 0};
  const char *directory = (const char *)launch->etc;
  long bytes = directory == NULL ? 0 : read_entries(directory, &entries);
  if (bytes == -ENOENT)
    bytes = 0;
  long result =
      bytes < 0 ? bytes : list(launch, block, (const char *)entries.at, bytes);
  block_release(&entries);
  return result;
}

int etc_covers(const struct launch *launch, const char *target) {
  return is_covered((const struct cover *)launch->covers, launch->cover_count,
                    target);
}

long etc_find_resolv_conf(const struct launch *launch) {
  return etc_covers(launch, RESOLV_CONF_PATH) || etc_covers(launch, "/etc")
             ? 0
             : -ENOENT;
}
