// What the C says of a failure -> dist/texts.h, in half the bytes: pairs of bytes that
// are in the texts again and again are one byte each, none of ASCII's, and so are pairs
// of such (byte-pair encoding). ffi/report.c says them; they are ffi/contract.h's and errors.h's.
import { lists } from "./headers.ts";

const FILE = "dist/texts.h";
const FIRST_PAIR = 0x7f;
const CODES = Array.from({ length: 0x100 - FIRST_PAIR + 0x20 }, (_, i) => (FIRST_PAIR + i) & 0xff);

/** Each table's texts in the order of its rows; the C joins them, NUL-terminated. */
const tables = {
  VERBS: lists.steps.map(([, fails]) => fails),
  REASONS: lists.decisions.map(([, , , act, why]) => (act === "REFUSE" ? why : "")), // no other is said here
  ERRORS: lists.errors.map(([name, text]) => `${text} (${name})`),
  HINTS: onceInARow(lists.hints.map(([, , , text]) => text)),
  COMMAND_HINTS: lists.commandHints.map(([, , , text]) => text),
  METHODS: lists.methods.map(([name]) => name.toLowerCase()),
  SENTENCES: lists.sentences.map(([, text]) => text),
  LAUNCHER_HINTS: onceInARow(lists.launcherHints.map(([, , , text]) => text)),
};

/** Of rows with the same text the last one has it, the others an empty one. */
function onceInARow(all: readonly string[]): string[] {
  return all.map((text, i) => (text === all[i + 1] ? "" : text));
}

export async function texts(): Promise<void> {
  const all = Object.values(tables).flat();
  const odd = all.find((text) => !/^[ -~]*$/.test(text));
  if (odd !== undefined) throw new Error(`not plain ASCII: ${odd}`);
  const { pairs, coded } = encode(all.map((text) => [...Buffer.from(text)]));
  const rows = Object.entries(tables).map(([name, { length }]) => {
    const literals = coded.splice(0, length).map((codes) => `"${codes.map(octal).join("")}\\0"`);
    return `#define CODED_${name} \\\n  ${literals.join(" \\\n  ")}\n`;
  });
  const text = [
    "/* GENERATED from ffi/contract.h and ffi/errors.h by build/texts.ts. */\n",
    `enum { FIRST_PAIR = ${FIRST_PAIR} };\n`,
    `#define PAIRS \\\n  ${pairs.map(([a, b]) => `{${a}, ${b}},`).join(" \\\n  ")}\n`,
    ...rows,
  ].join("");
  if ((await Bun.file(FILE).exists()) && (await Bun.file(FILE).text()) === text) return;
  await Bun.write(FILE, text);
}

type Pair = readonly [number, number];

/** Makes the most frequent pair one code, again and again. */
function encode(coded: number[][]): { pairs: Pair[]; coded: number[][] } {
  const pairs = CODES.map((code) => {
    if (code === 0) return [0, 0] as const; // ends a text
    const pair = mostFrequent(coded);
    coded = coded.map((codes) => replace(codes, pair, code));
    return pair;
  });
  return { pairs, coded };
}

function mostFrequent(coded: number[][]): Pair {
  const counts = new Map<number, number>();
  for (const codes of coded)
    for (let i = 1; i < codes.length; i++) {
      const key = ((codes[i - 1] as number) << 8) | (codes[i] as number);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  const [key] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  return [key >> 8, key & 0xff];
}

function replace(codes: number[], [first, second]: Pair, code: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < codes.length; i++) {
    const isPair = codes[i] === first && codes[i + 1] === second;
    result.push(isPair ? code : (codes[i] as number));
    if (isPair) i++;
  }
  return result;
}

/** Three digits: what follows cannot be taken for a part of it. */
function octal(code: number): string {
  return `\\${code.toString(8).padStart(3, "0")}`;
}
