// What C says of an error is what libc would: there is no libc to ask.
import { dlopen } from "bun:ffi";
import { expect, test } from "bun:test";
import { constants } from "node:os";
import { $ } from "bun";

const EXPAND = Buffer.from(`
#include "ffi/errors.h"
#define ROW(name, text) [#name, name, text],
= [ERRORS(ROW) COMMAND_ERRORS(ROW) 0]
`);
const expanded = (await $`cc -E -P -xc -I. - < ${EXPAND}`.text()).split("= ").at(-1) as string;
const rows: [name: string, number: number, text: string][] = JSON.parse(expanded).slice(0, -1);
const libc = dlopen("libc.so.6", {
  strerror: { args: ["i32"], returns: "cstring" },
  strerrorname_np: { args: ["i32"], returns: "cstring" }, // glibc 2.32
}).symbols;

test("each error is there once", () => {
  expect(rows.length).toBeGreaterThan(25);
  expect(new Set(rows.map(([, number]) => number)).size).toBe(rows.length);
});

test.each(rows)("%s, %d: %s", (name, number, text) => {
  expect([name, number, text]).toEqual([
    String(libc.strerrorname_np(number)),
    (constants.errno as Record<string, number>)[name] ?? number,
    String(libc.strerror(number)),
  ]);
});
