// The compiled binary, as a user starts it.
import { expect } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { until } from "../host.ts";

export const NSPIN = resolve(import.meta.dir, "../../dist/nspin");

if (process.getuid?.() !== 0) throw new Error("test/root needs root, in a container: npm test");

/** One sequence, by whichever it is entered. */
export const entries = ["nsenter", "setns", "launcher"] as const;
export type Entry = (typeof entries)[number];

/** The words that start a program with run's options; a launcher for them is baked. */
export function enterBy(entry: Entry, options: readonly string[]): string[] {
  if (entry !== "launcher") return [NSPIN, "run", "--enter", entry, ...options, "--"];
  mkdirSync("/opt/launchers", { recursive: true }); // out of the way of what tests do to /tmp
  const file = join(mkdtempSync("/opt/launchers/"), "launcher");
  const { success, stderr } = Bun.spawnSync([NSPIN, "bake", ...options, "-o", file]);
  if (!success) throw new Error(stderr.toString());
  return [file];
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

/** HELLO and WORLD in a directory of their own. */
export function files() {
  const directory = mkdtempSync("/tmp/nspin-test-");
  const hello = join(directory, "HELLO");
  const world = join(directory, "WORLD");
  writeFileSync(hello, "HELLO\n");
  writeFileSync(world, "WORLD\n");
  mkdirSync(join(directory, "dir"));
  return { directory, hello, world };
}

/** A program of this directory, in C: the path of it, compiled. */
export function compile(name: string): string {
  const file = `/tmp/nspin-${name}`;
  if (existsSync(file)) return file;
  const cc = ["cc", "-Wall", "-Wextra", "-Werror", "-Os", "-static", "-o", file, `test/root/${name}.c`];
  const { success, stderr } = Bun.spawnSync(cc);
  if (!success) throw new Error(stderr.toString());
  return file;
}

/**
 * Starts a launcher once for each system call that it makes, or each stepth;
 * just before that call, and where asked the calls after it, the shell does
 * hook: see interrupt.c.
 */
export async function* atEachCall(
  hook: string,
  launcher: string[],
  step = 1,
  after: readonly number[] = [0],
) {
  const interrupt = compile("interrupt");
  for (let call = 1; ; call += step) {
    const calls = after.map((offset) => call + offset).join(",");
    const seen = await start([interrupt, calls, hook, ...launcher]);
    if (seen.status === 99) return;
    yield { call, ...seen };
  }
}

/** Delays a command before a system call, "CALL:when=N", and does something meanwhile; more: what strace shall. */
export async function delayed(
  call: string,
  command: string[],
  act: () => Promise<unknown>,
  more: string[] = [],
) {
  const trace = `${mkdtempSync("/tmp/nspin-delayed-")}/trace`;
  const [name] = call.split(":") as [string];
  const strace = ["strace", "-f", "-qq", "-o", trace, "-e", `trace=${name},unshare`, ...more];
  const launch = start([...strace, "-e", `inject=${call}:delay_enter=1s`, ...command]);
  await until(async () => readFileSync(trace, "utf8").includes(`${name}(`));
  await act();
  expect(readFileSync(trace, "utf8")).not.toMatch(new RegExp(`${name}.* = `)); // it was soon enough
  return await launch;
}

/**
 * Stops a command at the end of a system call, "CALL[:error=E]:when=N", does
 * something, and lets it go on. What strace saw of that call comes with it.
 */
export async function stopped(call: string, command: string[], act: () => Promise<unknown>) {
  const trace = `${mkdtempSync("/tmp/nspin-stopped-")}/trace`;
  const strace = ["strace", "-f", "-qq", "-o", trace, "-e", `trace=${call.split(":")[0]}`];
  const launch = start([...strace, "-e", `inject=${call}:signal=SIGSTOP`, ...command]);
  let pid = 0;
  await until(async () => {
    pid = Number(/^(\d+) +--- stopped by SIGSTOP/m.exec(readFileSync(trace, "utf8"))?.[1]);
    return pid > 0;
  });
  try {
    await act();
  } finally {
    process.kill(pid, "SIGCONT");
  }
  return { ...(await launch), calls: readFileSync(trace, "utf8") };
}
