// The compiled binary, as a user starts it.
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { NSPIN } from "../kit/nspin.ts";

if (process.getuid?.() !== 0) throw new Error("test/root needs root, in a container: npm test");

/** One sequence, by whichever it is entered. */
export const entries = ["nsenter", "setns", "launcher"] as const;
export type Entry = (typeof entries)[number];

/** The words that start a program with run's options; a launcher for them is baked. */
export function enterBy(entry: Entry, options: readonly string[]): string[] {
  if (entry !== "launcher") return [NSPIN, "run", "--enter", entry, ...options, "--"];
  mkdirSync("/opt/launchers", { recursive: true }); // out of the way of what tests do to /tmp
  const file = join(mkdtempSync("/opt/launchers/"), "launcher");
  const { success, stderr } = Bun.spawnSync([NSPIN, "bake", "-o", file, ...options]);
  if (!success) throw new Error(stderr.toString());
  return [file];
}

/** What a command is started by: a user without any privilege. */
export const AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/** Or root, without that capability, as by CapabilityBoundingSet=. */
export function without(capability: string): string[] {
  return ["setpriv", `--bounding-set=-${capability}`, `--inh-caps=-${capability}`];
}

export async function nspin(words: string[], options: { env?: Record<string, string>; cwd?: string } = {}) {
  return await start([NSPIN, ...words], options);
}

export async function start(command: string[], options: { env?: Record<string, string>; cwd?: string } = {}) {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", ...options });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { pid: child.pid, stdout, stderr, status };
}
