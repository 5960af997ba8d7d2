// ffi/contract.h and what else both halves share -> src/contract.ts and the table of decisions of docs/how-it-works.md, expanded
// by the compiler itself. With --check: fail where a file is not what it says.
import { lists, preprocess, type Row, valuesOf } from "./headers.ts";

const CAPABILITIES = "#include <linux/capability.h>\n";

/** By their numbers, which have no gap. */
const capabilities = preprocess(CAPABILITIES, "-dM")
  .matchAll(/^#define CAP_(\w+) (\d+)$/gm)
  .toArray()
  .map(([, name, number]) => ({ name, number: Number(number) }))
  .sort((a, b) => a.number - b.number);
if (capabilities.length === 0 || capabilities.some(({ number }, i) => number !== i))
  throw new Error("<linux/capability.h> does not number the capabilities from 0 on");

const [environment, aside, keeper, ofOwnDns, netnsOnly, netnsAndEtc] = valuesOf(
  ["ffi/sequence.h", "ffi/aside.h"],
  [
    "__builtin_offsetof(struct record, environment)",
    "__builtin_offsetof(struct record, aside)",
    "ASIDE_KEEPER",
    "OF_OWN_DNS",
    "NETNS_ONLY",
    "NETNS_AND_ETC",
  ],
);

const rows = (list: Row[], show: (row: Row) => string) => list.map((row) => `  ${show(row)},\n`).join("");
const text = `// GENERATED from the headers of ffi/ and <linux/capability.h> by build/contract.ts. Do not edit.

/** A launcher's file, ffi/launcher/image.h. */
export const LAUNCHER_FILE = { plan: ${lists.plan}, magic: "${lists.magic}", digest: ${lists.digest} } as const;

/** struct launch: every field a u64. */
export const LAUNCH_FIELDS = [
${rows(lists.launch, ([name, meaning]) => `/** ${meaning} */\n  ${JSON.stringify(name)}`)}] as const;

/** struct cover. */
export const COVER_FIELDS = [
${rows(lists.cover, ([name, meaning]) => `/** ${meaning} */\n  ${JSON.stringify(name)}`)}] as const;

/** struct cover's is_entry: of --own-dns. */
export const OF_OWN_DNS = ${ofOwnDns};

/** What of a launch its launcher's first argument names, struct launch's netns_argument. */
export const NETNS_ARGUMENTS = { netns: ${netnsOnly}, etc: ${netnsAndEtc} } as const;

/** Where struct record has a pointer, ffi/started.h. */
export const RECORD = { environment: ${environment}, aside: ${aside} } as const;

/** What aside() can be asked for, ffi/aside.h. */
export const ASIDE_KEEPER = ${keeper};

/** The pinned sequence; step N is STEPS[N - 1]. What it does, as a dry run says it. */
export const STEPS = [
${rows(
  lists.steps,
  ([name, fails, object, does]) =>
    `{ name: "${name}", does: ${JSON.stringify(does || fails)}, object: "${object}" }`,
)}] as const;

/** What --method takes; the bit stands for it in struct launch. */
export const METHODS = {
${rows(lists.methods, ([name, bit]) => `${name.toLowerCase()}: ${bit}`)}} as const;

/** What few launches ask for, by its option; the bit stands for it in struct launch. */
export const EXTRAS = {
${rows(lists.extras, ([name, bit]) => `"${name.toLowerCase().replace("_", "-")}": ${bit}`)}} as const;

/** What --own-dns covers, where it is there. */
export const OWN_DNS_TARGETS = [
${rows(lists.ownDns, ([, path]) => JSON.stringify(path))}] as const;

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

/** What an error number says, by its name, as strerror(3) has it. */
export const ERRORS = {
${rows([...lists.errors, ...lists.commandErrors], ([name, text]) => `${name}: ${JSON.stringify(text)}`)}} as const;

/** What to say where a step fails and the error alone misleads; the first row that fits. */
export const HINTS = [
${rows(
  [...lists.hints, ...lists.commandHints],
  ([step, error, when, hint]) =>
    `{ step: "${step}", error: "${error}", when: "${when}", hint: ${JSON.stringify(hint)} }`,
)}] as const;

/** nspin's own exit statuses. */
export const STATUSES = {
${rows(lists.statuses, ([name, status]) => `${name}: ${status}`)}} as const;

/** capabilities(7), each by its number. */
export const CAPABILITIES = [
${rows(
  capabilities.map(({ name }) => [name] as unknown as Row),
  ([name]) => JSON.stringify(name),
)}] as const;
`;

const conditions = new Map(lists.conditions.map(([name, meaning]) => [name, meaning]));
const decisions = lists.decisions
  .filter(([, , , act]) => act !== "UNKNOWN")
  .map(([, asked, when, act, why]) => {
    const methods = asked.toLowerCase().replaceAll(" | ", ", ").replace("static", "auto `--no-keep`");
    return `| ${methods} | ${conditions.get(when)} | ${act.toLowerCase()} | ${why} |\n`;
  });
const table = `| asked for | where | does | because |\n|---|---|---|---|\n${decisions.join("")}`;
const marks = /(<!-- decisions: .* -->\n)[^<]*(<!-- end -->)/;
const DECISIONS = "docs/how-it-works.md";
const page = await Bun.file(DECISIONS).text();
if (!marks.test(page)) throw new Error(`${DECISIONS} has no place for the table of decisions`);

const files = { "src/contract.ts": text, [DECISIONS]: page.replace(marks, `$1${table}$2`) };
for (const [file, wanted] of Object.entries(files)) {
  if (!process.argv.includes("--check")) await Bun.write(file, wanted);
  else if ((await Bun.file(file).text()) !== wanted) {
    throw new Error(`${file} is not what the headers say; run: npm run contract`);
  }
}
