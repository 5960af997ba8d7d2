/*
 * What the command line calls, N(name): the guard puts their addresses into its
 * record, in this order.
 */
#ifndef NSPIN_ENTRIES_H
#define NSPIN_ENTRIES_H

#define ENTRIES(N)                                                             \
  N(nspin_launch)                                                              \
  N(nspin_decide)                                                              \
  N(nspin_unpin)                                                               \
  N(unpinned_self_bind)                                                        \
  N(unpinned_private)                                                          \
  N(unpinned_unshare)                                                          \
  N(unpinned_bind)                                                             \
  N(unpinned_execute)                                                          \
  N(unpinned_thread)                                                           \
  N(unpinned_mounts)

#define ENTRY(name) ENTRY_##name,
enum { ENTRIES(ENTRY) ENTRY_COUNT };

#endif
