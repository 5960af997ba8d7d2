/* The host's mount namespace, from where the sequence starts: the way back. */
#ifndef NSPIN_MOUNT_NAMESPACE_H
#define NSPIN_MOUNT_NAMESPACE_H

struct host {
  long mounts;    /* its namespace */
  long root, cwd; /* this process's, there; cwd can be closed to root */
  long table;     /* its mountinfo, to be told of changes */
  int is_left;    /* unshare was called, and host_return not since */
};

#define HOST_NOT_OPEN                                                          \
  { .mounts = -1, .root = -1, .cwd = -1, .table = -1 }
long host_open(struct host *host); /* 0 or -errno, as all of these */
void host_close(struct host *host);

/* unshare(2) of the mounts; the thread has an fs_struct of its own then. */
long host_leave(struct host *host);

/*
 * Back, where host_leave left from. setns(2) moves root and cwd to the root of
 * the mount namespace, so both are restored. Nothing where it was not left.
 */
long host_return(struct host *host);

/*
 * Has the table changed since it was opened, or since this was last asked? The
 * kernel counts every mount, umount and change of propagation, and poll(2)
 * reports the count's change once, proc_pid_mounts(5).
 */
int host_changed(struct host *host);

#endif
