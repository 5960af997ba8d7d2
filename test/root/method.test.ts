import { test } from "bun:test";
import { cases } from "../method/cases.ts";

for (const { name, run } of cases) test(name, run, 20_000);
