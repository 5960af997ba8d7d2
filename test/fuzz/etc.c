/*
 * Any directory, told in any pieces: the covers are those asked for, then one
 * for each entry that they do not name, sorted, and no other.
 */
#include "../../ffi/etc-netns.h"

#include <asm/errno.h>
#include <string.h>

/* Of <stdlib.h>, which defines what <linux/resource.h> defines too. */
void *calloc(size_t count, size_t bytes);
void *realloc(void *block, size_t bytes);
void free(void *block);
void qsort(void *, size_t, size_t, int (*)(const void *, const void *));

enum { NAMES = 4096, NAME_BYTES = 256 };
static const char directory[] = "/etc/netns/ID";

/* FLAGS REFUSED PIECE, then each name, NUL-terminated. */
static char names[NAMES][NAME_BYTES];
static size_t name_count, told;
static unsigned refused, piece, calls;
static int is_open;
static struct {
  void *block;
  size_t bytes;
} blocks[8];
static size_t block_count;

/* The call that is to fail, and how. */
static long failure(void) {
  static const long errors[] = {EACCES, EIO, ENOENT, ENOMEM};
  return calls++ == refused >> 2 ? -errors[refused & 3] : 0;
}

/* As many as fit, or fewer; the kernel gives EINVAL where not even one does. */
static long entries(char *to, size_t room) {
  size_t have = 0;
  for (unsigned count = 0; told < name_count && count <= piece; count++) {
    struct dirent64 *entry = (struct dirent64 *)(to + have);
    size_t bytes = (sizeof *entry + strlen(names[told]) + 1 + 7) & ~7ul;
    if (have + bytes > room)
      return have > 0 ? (long)have : -EINVAL;
    *entry = (struct dirent64){.reclen = (unsigned short)bytes};
    strcpy(entry->name, names[told++]);
    have += bytes;
  }
  return (long)have;
}

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)d, (void)e, (void)f;
  int is_return = number == __NR_close || number == __NR_munmap;
  long result = is_return ? 0 : failure();
  if (result < 0)
    return number == __NR_mremap ? -ENOMEM : result;
  switch (number) {
  case __NR_openat:
    must(strcmp((char *)b, directory) == 0 && !is_open);
    is_open = 1;
    return 3;
  case __NR_close:
    must(a == 3 && is_open);
    is_open = 0;
    return 0;
  case __NR_getdents64:
    must(a == 3 && is_open);
    return entries((char *)b, (size_t)c);
  case __NR_munmap:
    for (size_t i = 0; i < block_count; i++)
      if (blocks[i].block == (void *)a) {
        must(blocks[i].bytes == (size_t)b);
        free(blocks[i].block);
        blocks[i] = blocks[--block_count];
        return 0;
      }
    break;
  case __NR_mremap:
    for (size_t i = 0; i < block_count; i++)
      if (blocks[i].block == (void *)a) {
        must(blocks[i].bytes == (size_t)b && c > b);
        blocks[i].bytes = (size_t)c;
        blocks[i].block = realloc((void *)a, (size_t)c);
        return (long)blocks[i].block;
      }
  }
  must(0);
  return 0;
}

long fuzz_allocate(unsigned long bytes) {
  long result = failure();
  if (result < 0 || bytes == 0)
    return result < 0 ? -ENOMEM : -EINVAL; /* as mmap(2) */
  must(block_count < 8);
  blocks[block_count].bytes = bytes;
  return (long)(blocks[block_count++].block = calloc(1, bytes));
}

static int compare(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static int is_bound(const char *name, const struct cover *asked, u64 count) {
  for (u64 i = 0; i < count; i++) {
    const char *target = (const char *)asked[i].target;
    if (strncmp(target, "/etc/", 5) == 0 && strcmp(target + 5, name) == 0)
      return 1;
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3)
    return 0;
  name_count = told = calls = block_count = 0;
  refused = data[1];
  piece = data[2];
  /* Each name once, and none that no directory has. */
  const char *from = (const char *)data + 3, *end = (const char *)data + size;
  while (from < end && name_count < NAMES) {
    size_t length = strnlen(from, (size_t)(end - from));
    char *name = names[name_count];
    size_t kept = length < NAME_BYTES - 1 ? length : NAME_BYTES - 1;
    memcpy(name, from, kept);
    name[kept] = '\0';
    from += length + 1;
    int is_new = kept > 0 && strchr(name, '/') == NULL;
    static unsigned hashes[NAMES]; /* strcmp is slow under the sanitizer */
    unsigned hash = 0;
    for (size_t i = 0; name[i] != '\0'; i++)
      hash = hash * 31 + (unsigned char)name[i];
    for (size_t i = 0; i < name_count && is_new; i++)
      is_new = hashes[i] != hash || strcmp(names[i], name) != 0;
    hashes[name_count] = hash;
    name_count += (size_t)is_new;
  }

  struct cover asked[] = {
      {.source = (u64) "a", .target = (u64) "/etc/hosts", .decision = 7},
      {.source = (u64) "b", .target = (u64) "/srv/x", .decision = 8},
      {.source = (u64) "c",
       .target = data[0] & 4 ? (u64) "/etc/resolv.conf" : (u64) "/etc"},
  };
  u64 asked_count = data[0] & 3;
  struct launch launch = {
      .etc = (u64)directory, .covers = (u64)asked, .cover_count = asked_count};
  struct block block = {0, 0};
  long result = etc_list(&launch, &block);
  must(!is_open);
  must(block_count == (block.at != 0)); /* what was read is given back */
  const struct cover *covers = (const struct cover *)launch.covers;
  if (result < 0) {
    must(calls > refused >> 2); /* only what was refused */
    must(launch.cover_count == asked_count && covers == asked);
  } else {
    must((u64)covers == block.at);
    static char *wanted[NAMES];
    size_t count = 0;
    /* A directory that is not there, or has gone, has no entries. */
    int is_there = calls <= refused >> 2 || (refused & 3) != 2;
    for (size_t i = 0; i < name_count && is_there; i++)
      if (strcmp(names[i], ".") != 0 && strcmp(names[i], "..") != 0 &&
          !is_bound(names[i], asked, asked_count))
        wanted[count++] = names[i];
    qsort(wanted, count, sizeof *wanted, compare);
    must(launch.cover_count == asked_count + count);
    must(memcmp(covers, asked, asked_count * sizeof *asked) == 0);
    for (size_t i = 0; i < count; i++) {
      const struct cover *cover = &covers[asked_count + i];
      const char *source = (const char *)cover->source;
      const char *target = (const char *)cover->target;
      size_t length = sizeof directory - 1;
      must(cover->is_entry == 1 && cover->decision == 0 && cover->holder == 0);
      must(strncmp(source, directory, length) == 0 && source[length] == '/');
      must(strcmp(source + length + 1, wanted[i]) == 0);
      must(strncmp(target, "/etc/", 5) == 0);
      must(strcmp(target + 5, wanted[i]) == 0);
    }
  }
  int has_one = 0;
  for (u64 i = 0; i < launch.cover_count; i++)
    has_one |= strcmp((const char *)covers[i].target, "/etc") == 0 ||
               strcmp((const char *)covers[i].target, "/etc/resolv.conf") == 0;
  must(etc_find_resolv_conf(&launch) == (has_one ? 0 : -ENOENT));
  block_release(&block);
  must(block_count == 0);
  return 0;
}
