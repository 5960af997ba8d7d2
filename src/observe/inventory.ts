// Every program that runs under nspin. There is no file that says so: the kernel does, by mount tables.

import { cannot } from "../system-error.ts";
import {
  type Apart,
  apartFrom,
  bareDirectories,
  type CoverSeen,
  coversIn,
  hasRootOf,
  meantBy,
  netnsOf,
  OWN_DNS,
  Table,
} from "./covers.ts";
import { type Finding, findingsOf, isUnanswered } from "./findings.ts";
import type { Answer } from "./inside.ts";
import { lookInside } from "./look-inside.ts";
import {
  hostTable,
  isKeeper,
  isOwn,
  isStill,
  keptBy,
  look,
  namespaceOf,
  type Process,
  pass,
  read,
} from "./processes.ts";

/** What is known by one pass over /proc. */
interface Found {
  readonly process: Process;
  readonly keeper: Process | undefined;
  /** Inode of its mount namespace. */
  readonly mounts: number;
  /** Inode of the network namespace, and the name by which it is known now. */
  readonly netns: number;
  readonly netnsName: string | undefined;
  readonly isHostNetns: boolean;
  /** Whose /etc/netns/NAME covers its files; undefined: it is by --bind alone. */
  readonly plannedNetns: string | undefined;
  readonly covers: readonly CoverSeen[];
  /** Directories in which all covers are gone, and no keeper stays that knows them. */
  readonly bare: readonly string[];
  readonly apart: readonly Apart[];
}

/** What it sees; null: a file system that it sees hangs. */
export interface Seen extends Found {
  readonly seen: Answer | null;
}

export interface Program extends Seen {
  readonly findings: readonly Finding[];
}

interface Inventory {
  readonly programs: readonly Program[];
  /** Processes that this user may not look at, in words. */
  readonly hidden: string | undefined;
}

export const LOOKS = 3;
export const PAUSE = 150; // milliseconds

/**
 * Programs go on meanwhile: a launch under way, a keeper that covers again, and a program about to end
 * look like findings. So whoever has any is looked at again, and only what all looks find counts; who is missed
 * by the last of them has ended.
 * asked: the kinds of finding that are worth another look; undefined: all.
 */
export async function takeInventory(isThorough: boolean, asked?: readonly string[]): Promise<Inventory> {
  const { found, hidden } = findPrograms();
  let programs = await judge(found, isThorough);
  const isDoubtful = ({ findings }: Program) =>
    findings.some(({ kind }) => asked?.includes(kind) ?? true) && !isUnanswered(findings);
  for (let looks = 1; looks < LOOKS && programs.some(isDoubtful); looks++) {
    await Bun.sleep(PAUSE);
    const doubtful = programs.filter(isDoubtful);
    const isAsked = (found: Found) => doubtful.some((one) => isSame(one, found));
    const again = await judge(findPrograms().found.filter(isAsked), isThorough);
    programs = programs.flatMap((one): Program[] => {
      if (!doubtful.includes(one)) return [one];
      const now = again.find((found) => isSame(found, one));
      if (now === undefined) return looks + 1 < LOOKS ? [one] : [];
      const before = one.findings.map(({ kind }) => kind);
      return [{ ...now, findings: now.findings.filter(({ kind }) => before.includes(kind)) }];
    });
  }
  return { programs: programs.sort((a, b) => a.process.pid - b.process.pid), hidden };
}

/** Its eldest process can be another one now. */
export function isSame(a: Found, b: Found): boolean {
  return a.mounts === b.mounts;
}

async function judge(found: readonly Found[], isThorough: boolean): Promise<Program[]> {
  const answers = await lookInside(
    found.map(({ process, keeper, covers, plannedNetns }) => ({
      process,
      within: keeper ?? process,
      netns: plannedNetns,
      covers: covers.flatMap((cover) => {
        const source = cover.isOnHost ? meantBy(cover) : undefined;
        return source === undefined ? [] : [{ source, target: cover.target }];
      }),
      covered: covers.map(({ target }) => target),
      hasOwnDns: covers.some(({ source }) => source === OWN_DNS),
      isThorough,
    })),
  );
  return found.flatMap((one, i): Program[] => {
    const seen = answers[i];
    if (seen === null || !isStill(one.process)) return []; // it has ended meanwhile
    const isLost = seen?.files.some(({ isSeen }) => !isSeen) ?? false;
    if (!isMarked(one) && !isLost) return [];
    const program = { ...one, seen: seen ?? null };
    return [{ ...program, findings: findingsOf(program) }];
  });
}

