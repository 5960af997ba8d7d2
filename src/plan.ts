// Options -> Plan: names become paths, contradictions are refused. Pure.
import { type CoverOptions, type Method, quote, type RunOptions } from "./cli.ts";
import { Refusal } from "./errors.ts";

export interface Cover {
  readonly source: string;
  readonly target: string;
  /** The option, or the directory, that asked for it. */
  readonly from: "--bind" | "/etc/netns";
}

export interface Plan {
  readonly netns: string | undefined;
  readonly covers: readonly Cover[];
  readonly method: Method;
  readonly readOnly: boolean;
  readonly enter: "nsenter" | "setns";
  /** The entering command before the program; "" stands for the thread's id. */
  readonly enterWords: readonly string[];
  readonly lock: string;
  readonly skip: number;
  readonly program: readonly string[];
}

const LOCK = "/run/nspin.lock";
export const RESOLV_CONF = "/etc/resolv.conf";

type List = (directory: string) => string[];

/** The path of the network namespace, and what covers what. entries lists /etc/netns/ID. Throws Refusal. */
export function coversOf(options: CoverOptions, entries: List): Pick<Plan, "netns" | "covers"> {
  const netns = options.netns === undefined ? undefined : locate(options.netns);
  const binds = options.bind.map(({ source, target }): Cover => ({ source, target, from: "--bind" }));
  refuseTwice(binds);

  const isBound = (target: string) => binds.some((bind) => bind.target === target);
  const covers = [...binds];
  if (netns !== undefined && options.etc) {
    const directory = netns.name === undefined ? undefined : `/etc/netns/${netns.name}`;
    const names = directory === undefined ? [] : entries(directory);
    if (!names.includes("resolv.conf") && !isBound(RESOLV_CONF) && !isBound("/etc")) {
      throw new Refusal(
        directory === undefined
          ? `network namespace ${quote(options.netns as string)} has no name, and so no resolv.conf in /etc/netns`
          : `cannot find ${directory}/resolv.conf`,
        `create it, name another with --bind FILE:${RESOLV_CONF}, or keep the host's with --no-etc; 'ip netns list' shows the names`,
      );
    }
    for (const name of names) {
      const cover: Cover = { source: `${directory}/${name}`, target: `/etc/${name}`, from: "/etc/netns" };
      if (!isBound(cover.target)) covers.push(cover);
    }
  }
  return { netns: netns?.path, covers };
}

/** Throws Refusal. */
export function makePlan(options: RunOptions, entries: List): Plan {
  const { netns, covers } = coversOf(options, entries);
  return Object.freeze({
    netns,
    covers,
    method: options.method,
    readOnly: options.readOnly,
    enter: options.enter,
    enterWords: options.enter === "setns" ? [] : nsenter(netns, covers.length > 0),
    lock: LOCK,
    skip: options.skip,
    program: options.program,
  });
}

/** Nothing to start: the one target is what to unmount. */
export function unpinPlan(target: string): Plan {
  const covers: readonly Cover[] = [{ source: target, target, from: "--bind" }];
  const none = { netns: undefined, method: "auto", readOnly: false, enter: "setns", enterWords: [] } as const;
  return Object.freeze({ ...none, covers, lock: LOCK, skip: 0, program: [] });
}

/** A netns as ip-netns(8) names it, an absolute path, or pid:N. */
function locate(id: string): { path: string; name?: string } {
  const hint = "give a name under /run/netns, an absolute path, or pid:N";
  const refuse = (why: string) => new Refusal(`cannot use network namespace ${quote(id)}: ${why}`, hint);
  if (id === "") throw refuse("the name is empty");
  if (/[\0\n]/.test(id)) throw refuse("a newline or NUL is in the name");
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

function refuseTwice(binds: readonly Cover[]): void {
  const targets = binds.map((bind) => bind.target);
  const twice = targets.find((target, i) => targets.indexOf(target) !== i);
  if (twice !== undefined) throw new Refusal(`option --bind covers ${twice} twice`);
}

/** Without --root and --wd the program would be at the root of its mount namespace, setns(2): out of a chroot. */
function nsenter(netns: string | undefined, ownMounts: boolean): string[] {
  return [
    "/usr/bin/nsenter", // not by PATH, which sudo may leave to the user
    ...(ownMounts ? ["--target", "", "--mount"] : []),
    ...(netns === undefined ? [] : [`--net=${netns}`]),
    ...(ownMounts ? ["--root", "--wd"] : []),
    "--",
  ];
}
