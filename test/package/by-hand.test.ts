// From what was put there by hand to a package, docs/install.md: what runs goes on.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { deb } from "../../build/deb.ts";
import { tarball } from "../../build/tarball.ts";
import { MACHINE } from "../../build/target.ts";
import { version } from "../../package.json";
import { Machine } from "../boot/machine.ts";
import { fenced } from "../kit/document.ts";
import { until } from "../kit/until.ts";

const FILES = "dist/package/by-hand";
const commands = fenced("docs/install.md", "sh");
const read = (heading: string) => commands.get(heading) as string;

let machine: Machine;
beforeAll(async () => {
  rmSync(FILES, { recursive: true, force: true });
  await tarball("dist/nspin", MACHINE, FILES, "0.0.1");
  await deb("dist/nspin", MACHINE, FILES, version);
  machine = await Machine.bare("package/trixie");
}, 120_000);
afterAll(async () => {
  await machine.remove();
  rmSync(FILES, { recursive: true, force: true });
});

const up = () =>
  until(
    async () => (await machine.run("systemctl show --value --property SubState nspin@task1")) === "running\n",
  );
const pid = () => machine.run("systemctl show --value --property MainPID nspin@task1");
/** What is taken: by a shell, and by systemd. */
const taken = () =>
  machine.run("command -v nspin; systemctl show --value --property FragmentPath nspin@task1");

test("a package says what comes before it, and what runs goes on", async () => {
  await machine.run(
    `mkdir /tmp/files && cd /tmp/files && cp /nspin/${FILES}/*.tar.gz . && ${read("By hand")}`,
  );
  await machine.write("/etc/nspin/task1.conf", "DNS=10.1.0.2\n");
  await machine.write("/etc/nspin/task1.toml", 'netns = "task1"\nprogram = ["sleep", "infinity"]\n');
  await machine.run("systemctl daemon-reload && systemctl enable --now nspin-netns@task1 nspin@task1");
  await up();
  const before = await pid();
  const { status, stdout, stderr } = await machine.try(
    `cd /tmp/files && cp /nspin/${FILES}/*.deb . && ${read("Debian, Ubuntu")}`,
  );
  expect(status).toBe(0);
  const [binary, unit] = ["/usr/local/bin/nspin", "/usr/local/lib/systemd/system/nspin@.service"];
  for (const file of [binary, unit])
    expect(stdout + stderr).toContain(
      `nspin: warning: ${file} is taken in place of the package's: remove it`,
    );
  expect(await taken()).toBe(`${binary}\n${unit}\n`);
  await machine.run(read("From by hand to a package"));
  expect(await taken()).toBe("/usr/bin/nspin\n/usr/lib/systemd/system/nspin@.service\n");
  expect(await machine.run("find /usr/local -name '*nspin*'")).toBe("");
  expect(await pid()).toBe(before);
  await machine.run("nspin check task1");
});

test("what was enabled is, at the next boot, and is removed with the package", async () => {
  await machine.reboot();
  await up();
  await machine.run("nspin check task1");
  await machine.run(read("Remove a .deb"));
  expect(await machine.run("find /etc/systemd /usr/lib/nspin -name 'nspin*' 2>/dev/null || true")).toBe("");
});
