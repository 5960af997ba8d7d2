// What is called of libc, on the thread that loads it: what needs no pinned sequence.
import { dlopen, ptr, read } from "bun:ffi";

const LIBC = {
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  unshare: { args: ["i32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  execve: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64"], returns: "i64" },
  readlink: { args: ["ptr", "ptr", "u64"], returns: "i64" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
  getpwnam: { args: ["ptr"], returns: "ptr" },
  syscall: { args: ["i64", "i64", "ptr", "i64", "ptr", "i64"], returns: "i64" },
} as const;

/** These functions only. musl, too, knows itself by that name. */
export function loadLibc<Name extends keyof typeof LIBC>(...names: Name[]) {
  const wanted = {} as Pick<typeof LIBC, Name>;
  for (const name of names) wanted[name] = LIBC[name];
  const location = { __errno_location: { args: [], returns: "ptr" } } as const;
  const errorAt = dlopen("libc.so.6", location).symbols.__errno_location();
  return { ...dlopen("libc.so.6", wanted).symbols, errno: () => read.i32(errorAt as never) };
}

/** How wide a terminal is; 80 where it is none, or does not say. Not by process.stdout: see print.ts. */
export function terminalColumns(fd: number): number {
  const TIOCGWINSZ = 0x5413;
  const size = new Uint16Array(4); // struct winsize, ioctl_tty(2): rows, columns
  try {
    loadLibc("ioctl").ioctl(fd, TIOCGWINSZ, size);
  } catch {} // no memory for code: the help is for that one too
  return size[1] || 80;
}

/** The group of a user, getpwnam(3); undefined: there is no such user. */
export function primaryGroup(user: string): number | undefined {
  const { getpwnam } = loadLibc("getpwnam");
  const entry = getpwnam(ptr(new TextEncoder().encode(`${user}\0`)));
  const gid = 20; // in struct passwd: behind name, password and uid, of glibc and musl
  return entry === null ? undefined : read.u32(entry, gid);
}
