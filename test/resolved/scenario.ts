// One host whose resolv.conf belongs to systemd-resolved, one program started
// in one way, one change of the host's DNS server: what came of it, as JSON.
// For a mount and a network namespace of its own.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { ownResolvConf } from "../kit/own-etc.ts";
import { Program } from "../kit/program.ts";
import { published } from "../kit/published.ts";
import { until } from "../kit/until.ts";

export interface Outcome {
  /** Did systemd-resolved get its file replaced? */
  readonly rewrite: "done" | "refused";
  readonly program: string;
  readonly mounts: number;
  readonly reaches: boolean;
}

const ID = "task";
const RESOLVE = "/run/systemd/resolve";
const SERVER = { old: "192.0.2.53", new: "192.0.2.54", task: "10.1.0.2" };
const unpacked = `${import.meta.dir}/../../dist/resolved`;

const nspin = (method: string) => [NSPIN, "run", "--netns", ID, "--method", method, "--"];
export const ways: Record<string, string[]> = {
  "nspin run (auto)": nspin("auto"),
  "nspin run --method rejoin": nspin("rejoin"),
  "nspin run --method overlay": nspin("overlay"),
  "nspin run --method pin": nspin("pin"),
  "the published sequence": ["sh", "-c", published(ID), "sh"],
  "ip netns exec": ["ip", "netns", "exec", ID],
};

if (import.meta.main) {
  const [file, way] = process.argv.slice(2) as ["stub-resolv.conf" | "resolv.conf", string];
  console.log(JSON.stringify(await play(file, ways[way] as string[])));
  process.exit(0);
}

async function play(file: string, command: string[]): Promise<Outcome> {
  const resolved = await startResolved(file);
  await $`ip netns add ${ID} && mkdir -p /etc/netns/${ID} /run/probe`;
  writeFileSync(`/etc/netns/${ID}/resolv.conf`, `nameserver ${SERVER.task}\n`);
  const before = mountTable();
  const program = new Program(command);
  const sees = async () =>
    /^search (\S+)|^nameserver (10\S+)/m.exec(await program.run("cat /etc/resolv.conf"))?.[0];
  const started = await sees();
  if (started !== `nameserver ${SERVER.task}`) throw new Error(`the program starts with ${started}`);

  const inode = statSync(`${RESOLVE}/${file}`).ino;
  setDns(SERVER.new, "new.test");
  const isReplaced = async () => statSync(`${RESOLVE}/${file}`).ino !== inode;
  const rewrite = await until(isReplaced, 3000).then(
    () => "done" as const,
    () => "refused" as const,
  );
  const isHostNew = readFileSync("/etc/resolv.conf", "utf8").includes("search new.test");
  if (isHostNew !== (rewrite === "done")) throw new Error("the host reads something else than was written");

  const after = await sees();
  await program.run("mount -t tmpfs probe /run/probe");
  const reaches = mountTable().some((line) => line.includes(" /run/probe "));
  await program.end();
  await $`umount /run/probe`.quiet().nothrow();
  const mounts = mountTable().filter((line) => !before.includes(line)).length;
  resolved.kill();
  await resolved.exited;
  return { rewrite, program: after === started ? "the task's" : "the host's", mounts, reaches };
}

async function startResolved(file: string) {
  await ownResolvConf(`${RESOLVE}/${file}`);
  await $`ip link set lo up`;
  await $`ip link add eth0 type veth peer name eth1 && ip link set eth0 up && ip link set eth1 up`;
  if (!readFileSync("/etc/passwd", "utf8").includes("\nsystemd-resolve:")) {
    await $`echo systemd-resolve:x:995:995::/:/usr/sbin/nologin >> /etc/passwd`;
    await $`echo systemd-resolve:x:995: >> /etc/group`;
  }
  mkdirSync("/run/systemd/netif/links", { recursive: true });
  await $`chown systemd-resolve:systemd-resolve ${RESOLVE}`;
  setDns(SERVER.old, "old.test");
  const child = Bun.spawn([`${unpacked}/lib/systemd/systemd-resolved`], {
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, LD_LIBRARY_PATH: `${unpacked}/usr/lib/x86_64-linux-gnu/systemd` },
  });
  await until(async () => readFileSync("/etc/resolv.conf", "utf8").includes("search old.test"));
  return child;
}

/** As systemd-networkd does it, whose directory systemd-resolved watches for files that are moved there. */
function setDns(server: string, domain: string): void {
  const index = readFileSync("/sys/class/net/eth0/ifindex", "utf8").trim();
  const text = `ADMIN_STATE=configured\nOPER_STATE=routable\nDNS=${server}\nDOMAINS=${domain}\n`;
  writeFileSync("/run/systemd/netif/new", text);
  renameSync("/run/systemd/netif/new", `/run/systemd/netif/links/${index}`);
}
