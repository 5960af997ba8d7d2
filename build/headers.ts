// What TypeScript knows of the C headers, by the compiler itself: the X-macro lists of ffi/contract.h, ffi/errors.h and
// ffi/launcher/image.h, expanded, and what it makes of an expression.
const EXPAND = `
#include "ffi/errors.h"
#include "ffi/contract.h"
#include "ffi/launcher/image.h"
#define FIELD(name, meaning) [#name, meaning],
#define SAME ""
#define STEP(name, fails, object, does) [#name, fails, #object, does],
#define METHOD(name, bit) [#name, bit],
#define RULE(name, asked, when, act, why) [#name, #asked, #when, #act, why],
#define ERROR(name, text) [#name, text],
#define HINT(step, error, when, text) [#step, #error, #when, text],
#define STATUS(name, status) [#name, #status],
{"plan": IMAGE_PLAN, "magic": IMAGE_MAGIC, "digest": IMAGE_DIGEST, "launch": [LAUNCH_FIELDS(FIELD) 0], "cover": [COVER_FIELDS(FIELD) 0], "steps": [LAUNCH_STEPS(STEP) 0],
 "methods": [METHODS(METHOD) 0], "extras": [EXTRAS(METHOD) 0], "ownDns": [OWN_DNS_TARGETS(FIELD) 0], "decisions": [DECISIONS(RULE) 0], "conditions": [CONDITIONS(FIELD) 0],
 "errors": [ERRORS(ERROR) 0], "commandErrors": [COMMAND_ERRORS(ERROR) 0], "hints": [HINTS(HINT) 0], "commandHints": [COMMAND_HINTS(HINT) 0], "launcherHints": [LAUNCHER_HINTS(HINT) 0], "sentences": [SENTENCES(FIELD) 0], "statuses": [STATUSES(STATUS) 0]}
`;

export type Row = [string, string, string, string, string];
type Name = "launch" | "cover" | "steps" | "methods" | "extras" | "ownDns" | "decisions" | "conditions";
type Lists = Record<
  Name | "errors" | "commandErrors" | "hints" | "commandHints" | "launcherHints" | "sentences" | "statuses",
  Row[]
>;

export function preprocess(source: string, ...options: string[]): string {
  return compile(source, "-E", "-P", ...options);
}

function compile(source: string, ...options: string[]): string {
  const words = [process.env.CC ?? "cc", ...options, "-xc", "-I.", "-o-", "-"];
  const { success, stdout, stderr } = Bun.spawnSync(words, { stdin: Buffer.from(source) });
  if (!success) throw new Error(`cannot compile the headers: ${stderr}`);
  return stdout.toString();
}

/** The value of each expression, which is a constant: as an operand in the assembly, by which the kernel's asm-offsets.c has it. */
export function valuesOf(headers: readonly string[], expressions: readonly string[]): number[] {
  const source = [
    ...headers.map((header) => `#include "${header}"`),
    "void values(void) {",
    ...expressions.map((expression) => `__asm__(".ascii \\"value: %c0\\"" : : "i"(${expression}));`),
    "}",
  ];
  const values = compile(source.join("\n"), "-S").matchAll(/"value: (\d+)"/g);
  return values.map(([, value]) => Number(value)).toArray();
}

const expanded = preprocess(EXPAND);
export const lists: Lists & { plan: number; magic: string; digest: number } = JSON.parse(
  expanded
    .slice(expanded.lastIndexOf('{"plan"'))
    .replaceAll(/"\s+"/g, "") // one text in two literals
    .replaceAll(/, ?0\]/g, "]")
    .replaceAll(/0x[0-9a-f]+/g, (hex) => String(Number(hex))),
);
