import { Refusal } from "./errors.ts";
import { failure } from "./system-error.ts";

/** This program: what lies at its path by now can be another version, after an upgrade, or nothing. */
export const SELF = "/proc/self/exe";

const NO_PROCESS =
  "no process can be made here: pids.max of its cgroup (in a unit TasksMax=), or RLIMIT_NPROC";

/** A command of it, in a process that may hang or be killed. Throws Refusal. */
export function startSelf<In extends Bun.SpawnOptions.Writable, Out extends Bun.SpawnOptions.Readable>(
  words: readonly [string, ...string[]],
  streams: { readonly stdin: In; readonly stdout: Out },
) {
  try {
    return Bun.spawn([SELF, ...words], { ...streams, stderr: "inherit" });
  } catch (error) {
    throw cannotStart([SELF, ...words], error);
  }
}

/** Undefined: it takes more than so many milliseconds. */
export async function inTime<Result>(
  promised: Promise<Result>,
  milliseconds: number,
): Promise<Result | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, milliseconds, undefined);
  try {
    return await Promise.race([promised, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a spawn has thrown, as a Refusal. */
export function cannotStart([program, command]: readonly string[], error: unknown): Refusal {
  const name = program === SELF ? `'nspin ${command}'` : program;
  const { message } = failure("start", `${name}`, error) as Error;
  return new Refusal(message, (error as NodeJS.ErrnoException).code === "EAGAIN" ? NO_PROCESS : undefined);
}
