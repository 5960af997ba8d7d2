// A host with two answers: its own DNS server and a network namespace with
// another, both dnsmasq. For a container or a mount namespace of its own only.
import { mkdirSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { ownResolvConf } from "./own-etc.ts";
import { until } from "./until.ts";

export const NAME = "who.nspin.test";
export const HOST_ANSWER = "192.0.2.1";
export const TASK_ANSWER = "192.0.2.2";

/** Makes netns ID with /etc/netns/ID/resolv.conf; the host resolves by another server. Returns how to end it. */
export async function makeHost(id: string): Promise<() => Promise<void>> {
  const file = "/run/systemd/resolve/resolv.conf";
  await ownResolvConf(file);
  await $`ip netns add ${id}`;
  await $`ip -n ${id} link set lo up`;
  await $`ip link set lo up`.nothrow().quiet();
  writeFileSync(file, "nameserver 127.0.0.153\n");
  mkdirSync(`/etc/netns/${id}`, { recursive: true });
  writeFileSync(`/etc/netns/${id}/resolv.conf`, "nameserver 127.0.0.253\n");
  const servers = [
    serve([], "127.0.0.153", HOST_ANSWER),
    serve(["ip", "netns", "exec", id], "127.0.0.253", TASK_ANSWER),
  ];
  await until(async () => (await $`getent hosts ${NAME}`.nothrow().text()).includes(HOST_ANSWER));
  return async () => {
    for (const server of servers) server.kill();
    await Promise.all(servers.map((server) => server.exited));
    await $`umount -l /etc /run`;
  };
}

export function serve(prefix: string[], address: string, answer: string) {
  const dnsmasq = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"];
  const options = ["--bind-interfaces", "--user=root", "--pid-file=", `--listen-address=${address}`];
  return Bun.spawn([...prefix, ...dnsmasq, ...options, `--address=/${NAME}/${answer}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
