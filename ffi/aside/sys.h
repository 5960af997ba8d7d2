/* /sys as a network namespace has it: sysfs(5) shows /sys/class/net by that. */
#ifndef NSPIN_SYS_H
#define NSPIN_SYS_H

/*
 * A sysfs of this thread's network namespace over the one on /sys, and on it
 * what is mounted on that, moved: the same mounts, in the same peer groups.
 * Nothing of it reaches the host, whose /sys is a master from here on. 0 or
 * -errno. -ENODEV: there is no sysfs on /sys. -EBUSY: two mounts lie in one
 * place in it.
 */
long sys_lay(void);

#endif
