// What takes place just when a launch makes one system call.
import { expect } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { until } from "../kit/until.ts";
import { compile } from "./compile.ts";
import { start } from "./start.ts";

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
  const launch = start([...strace, "-e", `inject=${call}:delay_enter=3s`, ...command]);
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
