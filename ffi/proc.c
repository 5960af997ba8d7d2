#include "proc.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/stat.h>

__attribute__((noinline)) int is_shortage(long result) {
  return result == -EMFILE || result == -ENFILE || result == -ENOMEM;
}

/* gcc takes the code of a system call for shorter than a call. */
__attribute__((noinline)) long open_file(const char *path, long flags) {
  return CALL(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC);
}

long read_open(struct reader *reader, const char *path) {
  reader->at = reader->have = reader->error = 0;
  reader->fd = open_file(path, O_RDONLY);
  return reader->fd < 0 ? reader->fd : 0;
}

void read_close(struct reader *reader) { CALL(__NR_close, reader->fd); }

static long read_byte(struct reader *reader) {
  if (reader->at == reader->have) {
    reader->at = 0;
    reader->have =
        CALL(__NR_read, reader->fd, reader->buffer, sizeof reader->buffer);
    if (reader->have <= 0) {
      reader->error = reader->have;
      reader->have = 0;
      return -1;
    }
  }
  return (unsigned char)reader->buffer[reader->at++];
}

/*
 * In mountinfo a blank, newline or backslash of a path is \ooo. Decoded here,
 * it ends no word, and a word is cut between two bytes, not within an escape.
 */
static long read_decoded(struct reader *reader) {
  enum { OF_THE_WORD = 0x100 };
  long byte = read_byte(reader), value = 0;
  if (byte != '\\')
    return byte;
  for (int digits = 0; digits < 3; digits++) {
    byte = read_byte(reader);
    if (byte < '0' || byte > '7')
      return byte; /* no kernel writes that */
    value = value << 3 | (byte - '0');
  }
  return OF_THE_WORD | value;
}

long read_word(struct reader *reader, char *word, size_t bytes) {
  size_t length = 0;
  long byte = read_decoded(reader);
  while (byte == ' ' || byte == '\t')
    byte = read_decoded(reader);
  while (byte >= 0 && byte != ' ' && byte != '\t' && byte != '\n') {
    if (length < bytes - 1)
      word[length++] = (char)byte;
    byte = read_decoded(reader);
  }
  word[length] = '\0';
  return byte == '\t' ? ' ' : byte;
}

long mount_id(long fd, char id[NUMBER_BYTES]) {
  struct statx status;
  /* qemu-user (7.2) passes on the mask, and no id; no mount here has the 0. */
  if (CALL(__NR_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID,
           &status) == 0 &&
      status.stx_mask & STATX_MNT_ID && status.stx_mnt_id != 0) {
    text_number(id, status.stx_mnt_id);
    return 0;
  }
  char path[64], word[NUMBER_BYTES];
  struct reader info;
  text_number(text_copy(path, "/proc/self/fdinfo/"), (u64)fd);
  long end = read_open(&info, path);
  if (end < 0)
    return end;
  do {
    end = read_word(&info, word, sizeof word);
    if (end == ' ' && text_equal(word, "mnt_id:"))
      break;
  } while (end >= 0);
  if (end >= 0)
    read_word(&info, id, NUMBER_BYTES);
  read_close(&info);
  return end >= 0 ? 0 : info.error ? info.error : -ENOENT;
}

void fd_path(char path[FD_PATH_BYTES], long fd) {
  text_number(text_copy(path, "/proc/self/fd/"), (u64)fd);
}

long each_number(const char *directory, void (*visit)(long number, void *data),
                 void *data) {
  char entries[1024] __attribute__((aligned(8)));
  long list = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (list < 0)
    return list;
  int is_listed = text_equal(directory, "/proc/self/fd"); /* list itself */
  long bytes;
  while ((bytes = CALL(__NR_getdents64, list, entries, sizeof entries)) > 0)
    for (long at = 0; at < bytes;) {
      struct dirent64 *entry = (struct dirent64 *)(entries + at);
      long number = (long)text_value(entry->name, 10);
      if (entry->name[0] >= '0' && entry->name[0] <= '9' &&
          !(is_listed && number == list))
        visit(number, data);
      at += entry->reclen;
    }
  CALL(__NR_close, list);
  return bytes;
}

u64 file_inode(const char *path) {
  struct stat status;
  return CALL(__NR_newfstatat, AT_FDCWD, path, &status, 0) < 0 ? 0
                                                               : status.st_ino;
}
