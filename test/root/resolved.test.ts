// Real systemd-resolved, which replaces its file by rename(2), and a program
// with another resolv.conf: by every method of nspin, and as others do it. The
// README's table is this test's output.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type Outcome, ways } from "../resolved/scenario.ts";
import { start } from "./start.ts";

const own = 'mount --make-rshared / && mount -t sysfs sys /sys && exec "$0" "$@"';
const play = async (file: string, way: string): Promise<Outcome> => {
  const scenario = [process.execPath, "test/resolved/scenario.ts", file, way];
  const { stdout, stderr } = await start(["unshare", "--mount", "--net", "sh", "-c", own, ...scenario]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
};
const right = { rewrite: "done", program: "the task's", mounts: 0, reaches: true };
const expected: Record<keyof typeof ways, object> = {
  "nspin run (auto)": right,
  "nspin run --method rejoin": right,
  "nspin run --method overlay": right,
  "nspin run --method pin": { ...right, mounts: 1 },
  "the published sequence": { ...right, rewrite: "refused", mounts: 1 },
  "ip netns exec": { ...right, program: "the host's", reaches: false },
};

test("the host changes its DNS server while the program runs", async () => {
  const rows: string[] = [];
  for (const way of Object.keys(ways)) {
    const { rewrite, program, mounts, reaches } = await play("stub-resolv.conf", way);
    const outcome = { rewrite, program, mounts, reaches };
    expect<unknown>({ [way]: outcome }).toEqual({ [way]: expected[way] });
    expect({ [way]: await play("resolv.conf", way) }).toEqual({ [way]: outcome });
    rows.push(`| ${way} | ${rewrite} | ${program} | ${mounts} | ${reaches ? "yes" : "no"} |`);
  }
  const table = [
    "| started by | the host's rewrite | the program reads | mounts left on the host | its mounts reach the host |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
  console.log(table);
  expect(readFileSync("README.md", "utf8")).toContain(table);
}, 120_000);
