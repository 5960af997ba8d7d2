// units/ and docs/cloud-init.md: its user-data, read by cloud-init on a new instance, and what of
// it is there after a reboot.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { dirname } from "node:path";
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
const commands = fenced("docs/cloud-init.md", "sh");

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.boot();
}, 180_000);
afterAll(() => machine.remove());

const property = async (unit: string, name: string) =>
  (await machine.run(`systemctl show --value --property ${name} ${unit}`)).trim();
const hasState = (unit: string, state: string) =>
  until(async () => (await property(unit, "SubState")) === state);
const newInstance = async (id: string, data: string) => {
  await machine.write(`${SEED}/meta-data`, `instance-id: ${id}\n`);
  await machine.write(`${SEED}/user-data`, data);
  await machine.reboot();
  return await machine.try("timeout 90 cloud-init status --wait");
};

/** The unit's program runs, and was answered by the task's DNS server; the host is by its own. */
async function expectUp(unit: string): Promise<void> {
  await hasState(unit, "running");
  const pid = await property(unit, "MainPID");
  await until(async () => (await machine.run(`cat /run/app.1.${pid}`)) !== "");
  const within = `nsenter --target ${pid} --mount --net getent ahostsv4 ${NAME}`;
  expect((await machine.run(within)).split(" ")[0]).toBe(TASK_ANSWER);
  expect((await machine.run(`cat /run/app.1.${pid}`)).split(" ")[0]).toBe(TASK_ANSWER);
  expect((await machine.run(`getent ahostsv4 ${NAME}`)).split(" ")[0]).toBe(HOST_ANSWER);
}

/** The interface is the host's, and of the namespace nothing is there. */
async function expectDown(): Promise<void> {
  await machine.run("ip link show dev ens6");
  expect(await machine.run("ls /run/netns")).toBe("vpc\n");
  expect((await machine.try("ls /etc/netns/task1")).status).not.toBe(0);
}

test("systemd finds nothing to say of the units", async () => {
  const units =
    "nspin-netns@a.service nspin-netns@a.target nspin@a.service nspin-check.service nspin-check.timer";
  const { status, stdout, stderr } = await machine.try(`systemd-analyze verify --man=no ${units}`);
  expect([status, stdout, stderr]).toEqual([0, "", ""]);
});

test("cloud-init's schema has the user-data", async () => {
  await machine.write(`${SEED}/user-data`, userData);
  await machine.run(`cloud-init schema --config-file ${SEED}/user-data`);
  await machine.write("/run/wrong", userData.replace("runcmd:", "runcmd: 1\nx:"));
  expect((await machine.try("cloud-init schema --config-file /run/wrong")).status).not.toBe(0);
});

test("a new instance: cloud-init ends, and the program is up", async () => {
  await machine.write("/etc/cloud/cloud.cfg.d/99_test.cfg", CLOUD);
  await machine.write("/usr/local/bin/app", APP, "755");
  await machine.run("rm /etc/cloud/cloud-init.disabled");
  const { status, stdout } = await newInstance("i-1", userData);
  expect([status, stdout]).toEqual([0, expect.stringContaining("status: done")]);
  await expectUp("nspin@task1");
  await machine.run(commands.get("When it does not come up") as string);
});

test("after a reboot it comes up by itself", async () => {
  await machine.reboot();
  await expectUp("nspin@task1");
  expect(await machine.run("grep --count 'modules:final' /var/log/cloud-init-output.log")).toBe("2\n");
  const links = await machine.run("grep --count 'Created symlink' /var/log/cloud-init-output.log");
  expect(links).toBe("3\n"); // runcmd's of the first boot: it did not run again
});

test("stopped with its namespace, the interface is the host's again, and goes back", async () => {
  await machine.run("systemctl stop nspin-netns@task1");
  expect(await property("nspin@task1", "ActiveState")).toBe("inactive");
  await expectDown();
  await machine.run("systemctl start nspin-netns@task1");
  await expectUp("nspin@task1");
  await machine.run("systemctl restart nspin-netns@task1");
  await expectUp("nspin@task1");
  await machine.run("systemctl stop nspin@task1 && systemctl start nspin-netns@task1.target");
  await expectUp("nspin@task1");
});

const BY_HAND = "set -a && . /etc/nspin/task1.conf && /usr/lib/nspin/nspin-netns";

test("made again, it stays as it is", async () => {
  const state = () => machine.run("ls -i /run/netns/task1 && ip -n task1 -o address && ip -n task1 route");
  const before = await state();
  await machine.run(`${BY_HAND} up task1`);
  expect(await state()).toBe(before);
  await expectUp("nspin@task1");
});

