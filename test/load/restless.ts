// A host that does not keep still, in a mount namespace of its own whose / is
// shared. What it does to its files and mounts are processes of their own, so that
// all take place at once.
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { $ } from "bun";
import { mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { ownResolvConf } from "../kit/own-etc.ts";

export const ID = "nspin-soak";
export const NETNS = `/run/netns/${ID}`;
export const FILE = "/etc/resolv.conf";
/** What this directory's programs are compiled to, and launchers baked to. */
export const BIN = "/run/bin";
/** What every task's file begins with, and no file of the host's. */
const TASK_TEXT = "nameserver 10.0.0.";
/** Another file of the host's that can be covered, a link, and by what. */
export const SECOND = { target: "/run/second/link", source: "/etc/netns/second" };

const SOURCE = `/etc/netns/${ID}/resolv.conf`;
const LEADS_TO = "/run/systemd/resolve/resolv.conf";
const HOST_TEXT = "nameserver 192.0.2.";
const PAUSE_US = { mount: "500", rename: "2000" };
const PIN_PAUSE_MS = 10;

export type Kind = "link" | "plain";

/** Begins at once. Returns how to end it, which says how often it took place. */
export type Action = () => () => Promise<string>;

/** With a link. Makes the programs of this directory, too. */
export async function makeHost(): Promise<void> {
  await ownResolvConf(LEADS_TO);
  await $`mount -t tmpfs tmp /tmp`;
  await $`ip netns add ${ID} && mkdir -p ${BIN} /etc/netns/${ID} /etc/storm /run/storm /run/second`;
  await $`mount -t tmpfs second /run/second`;
  symlinkSync(LEADS_TO, SECOND.target);
  for (const [file, text] of [
    [LEADS_TO, HOST_TEXT],
    [SOURCE, TASK_TEXT],
    [SECOND.source, TASK_TEXT],
  ] as const)
    writeFileSync(file, `${text}1\n`);
  const cc = ["cc", "-Os", "-Wall", "-Wextra", "-Werror"];
  for (const name of ["launches", "storm", "renames"]) {
    await $`${cc} -o ${BIN}/${name} ${import.meta.dir}/${name}.c`;
  }
  const alone = ["-ffreestanding", "-nostdlib", "-static", "-fno-stack-protector", "-mgeneral-regs-only"];
  const seen = [...alone, `-DTASK=${JSON.stringify(TASK_TEXT)}`, `${import.meta.dir}/seen.c`];
  await $`${cc} ${seen} -o ${BIN}/seen`;
  await $`${cc} ${seen} -DPATIENCE=200 -o ${BIN}/seen-again`;
}

export function makeKind(kind: Kind): void {
  rmSync(FILE);
  if (kind === "link") symlinkSync(LEADS_TO, FILE);
  else writeFileSync(FILE, `${HOST_TEXT}1\n`);
}

export function hasOwnFile(): boolean {
  try {
    return readFileSync(FILE, "utf8").startsWith(HOST_TEXT);
  } catch {
    return false;
  }
}

export const mountsInEtc: Action = () => mounts(...eight("/etc/storm"));
export const mountsElsewhere: Action = () => mounts(...eight("/run/storm"));
/** Over the mount that holds SECOND.target. */
export const mountsOverSecond: Action = () => mounts(dirname(SECOND.target));
export const replacesSource: Action = () => renames("the source", SOURCE, "/etc/netns/new", TASK_TEXT);
export const replacesWhatItLeadsTo: Action = () =>
  renames("what the link leads to", LEADS_TO, `${LEADS_TO}.new`, HOST_TEXT);
export const replacesLink: Action = () => renames("the link", FILE, `${FILE}.new`);
export const replacesFile: Action = () => renames("the file", FILE, `${FILE}.new`, HOST_TEXT);
/** Refused where a program relies on the pin. */
export const unpins: Action = () => pins([]);
export const unpinsByForce: Action = () => pins(["--force"]);

/** Of a line of mountinfo. */
export function pointOf(line: string): string {
  return line.split(" ")[4] ?? "";
}

function eight(directory: string): string[] {
  return Array.from({ length: 8 }, (_, i) => `${directory}/${i}`);
}

function mounts(...points: string[]) {
  const storm = Bun.spawn([`${BIN}/storm`, PAUSE_US.mount, ...points]);
  return async () => {
    storm.kill();
    await storm.exited;
    // Only where the last change was a mount of its own.
    const isStorm = (line: string) => line.includes(" - tmpfs storm ") && points.includes(pointOf(line));
    for (const line of mountTable().filter(isStorm)) await $`umount -l ${pointOf(line)}`;
    return `mounted and unmounted on ${points[0]}${points.length > 1 ? ", ..." : ""}`;
  };
}

function renames(what: string, file: string, temporary: string, ...text: string[]) {
  const words = [file, temporary, PAUSE_US.rename, ...text];
  const child = Bun.spawn([`${BIN}/renames`, ...words], { stdout: "pipe", stderr: "inherit" });
  return async () => {
    child.kill("SIGTERM");
    const [counts, status] = await Promise.all([child.stdout.text(), child.exited]);
    if (status !== 0) throw new Error(`renames ${words.join(" ")}: ${status}`);
    const [done, refused] = counts.trim().split(" ");
    return `replaced ${what} ${done} times, was refused ${refused} times`;
  };
}

function pins(flags: string[]) {
  const done = { pinned: 0, unpinned: 0, refused: 0 };
  let isOver = false;
  const loop = (async () => {
    while (!isOver) {
      if ((await status("run", "--netns", ID, "--method", "pin", "--", "/bin/true")) === 0) done.pinned++;
      await Bun.sleep(PIN_PAUSE_MS);
      const isUnpinned = (await status("unpin", ...flags, FILE)) === 0;
      isUnpinned ? done.unpinned++ : done.refused++;
      await Bun.sleep(PIN_PAUSE_MS);
    }
  })();
  return async () => {
    isOver = true;
    await loop;
    const words = ["nspin unpin", ...flags].join(" ");
    return `pinned ${done.pinned} times; ${words}: done ${done.unpinned} times, refused ${done.refused} times`;
  };
}

function status(...words: string[]): Promise<number> {
  return Bun.spawn([NSPIN, ...words], { stdio: ["ignore", "ignore", "ignore"] }).exited;
}
