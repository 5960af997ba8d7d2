// docs/troubleshooting.md: each fault is made, and each command prints what is written there.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { $ } from "bun";
import { fenced } from "../kit/document.ts";
import { NSPIN } from "../kit/nspin.ts";
import { Program } from "../kit/program.ts";
import { play, started } from "./console.ts";
import { makeTasks } from "./tasks.ts";

/** A program of task1's, or the options that it has besides. */
const program = (options = "") => `nspin run --netns task1 ${options} -- sleep 1000 &`;

/** How each comes about; whether the host's /etc/resolv.conf is a link, or a plain file. */
const faults: Record<string, { readonly host?: "plain"; readonly make: readonly string[] }> = {
  "Lookups go to the wrong server": {
    make: [
      program("--no-keep"),
      "ln -s /run/systemd/resolve/resolv.conf /etc/new && mv -T /etc/new /etc/resolv.conf",
    ],
  },
  "Its resolv.conf is right, and lookups go to the wrong server": {
    make: ["echo 'hosts: files resolve [!UNAVAIL=return] dns' >/etc/nsswitch.conf", program()],
  },
  "Containers see empty layers": {
    make: [
      `unshare --mount --propagation unchanged sh -c 'mount --make-slave / && exec "$@" 2>/dev/null' sh ${program()}`,
    ],
  },
  "The unit does not start at boot": { make: [] },
  "The unit does not start at all": { make: [] },
  "The host's DNS does not change": { host: "plain", make: [program("--method pin")] },
  "A lookup fails now and then": {
    make: ["echo nameserver 127.0.0.53 >/etc/netns/task1/resolv.conf", program()],
  },
};

let end: (() => Promise<void>) | undefined;
let shell: Program;
async function clean(): Promise<void> {
  if (end === undefined) return;
  const jobs = (await shell.run("jobs -p")).split("\n").join(" "); // of a subshell there would be none
  if (jobs !== "") await shell.run(`kill ${jobs}; wait`);
  await shell.end();
  await $`ip netns delete task1; ip netns delete task3`.nothrow().quiet();
  await end();
}
beforeEach(clean);
afterAll(clean);

const blocks = fenced("docs/troubleshooting.md", "console");

test("each fault is made", () => expect([...blocks.keys()]).toEqual(Object.keys(faults)));

test.each(Object.entries(faults))("%s", async (heading, { host, make }) => {
  end = await makeTasks(["task1"], host);
  await $`echo "hosts: files dns" >/etc/nsswitch.conf && mkdir -p /opt/bin && ln -sfn ${NSPIN} /opt/bin/nspin`;
  shell = new Program(["env", `PATH=/opt/bin:${process.env.PATH}`]);
  for (const command of make) {
    await shell.run(command);
    if (command.endsWith(" &"))
      await started(shell, command.includes("--no-keep") || command.includes("pin"));
  }
  const { printed, written } = await play(shell, blocks.get(heading) as string);
  expect(printed).toBe(written);
});