/** Stops nothing, and waits for nothing. */
function findPrograms() {
  const { byMounts, hidden } = pass();
  const host = new Table(hostTable());
  const hosts = [namespaceOf(1, "mnt"), namespaceOf("self", "mnt")];
  const hostNetns = namespaceOf(1, "net");
  const names = host.namespaces();
  const found: Found[] = [];
  for (const [mounts, members] of byMounts) {
    if (hosts.includes(mounts)) continue;
    const one = findIn(members, mounts, host, names, hostNetns);
    if (one !== undefined) found.push(one);
  }
  return { found, hidden };
}

function findIn(
  members: readonly number[],
  mounts: number,
  host: Table,
  names: ReadonlyMap<number, string>,
  hostNetns: unknown,
): Found | undefined {
  // Each cheap question first: most mount namespaces are those of containers and services; and in those of
  // his own a user can have a hundred thousand mounts each.
  if (!members.some(isLaunched)) return undefined;
  const text = firstTable(members);
  if (text === "") return undefined;
  const first = new Table(text);
  if (!hasRootOf(host, first) && coversIn(first, host, true).length === 0) return undefined;
  const processes = members.map(look).filter((one) => one !== undefined);
  const keepers = processes.filter(isKeeper);
  const keeper = keepers.sort(byStart)[0];
  const others = processes.filter((one) => !keepers.includes(one)).sort(byStart);
  const process = others.find(({ pid }) => keeper !== undefined && pid === keptBy(keeper)) ?? others[0];
  if (process === undefined) return undefined;
  const table = new Table(tableOf(keeper ?? process) || text);
  const covers = coversIn(table, host, keeper !== undefined);
  const [netns, mountsNow] = (["net", "mnt"] as const).map((kind) => shownNamespace(process, kind));
  if (netns === undefined || mountsNow !== mounts) return undefined;
  const netnsName = names.get(netns);
  const isDetached = covers.length === 0 && netnsName !== undefined && netns !== hostNetns;
  const bare = keeper === undefined ? bareDirectories(host, table, covers) : [];
  if (!isMarked({ covers, keeper, bare }) && !(isDetached && hasRootOf(host, table))) return undefined;
  const isUntold = covers.every(({ source }) => source === OWN_DNS); // also where there is none
  const plannedNetns = covers.map(({ source }) => netnsOf(source)).find((name) => name !== undefined);
  return {
    ...{ process, keeper, mounts, netns, netnsName, covers, bare },
    isHostNetns: netns === hostNetns,
    plannedNetns: plannedNetns ?? (isUntold ? netnsName : undefined),
    apart: apartFrom(host, table),
  };
}

/** Its inode, of a process that could be looked at before. Throws Refusal. */
function shownNamespace({ pid }: Process, kind: "net" | "mnt"): number | undefined {
  const inode = namespaceOf(pid, kind);
  if (inode === "hidden") throw cannot("look at", `/proc/${pid}/ns/${kind}`, "EACCES");
  return inode;
}

/** By nspin, which has left its marks. */
function isMarked({ covers, keeper, bare }: Pick<Found, "covers" | "keeper" | "bare">): boolean {
  return covers.length > 0 || keeper !== undefined || bare.length > 0;
}

/** It can have been started by nspin, or is a keeper: of root's, as his mount namespace is. */
function isLaunched(pid: number): boolean {
  const process = look(pid);
  return process !== undefined && (isOwn(process) || isKeeper(process));
}

function firstTable(members: readonly number[]): string {
  for (const pid of members) {
    const process = look(pid);
    const text = process === undefined ? "" : tableOf(process);
    if (text !== "") return text;
  }
  return "";
}

const tableOf = ({ at }: Process) => read(`${at}/mountinfo`);

function byStart(a: Process, b: Process): number {
  return a.start - b.start || a.pid - b.pid;
}
