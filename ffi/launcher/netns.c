#include "netns.h"
#include "../etc-netns.h"

#include <asm/errno.h>

#define NETNS_DIRECTORY "/run/netns/"

static int has(const char *text, char byte) {
  for (; *text != '\0'; text++)
    if (*text == byte)
      return 1;
  return 0;
}

static int is_name(const char *id) {
  return *id != '\0' && !has(id, '/') && !text_equal(id, ".") &&
         !text_equal(id, "..");
}

/* From 1, without a zero before it, at most ten digits. */
static int is_process(const char *id) {
  size_t digits = 0;
  while (id[digits] >= '0' && id[digits] <= '9')
    digits++;
  return *id != '0' && digits > 0 && digits <= 10 && id[digits] == '\0';
}

/* The name of a path that ip-netns(8) gives a name; or NULL. */
static const char *name_of_path(const char *path) {
  static const char var[] = "/var", directory[] = NETNS_DIRECTORY;
  if (text_starts(path, var))
    path += sizeof var - 1;
  if (!text_starts(path, directory))
    return NULL;
  path += sizeof directory - 1;
  return is_name(path) ? path : NULL;
}

static long locate(struct launch *launch, const char *id, const char **name,
                   struct netns_paths *paths) {
  static const char process[] = "pid:";
  *name = NULL;
  launch->netns = (u64)id;
  if (has(id, '\n'))
    return -EINVAL;
  if (text_length(id) + sizeof "/etc/netns/" > PATH_BYTES)
    return -ENAMETOOLONG;
  if (*id == '/') {
    *name = name_of_path(id);
    return 0;
  }
  if (text_starts(id, process)) {
    id += sizeof process - 1;
    if (!is_process(id))
      return -EINVAL;
    text_copy(text_copy(text_copy(paths->netns, "/proc/"), id), "/ns/net");
  } else {
    if (!is_name(id))
      return -EINVAL;
    *name = id;
    text_copy(text_copy(paths->netns, NETNS_DIRECTORY), id);
  }
  launch->netns = (u64)paths->netns;
  return 0;
}

long netns_of_argument(struct launch *launch, const char *id,
                       struct netns_paths *paths) {
  const char *name;
  MUST(locate(launch, id, &name, paths));
  int has_etc = launch->netns_argument == NETNS_AND_ETC;
  if (has_etc && name != NULL) {
    text_copy(text_copy(paths->etc, "/etc/netns/"), name);
    launch->etc = (u64)paths->etc;
  }
  if (!has_etc || name != NULL || etc_find_resolv_conf(launch) == 0)
    return 0;
  launch->netns = (u64)id;
  return -EOPNOTSUPP;
}
