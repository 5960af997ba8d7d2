// A host's own software changes what the host resolves by, beside a program that has its
// own: Debian's NetworkManager, openresolv, nscd and dpkg. docs/host-software.md's table is the output.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { NAME, TASK_ANSWER } from "../kit/answers.ts";
import { userFiles } from "../kit/document.ts";
import type { Program } from "../kit/program.ts";
import { published } from "../kit/published.ts";
import { until } from "../kit/until.ts";
import { Machine } from "./machine.ts";
import { answerOf, change, hostAnswer, makeServer, OLD, type Software, software } from "./software.ts";

interface Outcome {
  /** Did the host get what was asked for, beside the program, and after it? */
  readonly beside: "done" | "refused";
  readonly after: "done" | "refused";
  /** What the program reads and resolves by, in the end. */
  readonly program: "the task's" | "the host's";
  /** More mounts on the host: while it runs, and when it has ended. */
  readonly mounts: readonly [number, number];
  /** More files in /etc. */
  readonly files: number;
}

const options = ({ binds }: Software) => [
  ...["--netns", "task1"],
  ...binds.flatMap(([source, target]) => ["--bind", `${source}:${target}`]),
];
const LAUNCHER = "/usr/local/bin/launcher";
const ways: Record<string, (what: Software) => string[]> = {
  "nspin run (auto)": (what) => ["nspin", "run", ...options(what), "--"],
  "a launcher of nspin bake": (what) => [
    ...["sh", "-ec", `nspin bake ${options(what).join(" ")} -o ${LAUNCHER} && exec ${LAUNCHER} "$@"`, "sh"],
  ],
  "the published sequence": ({ covers }) => ["sh", "-ec", published("task1", covers), "sh"],
  "ip netns exec": ({ binds }) => {
    const mounts = binds.map(([source, target]) => `mount --bind ${source} ${target}\n`).join("");
    return ["ip", "netns", "exec", "task1", "sh", "-ec", `${mounts}exec "$@"`, "sh"];
  },
};

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.boot();
  for (const { path, content } of userFiles) await machine.write(path, content);
  await machine.run("systemctl start dns eni && systemctl start nspin-netns@task1");
  await machine.run("systemctl restart systemd-resolved");
  await makeServer(machine);
}, 180_000);
afterAll(() => machine.remove());

const etc = async () => (await machine.run("ls -A /etc")).trim().split("\n");
const more = (before: string[], now: string[]) => now.filter((line) => !before.includes(line));

/** Reads all the time, while /run/reading is there: for how long, each time, it finds what is not its own. */
const reader = (isOwn: string) => `
touch /run/reading
since= spans=0
while [ -e /run/reading ]; do
  now=\${EPOCHREALTIME/./}
  if { ${isOwn}; } 2>/dev/null; then
    [ -z "$since" ] || spans+=" $((now - since))"
    since=
  else
    since=\${since:-$now}
  fi
done
echo "$spans" >/run/reads
`;

/** The longest of these, in microseconds, by nspin. */
let longest = 0;

async function play(what: Software, way: string): Promise<Outcome> {
  let program: Program | undefined;
  try {
    await what.prepare(machine);
    await until(async () => (await hostAnswer(machine)) === OLD.answer);
    await machine.write("/usr/local/bin/reader", reader(what.isOwn));
    const before = { mounts: await machine.mounts(), etc: await etc() };

    program = machine.start((ways[way] as (typeof ways)[string])(what));
    expect(await sees(what, program)).toBe("the task's");
    await program.run("bash /usr/local/bin/reader </dev/null >/dev/null & echo");
    const beside: boolean[] = [];
    for (const one of what.changes) beside.push(await change(machine, one));
    const seen = await until(async () => (await sees(what, program as Program)) === "the task's", 3000).then(
      () => "the task's" as const,
      () => "the host's" as const,
    );
    await machine.run("rm /run/reading");
    const during = more(before.mounts, await machine.mounts());
    await program.run("wait");
    expect(await program.end()).toBe(0);
    await until(async () => !/nspin/.test(await machine.run("cat /proc/[0-9]*/comm 2>/dev/null || true")));
    const left = more(before.mounts, await machine.mounts());
    const spans = (await machine.run("cat /run/reads")).trim().split(" ").map(Number);
    if (/nspin/.test(way)) longest = Math.max(longest, ...spans);

    const isDone = await change(machine, what.after);
    return {
      beside: beside.every(Boolean) ? "done" : "refused",
      after: isDone ? "done" : "refused",
      program: seen,
      mounts: [during.length, left.length],
      files: more(before.etc, await etc()).length,
    };
  } finally {
    await machine.run("rm -f /run/reading");
    await program?.end();
    for (const target of ["/etc/resolv.conf", ...what.covers.map(([, target]) => target)]) {
      await machine.run(`while umount -l $(realpath ${target}) 2>/dev/null; do :; done`);
    }
    await what.clean(machine);
  }
}

/** What it finds there, and is answered: one cannot be the task's without the other. */
async function sees({ isOwn }: Software, program: Program): Promise<"the task's" | "the host's"> {
  const isTasks = (await program.run(`if ${isOwn}; then echo yes; fi`)) === "yes";
  const answer = answerOf(await program.run(`timeout 2 getent ahostsv4 ${NAME}`));
  expect([isTasks, answer === TASK_ANSWER]).toEqual([isTasks, isTasks]);
  return isTasks ? "the task's" : "the host's";
}

const rows: string[] = [];
for (const what of software) {
  test.each(Object.keys(ways))(
    `${what.name}: %s`,
    async (way) => {
      const outcome = await play(what, way);
      const { beside, after, program, mounts, files } = outcome;
      rows.push(
        `| ${what.name} | ${way} | ${beside}, ${after} | ${program} | ${mounts.join(", ")} | ${files} |`,
      );
      if (/nspin/.test(way)) {
        expect(outcome).toEqual({
          beside: "done",
          after: "done",
          program: "the task's",
          mounts: [0, 0],
          files: 0,
        });
      }
    },
    180_000,
  );
}

test("docs/host-software.md has the table", () => {
  const table = [
    "| the host's software | the program is started by | the host's change, beside it and after | the program reads and resolves by | mounts on the host, while and after | files left in /etc |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
  console.log(`${table}\nBy nspin, something else was there for ${longest} us at most.`);
  expect(longest).toBeLessThan(1_000_000);
  expect(readFileSync("docs/host-software.md", "utf8")).toContain(table);
});
