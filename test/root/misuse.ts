// The sequence, called as the command line never does: with a struct of another
// size, and on another thread than the leader. fault.test.ts makes it a binary.

import { readRun } from "../../src/arguments.ts";
import { LAUNCH_FIELDS } from "../../src/contract.ts";
import { launch } from "../../src/launch.ts";
import { makePlan } from "../../src/plan.ts";
import { report } from "../../src/report.ts";

declare const self: Worker;
const [how, ...words] = process.argv.slice(2);

if (Bun.isMainThread && how === "thread") {
  const worker = new Worker(import.meta.path, { argv: process.argv.slice(2) });
  worker.onmessage = ({ data }) => process.exit(data);
} else {
  if (how === "size") (LAUNCH_FIELDS as unknown as string[]).push("size");
  const status = attempt();
  Bun.isMainThread ? process.exit(status) : self.postMessage(status);
}

function attempt(): number {
  try {
    launch(makePlan(readRun(words)));
  } catch (error) {
    return report(error);
  }
}
