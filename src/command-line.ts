// The words that execve(2) was given, byte for byte: JavaScript's own have what is not UTF-8 replaced.

/** node:fs by a call, as importing it takes 1.5 ms of a launch, which does not come here. */
export function commandLine(): Buffer[] {
  const line = process.getBuiltinModule("node:fs").readFileSync("/proc/self/cmdline");
  const words: Buffer[] = [];
  for (let at = 0; at < line.length; at += (words.at(-1)?.length ?? 0) + 1)
    words.push(line.subarray(at, line.indexOf(0, at)));
  return words;
}

/** How many there are more than in the binary: from source, `bun src/main.ts` is in argv[0]'s place. */
export function wordsOfRuntime(): number {
  const ours = process.argv.length - 2;
  const argv0 = 1;
  return commandLine().length - argv0 - ours;
}
