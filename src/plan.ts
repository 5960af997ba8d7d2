// Options -> Plan: names become paths, contradictions are refused. Pure.
import type { CoverOptions, Extra, Method, RunOptions } from "./arguments.ts";
import { quote, Refusal } from "./errors.ts";
import { setpriv } from "./user.ts";

export interface Cover {
  readonly source: string;
  readonly target: string;
  /** It is an entry of /etc/netns/ID; otherwise --bind asked for it. */
  readonly isEntry: boolean;
  /** It is of --own-dns, in memory: set by decide(), and for a keeper beside a program that runs. */
  readonly isOwn?: boolean;
  /** The number of its row in DECISIONS, from 1; set by decide(). */
  readonly decision?: number;
}

export interface Plan {
  readonly netns: string | undefined;
  /** Of a launcher: its first argument names netns; "etc": and by its name etc. */
  readonly netnsArgument?: "netns" | "etc";
  /** A directory. Each entry covers its namesake in /etc, unless covers already has that target. */
  readonly etc: string | undefined;
  readonly covers: readonly Cover[];
  readonly method: Method;
  /** Of method auto: a keeper stays with the program. */
  readonly keep: boolean;
  /** An entry of etc without a namesake in /etc is an error. */
  readonly strict: boolean;
  readonly readOnly: boolean;
  readonly extras: readonly Extra[];
  /** auto: by nsenter, where it can enter. */
  readonly enter: "auto" | "nsenter" | "setns";
  /** Words that come before those of the command line: nsenter's or setpriv's, then the program's own. */
  readonly words: readonly (string | Uint8Array)[];
  /** How many of them are nsenter's, or setpriv's. */
  readonly commandWords: number;
  /** The number of the word that the thread's id replaces, from 1; 0: no word. */
  readonly tidWord: number;
  readonly lock: string;
  /** Of unpin: also what a process relies on. */
  readonly force?: boolean;
  readonly skip: number;
  /** The words of the command line that follow, for --dry-run to show. */
  readonly program: readonly string[];
}

const LOCK = "/run/nspin.lock";
export const RESOLV_CONF = "/etc/resolv.conf";

/** The network namespace's path, the covers of --bind, and /etc/netns/ID if the namespace has a name. Throws Refusal. */
export function coversOf(options: CoverOptions): Pick<Plan, "netns" | "etc" | "covers"> {
  const netns = options.netns === undefined ? undefined : locate(options.netns);
  const covers: Cover[] = [];
  let isBound = false;
  for (const { source, target } of options.bind) {
    for (const other of covers)
      if (other.target === target) throw new Refusal(`option --bind covers ${target} twice`);
    covers.push({ source, target, isEntry: false });
    isBound ||= target === RESOLV_CONF || target === "/etc";
  }
  if (options.netns !== undefined && netns?.name === undefined && options.etc && !isBound) {
    throw new Refusal(
      `network namespace ${quote(options.netns)} has no name, and so no resolv.conf in /etc/netns`,
      `name one with --bind FILE:${RESOLV_CONF}, or keep the host's with --no-etc; 'ip netns list' shows the names`,
    );
  }
  const etc = options.etc && netns?.name !== undefined ? `/etc/netns/${netns.name}` : undefined;
  return { netns: netns?.path, etc, covers };
}

/** Throws Refusal. */
export function makePlan(options: Omit<RunOptions, "wait" | "dryRun" | "json" | "verbose" | "steps">): Plan {
  const { netns, etc, covers } = coversOf(options);
  const hasMounts = covers.length > 0 || etc !== undefined || options.extras.length > 0;
  const { user } = options;
  const enter = user === undefined ? options.enter : "setns";
  const entering = enter === "setns" ? [] : nsenter(netns !== undefined, hasMounts);
  const command = user === undefined ? entering : setpriv(user);
  return Object.freeze({
    netns,
    etc,
    covers,
    method: options.method,
    keep: options.keep,
    strict: options.strict,
    readOnly: options.readOnly,
    extras: options.extras,
    enter,
    words: [...command, ...options.words],
    commandWords: command.length,
    tidWord: command.indexOf(TID) + 1,
    lock: LOCK,
    skip: options.skip,
    program: options.program,
  });
}

/** Of what is no launch by `run`'s options. */
export const NO_OPTIONS: Plan = Object.freeze({
  netns: undefined,
  etc: undefined,
  covers: [],
  method: "auto",
  enter: "setns",
  ...{ keep: false, strict: false, readOnly: false, extras: [] },
  ...{ words: [], commandWords: 0, tidWord: 0 },
  lock: LOCK,
  skip: 0,
  program: [],
});

/** A plan that starts nothing: its one target is the file to unmount. */
export function unpinPlan(target: string, force: boolean): Plan {
  return Object.freeze({ ...NO_OPTIONS, covers: [{ source: target, target, isEntry: false }], force });
}

/** A netns as ip-netns(8) names it, an absolute path, or pid:N. */
function locate(id: string): { path: string; name?: string } {
  const refuse = (why: string) =>
    new Refusal(
      `cannot use network namespace ${quote(id)}: ${why}`,
      "give a name under /run/netns, an absolute path, or pid:N",
    );
  if (id === "") throw refuse("the name is empty");
  if (id.includes("\0") || id.includes("\n")) throw refuse("a newline or NUL is in the name");
  if (id.startsWith("pid:")) {
    if (!/^pid:[1-9][0-9]{0,9}$/.test(id)) throw refuse("N is not a process id");
    return { path: `/proc/${id.slice(4)}/ns/net` };
  }
  if (id.startsWith("/")) {
    const name = /^(?:\/var)?\/run\/netns\/([^/]+)$/.exec(id)?.[1];
    return name === undefined || name === "." || name === ".." ? { path: id } : { path: id, name };
  }
  if (id.includes("/")) throw refuse('a name has no "/"');
  if (id === "." || id === "..") throw refuse("it is a directory's name");
  return { path: `/run/netns/${id}`, name: id };
}

const TID = "TID"; // stands where the sequence puts the thread's id

/**
 * nsenter enters what the sequence has entered before, by the thread's id: a path would be walked
 * once more, in the program's own view. Without --root and --wd the program would be at the root
 * of its mount namespace, setns(2): out of a chroot.
 */
function nsenter(hasNetns: boolean, hasMounts: boolean): string[] {
  return [
    ...["/usr/bin/nsenter", "--target", TID], // not by PATH, which sudo may leave to the user
    ...(hasNetns ? ["--net"] : []),
    ...(hasMounts ? ["--mount", "--root", "--wd"] : []),
    "--",
  ];
}
