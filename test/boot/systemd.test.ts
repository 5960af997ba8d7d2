// Units with each setting of systemd.exec(5) that takes something away: what starts, whether its mounts reach
// the host, and what is said where not. docs/systemd.md's table is the output.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Machine } from "./machine.ts";
import { type Outcome, play, SETTINGS, WAYS } from "./sandboxing.ts";

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.boot();
  await machine.run("ip netns add task1 && nspin bake --netns task1 -o /usr/local/bin/launcher");
  await machine.write("/etc/netns/task1/resolv.conf", "nameserver 10.1.0.2\n");
}, 180_000);
afterAll(() => machine.remove());

const isWarning = (line: string) => line.startsWith("nspin: warning: / is no peer of the host's ");
const isKilled = (line: string) => /^systemd: code=killed, (signal|status)=(31\/)?SYS$/.test(line);

/** What is said where nothing starts: each once, by its number from 1. */
const reasons: string[] = [];
const rows: string[] = [];

function cell({ isUp, said }: Outcome): string {
  if (isUp) return "starts";
  const reason = said.filter((line) => line.startsWith("nspin: ") || isKilled(line)).join("; ");
  const known = reasons.indexOf(reason);
  return `no (${known < 0 ? reasons.push(reason) : known + 1})`;
}

test.each([...SETTINGS])(
  "%p",
  async (setting) => {
    const before = await machine.mounts();
    const outcomes = await play(machine, setting);
    expect(await machine.mounts()).toEqual(before);
    for (const { isUp, isOwn, reachesHost, said } of outcomes) {
      expect(isOwn).toBe(isUp); // never with less isolation than asked for
      if (isUp) expect([reachesHost, said.some(isWarning)]).toEqual([reachesHost, !reachesHost]);
      else if (said.some(isKilled)) expect(setting).toStartWith("SystemCallFilter=");
      else expect(said).toContainEqual(expect.stringMatching(/^nspin: cannot /));
    }
    const up = outcomes.filter(({ isUp }) => isUp);
    const reach = new Set(up.map(({ reachesHost }) => (reachesHost ? "yes" : "no: a warning")));
    const name = setting === "" ? "nothing of it" : setting.replace("\n", " ");
    rows.push(`| ${[`\`${name}\``, ...outcomes.map(cell), [...reach].join(", ") || "-"].join(" | ")} |`);
  },
  180_000,
);

test("docs/systemd.md has the table, and what is said", () => {
  const table = [
    `| the unit has | ${Object.keys(WAYS).join(" | ")} | its mounts reach the host |`,
    "|---|---|---|---|---|",
    ...rows,
    "",
    ...reasons.map(
      (reason, i) => `${i + 1}. \`${reason.replaceAll("; nspin: hint: ", "` `nspin: hint: ")}\``,
    ),
  ].join("\n");
  console.log(table);
  expect(readFileSync("docs/systemd.md", "utf8")).toContain(table);
});
