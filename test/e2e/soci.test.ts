// containerd and a soci-snapshotter for each of two tasks, on a host with systemd:
// docs/soci.md from end to end, by every method. Its table is the output.
import { beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { followed, headings } from "./document.ts";
import { Host, type Kind } from "./host.ts";
import { type Launches, launch } from "./launches.ts";
import { type Outcome, play } from "./scenario.ts";
import { makeCertificate, Vpc } from "./vpc.ts";
import { ways } from "./ways.ts";

const LAUNCHES = 1000;
/** Mounts on the host when all is over, until `nspin unpin`. */
const LEFT = {
  resolved: { auto: 0, pin: 1, rejoin: 0, overlay: 0 },
  plain: { auto: 0, pin: 1, rejoin: 0, overlay: 0 },
};
const combinations = Object.entries(LEFT).flatMap(([kind, methods]) =>
  Object.entries(methods).flatMap(([method, left]) =>
    ["nsenter", "setns"].map((enter) => [kind as Kind, method, enter, left] as const),
  ),
);
const right: Omit<Outcome, "left"> = { dns: "the task's", layer: "yes", rewrite: "done" };

let host: Host;
let vpcs: Vpc[];
beforeAll(async () => {
  host = await Host.make();
  await makeCertificate();
  vpcs = await Promise.all([1, 2].map((number) => Vpc.make(number)));
}, 120_000);
test.each(combinations)(
  "a %s host, --method %s, --enter %s: %d left",
  async (kind, method, enter, count) => {
    const { left, ...outcome } = await play(host, vpcs, {
      kind,
      nspin: `--method ${method} --enter ${enter}`,
    });
    expect(outcome).toEqual(right);
    expect(left).toHaveLength(count);
    for (const mount of left)
      expect(mount).toMatch(/^\S+ (\S+) \/(etc|run\/systemd\/resolve)\/resolv.conf [^:]* - /);
  },
  300_000,
);

test("others, side by side", async () => {
  const expected: Record<keyof typeof ways, object> = {
    "nspin run (auto)": { ...right, left: 0 },
    "nspin run --method rejoin": { ...right, left: 0 },
    "nspin run --method overlay": { ...right, left: 0 },
    "nspin run --method pin": { ...right, left: 1 },
    "runc, by nspin bundle": { ...right, left: 0 },
    "crun, by nspin bundle": { ...right, left: 0 },
    "the published sequence": { ...right, rewrite: "refused", left: 2 },
    "ip netns exec": { dns: "the host's", layer: "no", rewrite: "done", left: 0 },
    "systemd: NetworkNamespacePath=, BindReadOnlyPaths=": {
      dns: "the host's",
      layer: "no",
      rewrite: "done",
      left: 0,
    },
  };
  const rows = [];
  for (const [name, way] of Object.entries(ways)) {
    const { dns, layer, rewrite, left } = await play(host, vpcs, { kind: "resolved", ...way });
    expect<unknown>({ [name]: { dns, layer, rewrite, left: left.length } }).toEqual({
      [name]: expected[name],
    });
    rows.push(`| ${name} | ${dns} | ${layer} | ${rewrite} | ${left.length} |`);
  }
  const table = [
    "| the snapshotters are started by | they resolve by | containers read their layers | the host's change | mounts left on the host |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
  console.log(table);
  expect(readFileSync("docs/soci.md", "utf8")).toContain(table);
}, 300_000);

test(`${LAUNCHES} launches while the snapshotters serve: each asks its own DNS server`, async () => {
  const asked = () =>
    vpcs.map(({ dns }) =>
      dns
        .asked()
        .map(({ name }) => name)
        .filter((name) => name.startsWith("launch")),
    );
  let launches: Launches | undefined;
  const meanwhile = async (tasks: Parameters<typeof launch>[1]) => {
    launches = await launch(host, tasks, LAUNCHES);
  };
  const { left } = await play(host, vpcs, { kind: "resolved", nspin: "", meanwhile });
  console.log({ ...launches, names: undefined });
  expect(launches?.wrong).toEqual([]);
  expect(left).toEqual([]);
  const expected = vpcs.map(({ task }) => launches?.names.get(task)?.toSorted());
  expect(asked().map((names) => [...new Set(names)].sort())).toEqual(expected as string[][]);
  expect(expected.flat()).toHaveLength(LAUNCHES);
  // It was no quiet host: these took place in the ten seconds or more of the launches.
  expect(launches?.rewrites).toBeGreaterThan(30);
  expect(launches?.guests).toBeGreaterThan(30);
  expect(launches?.containers).toBeGreaterThan(2);
}, 300_000);

test("no command of docs/soci.md was left out", () => {
  expect([...followed].sort()).toEqual(headings.toSorted());
});
