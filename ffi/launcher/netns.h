#ifndef NSPIN_NETNS_H
#define NSPIN_NETNS_H

#include "../sequence.h"

/* Room for what an argument leads to. */
struct netns_paths {
  char netns[PATH_BYTES], etc[PATH_BYTES];
};

/*
 * The network namespace that an argument names, by the rules of src/plan.ts for
 * `run --netns`: a name, an absolute path, or pid:N. Where that is no name,
 * launch->netns is the argument itself. 0 or -errno.
 */
long netns_of_argument(struct launch *launch, const char *id,
                       struct netns_paths *paths);

#endif
