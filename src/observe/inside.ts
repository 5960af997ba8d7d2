// What a program sees: looked at from within its namespaces, in a process of its own, since a file system
// in there can hang whoever asks it for anything, beyond the reach of any signal.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
  writeSync,
} from "node:fs";
import { OWN_DNS_TARGETS } from "../contract.ts";
import { Refusal } from "../errors.ts";
import { loadLibc } from "../libc.ts";
import { addressOf } from "../library.ts";
import { type PastTheFile, pastTheFile } from "../past-the-file.ts";
import { attempt, statusOf } from "../system-error.ts";
import { OWN_DNS } from "./covers.ts";
import { isStill, type Kind, list, openNamespace, type Process } from "./processes.ts";
import { setns } from "./setns.ts";

export interface Question {
  readonly process: Process;
  /** Who is in its mount namespace, and has its root there: the keeper, or the program. */
  readonly within: Process;
  /** Of the network namespace; whose files in /etc/netns cover their namesakes. */
  readonly netns: string | undefined;
  /** By a path that leads to their source. */
  readonly covers: readonly { readonly source: string; readonly target: string }[];
  /** The targets of all covers. */
  readonly covered: readonly string[];
  /** One of these is of --own-dns, so it was started with that. */
  readonly hasOwnDns: boolean;
  /** Ask its own DNS servers, and look for what goes past the file. */
  readonly isThorough: boolean;
}

export interface Answer {
  /** Of resolv.conf; undefined: it sees none. */
  readonly servers: readonly string[] | undefined;
  /** What it shall see where, of covers, of /etc/netns and of --own-dns; and whether it does. */
  readonly files: readonly { readonly source: string; readonly target: string; readonly isSeen: boolean }[];
  /** Servers on its own loopback that do not answer. */
  readonly silent: readonly string[];
  /** Who answers for the host by a socket, whatever resolv.conf says. */
  readonly past: readonly PastTheFile[];
}

/** For each question one line, as it is known: an Answer, or null where the process has ended. Throws Refusal. */
export function answerAll(questions: readonly Question[]): void {
  const libc = loadLibc("unshare", "setns");
  const host = openSync("/proc/self/ns/mnt", "r");
  say("ready");
  for (const [i, question] of questions.entries()) {
    if (i > 0) setns(libc, host, "its own mount namespace again");
    const { process, within, isThorough } = question;
    const files: number[] = [];
    const open = (one: Process, kind: Kind) => {
      const file = openNamespace(one, kind);
      if (file !== undefined) files.push(file);
      return file;
    };
    try {
      const mounts = open(within, "mnt") ?? open(process, "mnt"); // a keeper can be killed at any moment
      const net = open(process, "net");
      const wanted = wantedFiles(question);
      if (mounts === undefined || net === undefined || !isStill(process))
        throw new Error(`process ${process.pid} has ended`);
      setns(libc, mounts, `the mount namespace of process ${process.pid}`);
      const seen = wanted.map(({ source, target, id }) => ({
        ...{ source, target },
        isSeen: id !== undefined && idOf(target) === id,
      }));
      const bare = question.hasOwnDns ? OWN_DNS_TARGETS.filter((target) => isBare(target, question)) : [];
      const lost = bare
        .filter((target) => !wanted.some((one) => one.target === target))
        .map((target) => ({ source: OWN_DNS, target, isSeen: false }));
      const servers = serversIn(contents("/etc/resolv.conf"));
      const past = isThorough ? pastTheFile([]) : [];
      if (isThorough) setns(libc, net, `the network namespace of process ${process.pid}`);
      const silent = isThorough
        ? asked(servers ?? [])
            .filter(isLoopback)
            .filter(isSilent)
        : [];
      say({ servers, files: [...seen, ...lost], silent, past } satisfies Answer);
    } catch (error) {
      if (error instanceof Refusal || !hasEnded(process)) throw error; // and not: a program less
      say(null);
    } finally {
      for (const file of files) closeSync(file);
    }
  }
}

/** Or will have in a moment: its namespaces go first. */
function hasEnded(process: Process): boolean {
  for (let looks = 0; looks < 20; looks++) {
    if (!isStill(process)) return true;
    Bun.sleepSync(5);
  }
  return false;
}

function say(what: unknown): void {
  attempt("answer", "the command that asks", undefined, () => writeSync(1, `${JSON.stringify(what)}\n`));
}

/** As the host has them now: a source that is missing has no id, and is seen by nobody. */
function wantedFiles({ covers, covered, netns }: Question) {
  const wanted = [...covers];
  for (const entry of netns === undefined ? [] : list(`/etc/netns/${netns}`)) {
    const target = `/etc/${entry}`;
    if (!covered.includes(target) && existsItself(target))
      wanted.push({ source: `/etc/netns/${netns}/${entry}`, target });
  }
  return wanted.map((one) => ({ ...one, id: idOf(one.source) }));
}

/** It is there, and nothing covers it; a link that leads to a directory is followed, ffi/aside/own-dns.c. */
function isBare(target: string, { covered }: Question): boolean {
  if (!existsItself(target)) return false;
  const at = statusOf(target)?.isDirectory() ? realpathSync(target) : target;
  return !covered.some((one) => at === one || at.startsWith(`${one}/`));
}

function existsItself(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function idOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** Of a regular file, at most so much. */
function contents(path: string): string | undefined {
  const bytes = Buffer.alloc(64 << 10);
  let fd = -1;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return fstatSync(fd).isFile() ? bytes.toString("utf8", 0, readSync(fd, bytes)) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

/** resolv.conf(5) */
function serversIn(text: string | undefined): string[] | undefined {
  return text
    ?.matchAll(/^nameserver[ \t]+(\S+)/gm)
    .map(([, server]) => server as string)
    .toArray();
}

/** By resolv.conf(5) the first three, MAXNS. */
function asked(servers: readonly string[]): readonly string[] {
  return servers.slice(0, 3);
}

function isLoopback(server: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(server) || server === "::1";
}

const PATIENCE = 1000; // milliseconds

/** Of the root's name servers, RFC 1035: any answer is one. */
function isSilent(server: string): boolean {
  const [AF_INET, AF_INET6, SOCK_DGRAM, SOCK_CLOEXEC, POLLIN] = [2, 10, 2, 0o2000000, 1];
  const query = Buffer.from([0x6e, 0x73, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]);
  const address = Buffer.alloc(28);
  const isSix = server === "::1";
  address.writeUInt16LE(isSix ? AF_INET6 : AF_INET, 0);
  address.writeUInt16BE(53, 2);
  if (isSix) address[23] = 1;
  else address.set(server.split(".").map(Number), 4);
  const libc = loadLibc("socket", "connect", "poll");
  const socket = libc.socket(isSix ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return true;
  try {
    if (libc.connect(socket, addressOf(address), isSix ? 28 : 16) !== 0) return true;
    writeSync(socket, query);
    const poll = Buffer.alloc(8);
    poll.writeInt32LE(socket, 0);
    poll.writeInt16LE(POLLIN, 4);
    if (libc.poll(addressOf(poll), 1, PATIENCE) !== 1) return true;
    return readSync(socket, Buffer.alloc(512)) <= 0; // where nobody listens: ECONNREFUSED
  } catch {
    return true;
  } finally {
    closeSync(socket);
  }
}
