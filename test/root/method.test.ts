import { test } from "bun:test";
import { cases } from "../method/cases.ts";
import { keeperCases } from "../method/keeper.ts";

for (const { name, run } of [...cases, ...keeperCases]) test(name, run, 20_000);