test("nspin-check: metrics, and a unit that fails where a program is not as planned", async () => {
  const metrics = "/var/lib/prometheus/node-exporter/nspin.prom";
  await machine.run("systemctl start nspin-check"); // without a directory for metrics
  await machine.run(`mkdir -p ${dirname(metrics)} && systemctl start nspin-check`);
  expect(await machine.run(`cat ${metrics}`)).toMatch(/^nspin_isolated\{.*netns="task1".*\} 1$/m);
  const [program] = JSON.parse(await machine.run("nspin ps --json"));
  await machine.run(`kill -KILL ${program.keeper}`);
  expect((await machine.try("systemctl start nspin-check")).status).not.toBe(0);
  expect(await machine.run(`cat ${metrics}`)).toMatch(/^nspin_findings\{kind="no-keeper"\} 1$/m);
  expect(await machine.run("journalctl --boot --unit nspin-check")).toMatch(/no-keeper: .*; remedy: /);
  await machine.run("systemctl restart nspin@task1 && systemctl start nspin-check");
  expect(await machine.run(`ls ${dirname(metrics)}`)).toBe("nspin.prom\n");
  await machine.run(
    `mkdir /run/elsewhere && ln -sf /run/elsewhere ${metrics} && systemctl start nspin-check`,
  );
  expect(await machine.run(`cat ${metrics} && ls /run/elsewhere`)).toEndWith('{kind="past-the-file"} 0\n');
  await machine.run("systemctl enable --now nspin-check.timer");
  expect(await machine.run("systemctl list-timers --no-pager")).toContain("nspin-check.service");
  await machine.run("systemctl disable --now nspin-check.timer");
  await expectUp("nspin@task1");
});

test("a process that is left in the namespace does not keep the interface", async () => {
  await machine.run("ip netns exec task1 sleep 300 </dev/null >/dev/null 2>&1 &");
  await machine.run("systemctl stop nspin-netns@task1");
  await expectDown();
  await machine.run("systemctl start nspin-netns@task1");
  await expectUp("nspin@task1");
});

test("a namespace that is called 1 is not taken for the host's", async () => {
  await machine.run("ip netns add 1 && systemctl stop nspin-netns@task1 && ip netns delete 1");
  await expectDown();
  await machine.run("systemctl start nspin-netns@task1");
  await expectUp("nspin@task1");
});

test("where somebody has deleted its name, its resolv.conf goes all the same", async () => {
  await machine.write("/etc/nspin/task4.conf", "DNS=10.1.0.2\n");
  await machine.run("systemctl start nspin-netns@task4 && ls /etc/netns/task4/resolv.conf");
  await machine.run("ip netns delete task4 && systemctl stop nspin-netns@task4 && rm /etc/nspin/task4.conf");
  expect((await machine.try("ls /etc/netns/task4")).status).not.toBe(0);
});

test("several addresses of both families, servers and domains; what is left out is not done", async () => {
  await machine.run("ip link add ens7 type veth peer name peer7 && ip link set peer7 up");
  const both = `INTERFACE=ens7
ADDRESS="10.2.0.10/24 10.2.0.11/32 fd00::10/64"
GATEWAY="10.2.0.1 fd00::1"
DNS="10.2.0.2 fd00::2"
SEARCH="a.test b.test"
`;
  await machine.write("/etc/nspin/task3.conf", both);
  await machine.run("mkdir -p /etc/netns/task3 && ln -s /run/victim /etc/netns/task3/.resolv.conf");
  await machine.run("systemctl start nspin-netns@task3");
  expect(await machine.run("cat /etc/netns/task3/resolv.conf; ls -A /etc/netns/task3")).toBe(
    "nameserver 10.2.0.2\nnameserver fd00::2\nsearch a.test b.test\nresolv.conf\n",
  );
  expect((await machine.try("ls /run/victim")).status).not.toBe(0);
  const addresses = await machine.run("ip -n task3 -o address show dev ens7 scope global");
  expect(addresses.match(/(?<=inet6? )\S+/g)).toEqual(["10.2.0.10/24", "10.2.0.11/32", "fd00::10/64"]);
  expect(await machine.run("ip -n task3 route show default; ip -n task3 -6 route show default")).toMatch(
    /^default via 10.2.0.1 dev ens7 \ndefault via fd00::1 dev ens7 /,
  );
  await machine.run("systemctl stop nspin-netns@task3 && ip link delete ens7");
  await machine.write("/etc/nspin/task3.conf", "");
  await machine.write("/etc/netns/task3/resolv.conf", "nameserver 10.3.0.2\n");
  await machine.run("systemctl start nspin-netns@task3");
  expect(await machine.run("ip -n task3 -o link show up; cat /etc/netns/task3/resolv.conf")).toMatch(
    /^1: lo: .*\nnameserver 10.3.0.2\n$/,
  );
  await machine.run("systemctl stop nspin-netns@task3 && rm -r /etc/netns/task3 /etc/nspin/task3.conf");
});

