// ffi/launch.h and what else both halves share -> src/contract.ts and the README's table of decisions, expanded
// by the compiler itself. With --check: fail where a file is not what it says.
const EXPAND = `
#include "ffi/launch.h"
#include "ffi/launcher/image.h"
#define FIELD(name, meaning) [#name, meaning],
#define STEP(name, when, verb, object) [#name, #when, verb, #object],
#define METHOD(name, bit) [#name, bit],
#define RULE(name, asked, when, act, why) [#name, #asked, #when, #act, why],
{"plan": IMAGE_PLAN, "magic": IMAGE_MAGIC, "digest": IMAGE_DIGEST, "launch": [LAUNCH_FIELDS(FIELD) 0], "cover": [COVER_FIELDS(FIELD) 0], "steps": [LAUNCH_STEPS(STEP) 0],
 "methods": [METHODS(METHOD) 0], "decisions": [DECISIONS(RULE) 0], "conditions": [CONDITIONS(FIELD) 0]}
`;

type Row = [string, string, string, string, string];
type Lists = Record<"launch" | "cover" | "steps" | "methods" | "decisions" | "conditions", Row[]>;

const cc = Bun.spawnSync([process.env.CC ?? "cc", "-E", "-P", "-xc", "-I.", "-"], {
  stdin: Buffer.from(EXPAND),
});
if (!cc.success) throw new Error(`cannot expand ffi/launch.h: ${cc.stderr}`);
const expanded = cc.stdout.toString().slice(cc.stdout.lastIndexOf('{"plan"'));
const lists: Lists & { plan: number; magic: string; digest: number } = JSON.parse(
  expanded.replaceAll(/, ?0\]/g, "]").replaceAll(/0x[0-9a-f]+/g, (hex) => String(Number(hex))),
);

const rows = (list: Row[], show: (row: Row) => string) => list.map((row) => `  ${show(row)},\n`).join("");
const text = `// GENERATED from ffi/launch.h by build/contract.ts. Do not edit.

/** A launcher's file, ffi/launcher/image.h. */
export const IMAGE = { plan: ${lists.plan}, magic: "${lists.magic}", digest: ${lists.digest} } as const;

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

/** What --method takes; the bit stands for it in struct launch. */
export const METHODS = {
${rows(lists.methods, ([name, bit]) => `${name.toLowerCase()}: ${bit}`)}} as const;

/** How a target is covered, the first row that fits; decision N is DECISIONS[N - 1]. */
export const DECISIONS = [
${rows(
  lists.decisions,
  ([name, asked, when, act, why]) =>
    `{ name: "${name}", asked: ${JSON.stringify(asked.toLowerCase().split(" | "))}, when: "${when}", act: "${act}", why: "${why}" }`,
)}] as const;

/** When a row fits. */
export const CONDITIONS = {
${rows(lists.conditions, ([name, meaning]) => `${name}: ${JSON.stringify(meaning)}`)}} as const;
`;

const conditions = new Map(lists.conditions.map(([name, meaning]) => [name, meaning]));
const decisions = lists.decisions
  .filter(([, , , act]) => act !== "UNKNOWN")
  .map(([, asked, when, act, why]) => {
    const methods = asked.toLowerCase().replaceAll(" | ", ", ");
    return `| ${methods} | ${conditions.get(when)} | ${act.toLowerCase()} | ${why} |\n`;
  });
const table = `| asked for | where | does | because |\n|---|---|---|---|\n${decisions.join("")}`;
const marks = /(<!-- decisions: .* -->\n)[^<]*(<!-- end -->)/;
const readme = await Bun.file("README.md").text();
if (!marks.test(readme)) throw new Error("README.md has no place for the table of decisions");

const files = { "src/contract.ts": text, "README.md": readme.replace(marks, `$1${table}$2`) };
for (const [file, wanted] of Object.entries(files)) {
  if (!process.argv.includes("--check")) await Bun.write(file, wanted);
  else if ((await Bun.file(file).text()) !== wanted) {
    throw new Error(`${file} is not what ffi/launch.h says; run: npm run contract`);
  }
}

export {};
