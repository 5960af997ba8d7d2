/* What the kernel, and whoever chooses a mount point, writes in mountinfo. */
#include "../../ffi/mount.h"

#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>

static struct content table;

long fuzz_call(long number, long a, long b, long c, long d, long e, long f) {
  (void)a, (void)d, (void)f;
  if (number == __NR_statx) {
    ((struct statx *)e)->stx_mask = STATX_BASIC_STATS;
    return 0;
  }
  return number == __NR_read ? content_read(&table, b, c) : 3;
}

/* The same line by libc, for what a kernel writes: fields, escapes, tags. */
static char *decoded(char *field) {
  char *to = field;
  for (char *from = field; *from != '\0'; to++)
    if (*from == '\\') {
      *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
      from += 4;
    } else
      *to = *from++;
  *to = '\0';
  return field;
}

static u64 number(const char *digits) {
  u64 value = 0;
  while (*digits >= '0' && *digits <= '9')
    value = value * 10 + (u64)(*digits++ - '0');
  return value;
}

static void compare(char *line, const struct mount *mount) {
  char *field[5], *rest = line;
  for (int i = 0; i < 5; i++)
    field[i] = strsep(&rest, " ");
  const char *seen[] = {mount->id, mount->parent, mount->root, mount->point};
  size_t room[] = {sizeof mount->id, sizeof mount->parent, sizeof mount->root,
                   sizeof mount->point};
  static const int of[] = {0, 1, 3, 4};
  for (int i = 0; i < 4; i++) {
    const char *whole = decoded(field[of[i]]);
    must(strlen(seen[i]) < room[i]);
    must(strncmp(seen[i], whole, room[i] - 1) == 0);
  }
  char *device = decoded(field[2]);
  if (strlen(device) < 2 * NUMBER_BYTES) {
    char *minor = strchr(device, ':');
    u64 low = minor == NULL ? 0 : number(minor + 1);
    must(mount->device == (number(device) << 32 | low));
  }
  char *tags = strstr(rest, " - ");
  if (tags != NULL)
    *tags = '\0';
  must(mount->is_shared == (strstr(rest, " shared:") != NULL));
  must(mount->is_slave == (strstr(rest, " master:") != NULL));
  char *group = strstr(rest, " shared:");
  if (group == NULL)
    must(mount->peer_group == 0);
  else if (strstr(group + 1, " shared:") == NULL &&
           strcspn(group + 8, " ") < NUMBER_BYTES)
    must(mount->peer_group == number(group + 8));
}

/* Only for tables that a kernel could have written is the meaning compared. */
static int is_escaped_well(const char *text) {
  for (; *text != '\0'; text++)
    if (*text == '\\')
      for (int i = 0; i < 3; i++)
        if (*++text < '0' || *text > (i == 0 ? '1' : '7'))
          return 0;
  return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct mount mount;
  struct reader reader;
  if (size == 0)
    return 0;
  /* Without statx(2)'s ids: fdinfo and the table are one file here. */
  table = (struct content){data + 1, size - 1, 1 + data[0]};
  must(mount_of(3, &mount) <= 0);
  static struct mount below;
  strcpy(mount.parent, "22");
  mount.unique_parent = 0;
  table = (struct content){data + 1, size - 1, 1 + data[0]};
  must(mount_below(&mount, &below) <= 0);
  table = (struct content){data + 1, size - 1, 1 + data[0]};
  must(read_open(&reader, "") == 0);
  char *lines = strndup((const char *)data + 1, size - 1), *rest = lines;
  int is_real = strlen(lines) == size - 1 && strchr(lines, '\t') == NULL &&
                strstr(lines, "  ") == NULL && lines[0] != ' ' &&
                strstr(lines, "\n ") == NULL && is_escaped_well(lines);
  while (mount_next(&reader, &mount)) {
    char *line = strsep(&rest, "\n");
    if (is_real && line != NULL && strstr(line, " - ") != NULL)
      compare(line, &mount);
    else
      is_real = 0;
  }
  free(lines);
  return 0;
}

long fuzz_allocate(unsigned long bytes) { return (long)calloc(1, bytes); }
