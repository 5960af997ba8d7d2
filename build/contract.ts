// ffi/launch.h -> src/contract.ts, expanded by the compiler itself. With
// --check: fail where the file in the tree is not what the header says.
const EXPAND = `
#include "ffi/launch.h"
#define FIELD(name, meaning) [#name, meaning],
#define STEP(name, when, verb, object) [#name, #when, verb, #object],
{"launch": [LAUNCH_FIELDS(FIELD) 0], "cover": [COVER_FIELDS(FIELD) 0], "steps": [LAUNCH_STEPS(STEP) 0]}
`;
const FILE = "src/contract.ts";

const cc = Bun.spawnSync([process.env.CC ?? "cc", "-E", "-P", "-xc", "-I.", "-"], {
  stdin: Buffer.from(EXPAND),
});
if (!cc.success) throw new Error(`cannot expand ffi/launch.h: ${cc.stderr}`);
const lists: { launch: Row[]; cover: Row[]; steps: Row[] } = JSON.parse(
  cc.stdout.toString().replaceAll(/, ?0\]/g, "]"),
);
type Row = [string, string, string, string];

const rows = (list: Row[], show: (row: Row) => string) => list.map((row) => `  ${show(row)},\n`).join("");
const text = `// GENERATED from ffi/launch.h by build/contract.ts. Do not edit.

/** struct launch: every field a u64. */
export const LAUNCH_FIELDS = [
${rows(lists.launch, ([name, meaning]) => `/** ${meaning} */\n  ${JSON.stringify(name)}`)}] as const;

/** struct cover. */
export const COVER_FIELDS = [
${rows(lists.cover, ([name, meaning]) => `/** ${meaning} */\n  ${JSON.stringify(name)}`)}] as const;

/** The pinned sequence; step N is STEPS[N - 1]. */
export const STEPS = [
${rows(
  lists.steps,
  ([name, when, verb, object]) =>
    `{ name: "${name}", when: "${when}", verb: "${verb}", object: "${object}" }`,
)}] as const;
`;

if (process.argv.includes("--check")) {
  if ((await Bun.file(FILE).text()) !== text) {
    console.error(`${FILE} is not what ffi/launch.h says; run: bun build/contract.ts`);
    process.exit(1);
  }
} else {
  await Bun.write(FILE, text);
}

export {};
