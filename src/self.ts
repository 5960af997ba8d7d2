import { attempt } from "./system-error.ts";

/** This program: what lies at its path by now can be another version, after an upgrade, or nothing. */
export const SELF = "/proc/self/exe";

/** A command of it, in a process that may hang or be killed. Throws Refusal. */
export function startSelf<In extends Bun.SpawnOptions.Writable, Out extends Bun.SpawnOptions.Readable>(
  words: readonly [string, ...string[]],
  streams: { readonly stdin: In; readonly stdout: Out },
) {
  return attempt("start", `'nspin ${words[0]}'`, undefined, () =>
    Bun.spawn([SELF, ...words], { ...streams, stderr: "inherit" }),
  );
}
