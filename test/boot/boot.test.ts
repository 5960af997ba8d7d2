// docs/boot.md: its user-data, read by cloud-init on a new instance, and what of it is
// there after a reboot.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { HOST_ANSWER, NAME, TASK_ANSWER } from "../kit/answers.ts";
import { fenced, userData } from "../kit/document.ts";
import { until } from "../kit/until.ts";
import { Machine } from "./machine.ts";

const SEED = "/var/lib/cloud/seed/nocloud";
/** The modules that run user-data. Others grow partitions: this machine's /dev is the real one's. */
const CLOUD = `datasource_list: [NoCloud]
network: {config: disabled}
cloud_init_modules: [write_files]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts_user]
`;
/** It asks its resolver before it stays. */
const APP = `#!/bin/sh
getent ahostsv4 ${NAME} >/run/app.$PPID.$$
exec sleep infinity
`;
const commands = fenced("docs/boot.md", "sh");

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.boot();
}, 60_000);
afterAll(() => machine.remove());

const property = async (unit: string, name: string) =>
  (await machine.run(`systemctl show --value --property ${name} ${unit}`)).trim();

/** The unit's program runs, and was answered by the task's DNS server; the host is by its own. */
async function expectUp(unit: string): Promise<void> {
  await until(async () => (await property(unit, "SubState")) === "running");
  const pid = await property(unit, "MainPID");
  const within = `nsenter --target ${pid} --mount --net getent ahostsv4 ${NAME}`;
  expect((await machine.run(within)).split(" ")[0]).toBe(TASK_ANSWER);
  expect((await machine.run(`cat /run/app.1.${pid}`)).split(" ")[0]).toBe(TASK_ANSWER);
  expect((await machine.run(`getent ahostsv4 ${NAME}`)).split(" ")[0]).toBe(HOST_ANSWER);
}

test("cloud-init's schema has the user-data", async () => {
  await machine.write(`${SEED}/user-data`, userData);
  await machine.run(`cloud-init schema --config-file ${SEED}/user-data`);
  await machine.write("/run/wrong", userData.replace("runcmd:", "runcmd: 1\nx:"));
  expect((await machine.try("cloud-init schema --config-file /run/wrong")).status).not.toBe(0);
});

test("a new instance: cloud-init ends, and the program is up", async () => {
  await machine.write(`${SEED}/meta-data`, "instance-id: i-1\n");
  await machine.write("/etc/cloud/cloud.cfg.d/99_test.cfg", CLOUD);
  await machine.write("/usr/local/bin/app", APP, "755");
  await machine.run("rm /etc/cloud/cloud-init.disabled");
  await machine.reboot();
  expect(await machine.run("timeout 60 cloud-init status --wait")).toContain("status: done");
  await expectUp("app@task1");
  await machine.run(commands.get("When it does not come up") as string);
});

test("after a reboot it comes up by itself", async () => {
  await machine.reboot();
  await expectUp("app@task1");
  expect(await machine.run("grep --count 'modules:final' /var/log/cloud-init-output.log")).toBe("2\n");
  const links = await machine.run("grep --count 'Created symlink' /var/log/cloud-init-output.log");
  expect(links).toBe("2\n"); // runcmd's of the first boot: it did not run again
});

test("stopped and started with its namespace", async () => {
  await machine.run("systemctl stop netns@task1");
  expect(await property("app@task1", "ActiveState")).toBe("inactive");
  expect(await machine.run("ls /run/netns")).toBe("vpc\n");
  await machine.run("systemctl restart eni && systemctl start netns@task1"); // a veth does not outlive it
  await expectUp("app@task1");
  await machine.run("systemctl stop app@task1 && systemctl start netns@task1.target");
  await expectUp("app@task1");
});

test("an interface that is attached after the boot", async () => {
  await machine.run("systemctl disable eni");
  await machine.reboot();
  await until(async () => Number(await property("netns@task1", "NRestarts")) >= 2);
  expect(await machine.run("systemctl is-system-running")).toBe("running\n"); // the boot waits for nothing
  expect(Number(await property("netns@task1", "NRestarts"))).toBeLessThan(20); // and nothing is busy
  expect(await property("app@task1", "ActiveState")).toBe("inactive");
  await machine.run("systemctl start eni");
  await expectUp("app@task1");
});

test("a namespace that something else makes, after the boot: its program waits, and is started once", async () => {
  await machine.run(commands.get("A namespace that something else makes") as string);
  await machine.write("/etc/netns/task2/resolv.conf", "nameserver 10.1.0.2\n");
  await machine.reboot();
  await until(async () => (await property("app-task2", "SubState")) === "running");
  const pid = await property("app-task2", "MainPID");
  expect(await machine.run(`cat /proc/${pid}/comm && ls /run`)).toMatch(/^nspin\n(?!(.*\n)*app)/);
  await machine.run(`
    systemctl start eni
    ip netns add task2
    ip link set ens6 netns task2
    ip -n task2 address add 10.1.0.11/24 dev ens6
    ip -n task2 link set ens6 up`);
  await until(async () => (await machine.run("ls /run")).includes(`app.1.${pid}\n`));
  await expectUp("app-task2");
  expect([await property("app-task2", "MainPID"), await property("app-task2", "NRestarts")]).toEqual([
    pid,
    "0",
  ]);
});

test.each([
  ["127", "rm /usr/local/bin/app"],
  ["126", "touch /usr/local/bin/app"],
])("a program that cannot be executed, %s, is not tried again", async (status, make) => {
  await machine.run(`${make} && (systemctl restart app-task2 || true)`);
  await until(async () => (await property("app-task2", "SubState")) === "failed");
  expect(await property("app-task2", "ExecMainStatus")).toBe(status);
  await Bun.sleep(1500); // RestartSec= and more
  expect(await property("app-task2", "NRestarts")).toBe("0");
  expect(await property("app-task2", "SubState")).toBe("failed");
});

test("nothing else is fenced in docs/boot.md", () => {
  expect([...commands.keys()]).toEqual(["A namespace that something else makes", "When it does not come up"]);
});
