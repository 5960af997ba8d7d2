/*
 * A path, walked once (path_resolution(7)) to a descriptor: whoever owns a
 * directory on the way can change what the path leads to later, and not what
 * was opened.
 */
#ifndef NSPIN_PATH_H
#define NSPIN_PATH_H

#include "proc.h"

struct place {
  long fd; /* O_PATH, or -1 */
  /* How the walk went: no symbolic link, no "." or "..", no slash at the end.
   */
  char path[PATH_BYTES];
};

enum last_link { LINK_ITSELF, LINK_FOLLOWED };

/*
 * Walks a path from root, a directory, or from this thread's own where root is
 * -1; a relative one from the working directory, and place->path then is "". A
 * symbolic link at its end is opened itself or followed. 0 or -errno. -EACCES:
 * the walk would follow a symbolic link that somebody other than root can
 * replace, and with it where root's mount lands; the rule of
 * fs.protected_symlinks, proc(5), for every directory.
 */
long path_open(long root, const char *path, enum last_link last,
               struct place *place);

/* As path_open; and visits each directory in which a name is looked up. */
struct visitor {
  void (*visit)(struct visitor *visitor, long directory);
};
long path_walk(long root, const char *path, enum last_link last,
               struct place *place, struct visitor *visitor);

/* The directory that the last component is in: of "/etc/f" "/etc". */
void path_directory(const char *path, char directory[PATH_BYTES]);

#endif
