// A resolver that is asked through a socket, Debian's nss-resolve and nscd: --own-dns, and the same by hand.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { HOST_ANSWER, NAME, TASK_ANSWER } from "../kit/answers.ts";
import { userFiles } from "../kit/document.ts";
import { until } from "../kit/until.ts";
import { Machine } from "./machine.ts";

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.boot();
  for (const { path, content } of userFiles) await machine.write(path, content);
  await machine.run(
    "systemctl start dns eni && systemctl start nspin-netns@task1 && systemctl restart systemd-resolved",
  );
  await until(async () => (await answer("")) === HOST_ANSWER);
}, 180_000);
afterAll(() => machine.remove());

const answer = async (prefix: string) =>
  (await machine.run(`${prefix} getent ahostsv4 ${NAME}`)).split(" ")[0];
const nspin = (options = "") => answer(`nspin run --netns task1 ${options} --`);

test("nss-resolve: an nsswitch.conf of the task's, in nobody's way", async () => {
  expect(await nspin()).toBe(TASK_ANSWER);
  const before = await machine.mounts();
  const edit = (expression: string) => machine.try(`sed -i '${expression}' /etc/nsswitch.conf`);
  await edit("s/^hosts:.*/hosts: files resolve [!UNAVAIL=return] dns/");
  expect(await nspin()).toBe(HOST_ANSWER);
  await machine.write("/etc/netns/task1/nsswitch.conf", "hosts: files dns\n");
  expect(await nspin()).toBe(TASK_ANSWER);
  expect((await edit("s/^hosts:.*/hosts: files dns/")).status).toBe(0);
  await machine.run("rm /etc/netns/task1/nsswitch.conf");
  expect(await machine.mounts()).toEqual(before);
});

test("nscd: an empty directory over its socket's", async () => {
  const before = await machine.mounts();
  await machine.run("systemctl start nscd && mkdir /run/empty");
  expect(await answer("")).toBe(HOST_ANSWER);
  expect(await nspin()).toBe(HOST_ANSWER);
  expect(await nspin("--bind /run/empty:/run/nscd")).toBe(TASK_ANSWER);
  await machine.run("systemctl restart nscd"); // its mount is on the host's directory, and in nobody's way
  expect(await nspin()).toBe(HOST_ANSWER);
  expect(await machine.mounts()).toEqual(before);
});

test("--own-dns: neither is asked, in whatever order they are restarted, and the host asks both", async () => {
  const before = await machine.mounts();
  const was = await machine.run("cat /etc/nsswitch.conf");
  await machine.run("sed -i 's/^hosts:.*/hosts: files resolve [!UNAVAIL=return] dns/' /etc/nsswitch.conf");
  await machine.run("systemctl start nscd && nscd --invalidate=hosts");
  expect([await answer(""), await nspin()]).toEqual([HOST_ANSWER, HOST_ANSWER]);
  expect(await nspin("--own-dns")).toBe(TASK_ANSWER);
  await machine.run("nspin bake --netns task1 --own-dns -o /run/own-dns");
  expect(await answer("/run/own-dns")).toBe(TASK_ANSWER);
  const asks = `while :; do getent ahostsv4 ${NAME} | cut -d " " -f 1 | head -n 1 >>/run/asked; sleep 0.1; done`;
  await machine.run(`systemd-run --unit=asks nspin run --netns task1 --own-dns -- sh -c '${asks}'`);
  for (const restart of ["systemd-resolved", "nscd", "systemd-resolved nscd"]) {
    await machine.run(`sleep 1; systemctl restart ${restart} && sed -i 's/^# .*//' /etc/nsswitch.conf`);
    await until(async () => (await answer("")) === HOST_ANSWER);
  }
  await machine.run("sleep 1; systemctl stop asks nscd");
  const asked = (await machine.run("sort /run/asked | uniq -c")).trim().split("\n");
  expect(asked.length).toBe(1);
  expect(asked[0]).toMatch(new RegExp(`^ *\\d{2,} ${TASK_ANSWER}$`));
  await machine.write("/etc/nsswitch.conf", was);
  expect(await machine.mounts()).toEqual(before);
}, 180_000);