test("where the host has another interface of that name, it stays in its namespace", async () => {
  await machine.run("ip link add ens6 type veth peer name other");
  await machine.run("systemctl stop nspin-netns@task1");
  expect(await property("nspin-netns@task1", "ActiveState")).toBe("failed");
  await machine.run("ip -n task1 link show dev ens6 && ip link delete ens6");
  await machine.run("systemctl start nspin-netns@task1");
  await expectUp("nspin@task1");
});

test("a start that fails gives the interface back, and is tried again", async () => {
  const edit = (from: string, to: string) => machine.run(`sed -i 's/${from}/${to}/' /etc/nspin/task1.conf`);
  await machine.run("systemctl stop nspin-netns@task1");
  await edit("ADDRESS=", "ADDRESS=x");
  expect((await machine.try("systemctl start nspin-netns@task1")).status).not.toBe(0);
  await until(async () => Number(await property("nspin-netns@task1", "NRestarts")) >= 2);
  await machine.run("systemctl stop nspin-netns@task1");
  await expectDown();
  await machine.run("systemctl start --no-block nspin-netns@task1");
  await until(async () => Number(await property("nspin-netns@task1", "NRestarts")) >= 1);
  await edit("ADDRESS=x", "ADDRESS=");
  await expectUp("nspin@task1");
});

test.each(["", ".", "..", "-x", "../x", "a/b"])("nspin-netns: %p is no name", async (name) => {
  for (const action of ["up", "down"]) {
    expect((await machine.try(`/usr/lib/nspin/nspin-netns ${action} '${name}'`)).status).toBe(2);
  }
});

test("an interface that is attached after the boot", async () => {
  await machine.run("systemctl disable eni");
  await machine.reboot();
  await until(async () => Number(await property("nspin-netns@task1", "NRestarts")) >= 2);
  expect(await machine.run("systemctl is-system-running")).toBe("running\n"); // the boot waits for nothing
  expect(Number(await property("nspin-netns@task1", "NRestarts"))).toBeLessThan(20); // and nothing is busy
  expect(await property("nspin@task1", "ActiveState")).toBe("inactive");
  await machine.run("systemctl start eni");
  await expectUp("nspin@task1");
});

test("a namespace that something else makes, after the boot: its program waits, and is started once", async () => {
  await machine.run(commands.get("A namespace that something else makes") as string);
  await machine.run("systemctl disable nspin-netns@task1 nspin@task1");
  await machine.reboot();
  await until(async () => (await property("nspin@task2", "SubState")) === "running");
  const pid = await property("nspin@task2", "MainPID");
  expect(await machine.run(`cat /proc/${pid}/comm && ls /run`)).toMatch(/^nspin\n(?!(.*\n)*app)/);
  await machine.run(`
    systemctl start eni
    ip netns add task2
    ip link set ens6 netns task2
    ip -n task2 address add 10.1.0.11/24 dev ens6
    ip -n task2 link set ens6 up`);
  expect(await machine.run(`cat /proc/${pid}/comm`)).toBe("nspin\n"); // the interface first, then the file
  await machine.write("/etc/netns/task2/resolv.conf", "nameserver 10.1.0.2\n");
  await until(async () => (await machine.run("ls /run")).includes(`app.1.${pid}\n`));
  await expectUp("nspin@task2");
  expect([await property("nspin@task2", "MainPID"), await property("nspin@task2", "NRestarts")]).toEqual([
    pid,
    "0",
  ]);
});

test.each([
  ["127", "rm /usr/local/bin/app"],
  ["126", "touch /usr/local/bin/app"],
])("a program that cannot be executed, %s, is not tried again", async (status, make) => {
  await machine.run(`${make} && (systemctl restart nspin@task2 || true)`);
  await hasState("nspin@task2", "failed");
  expect(await property("nspin@task2", "ExecMainStatus")).toBe(status);
  await Bun.sleep(1500); // RestartSec= and more
  expect(await property("nspin@task2", "NRestarts")).toBe("0");
  expect(await property("nspin@task2", "SubState")).toBe("failed");
});

test.each([
  ["a program that is not there", (data: string) => data],
  ["a profile with a typing error", (data: string) => data.replace("netns = ", "nets = ")],
])("a new instance with %s: cloud-init's status is error", async (what, edit) => {
  await machine.run("systemctl disable nspin@task2 && rm -f /usr/local/bin/app && systemctl enable eni");
  const { status, stdout } = await newInstance(
    `i-${what}`,
    edit(userData.replace("timeout 60", "timeout 5")),
  );
  expect([status, stdout]).toEqual([1, expect.stringContaining("status: error")]);
});

test("nothing else is fenced in docs/cloud-init.md", () => {
  const headings = ["A namespace that something else makes", "When it does not come up"];
  expect([...commands.keys()]).toEqual(headings);
});
