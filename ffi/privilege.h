/* What this process may do: asked of the kernel, not of its user id. */
#ifndef NSPIN_PRIVILEGE_H
#define NSPIN_PRIVILEGE_H

/* CAP_SYS_ADMIN, effective: 1, 0 or -errno. */
long may_mount(void);

/* The same as a step: 0, -EPERM or -errno. */
long privilege_check(void);

/*
 * Does the way back work: setns(2) of a mount namespace, fchdir(2), chroot(2)?
 * It needs CAP_SYS_CHROOT too; systemd's RestrictNamespaces= refuses the first.
 */
int can_return(void);

#endif
