// What writes a host's /etc/resolv.conf, nsswitch.conf or /run/nscd, as Debian has it, and
// how it is made to do so beside a program that has its own.
import { HOST_ANSWER } from "../kit/answers.ts";
import { until } from "../kit/until.ts";
import { DNSMASQ, type Machine } from "./machine.ts";

/** The host's DNS servers: the one before, and another. */
export const OLD = { address: "10.0.0.2", answer: HOST_ANSWER };
export const NEW = { address: "10.0.0.3", answer: "192.0.2.3" };
export type Server = typeof OLD;

export interface Software {
  /** As the table names it. */
  readonly name: string;
  /** For a shell of the program's, which starts nothing for it: is what is there the task's? */
  readonly isOwn: string;
  /** What is covered besides resolv.conf: [source, target]. */
  readonly covers: readonly (readonly [string, string])[];
  /** Of those, what is no entry of /etc/netns/task1. */
  readonly binds: readonly (readonly [string, string])[];
  /** Before anything of the program's is there. */
  prepare(machine: Machine): Promise<void>;
  /** While the program runs, one by one: each throws what is said where it fails. */
  readonly changes: readonly Change[];
  /** When it has ended. */
  readonly after: Change;
  clean(machine: Machine): Promise<void>;
}

interface Change {
  /** The host resolves by this server then. */
  readonly server: Server;
  make(machine: Machine): Promise<void>;
}

const RESOLV_CONF = 'read -r line </etc/resolv.conf && [ "$line" = "nameserver 10.1.0.2" ]';

/** The host's first one is the machine's. */
export async function makeServer(machine: Machine): Promise<void> {
  await machine.run(`
    ip address add ${NEW.address}/24 dev ens5
    systemd-run --quiet --unit dns2 ${DNSMASQ} --listen-address=${NEW.address} --address=/#/${NEW.answer}`);
}

const nscd: Software = {
  name: "nscd makes its directory anew",
  isOwn: "[ ! -e /run/nscd/socket ]",
  covers: [["/run/empty", "/run/nscd"]],
  binds: [["/run/empty", "/run/nscd"]],
  async prepare(machine) {
    // Debian's unit keeps the directory; this one of systemd's takes it away and makes it at each start.
    await machine.write(
      "/etc/systemd/system/nscd.service.d/anew.conf",
      "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRuntimeDirectory=nscd\n",
    );
    await machine.run("systemctl daemon-reload; mkdir -p /run/empty; systemctl restart nscd");
  },
  changes: [1, 2].map(() => ({ server: OLD, make: restartNscd })),
  after: { server: OLD, make: restartNscd },
  async clean(machine) {
    await machine.run("systemctl stop nscd");
  },
};

async function restartNscd(machine: Machine): Promise<void> {
  const before = await machine.run("stat --format %i /run/nscd");
  await machine.run("systemctl restart nscd; test -S /run/nscd/socket");
  const after = await machine.run("stat --format %i /run/nscd");
  if (before === after) throw new Error("the directory is the old one");
}

const dpkg: Software = {
  name: "dpkg takes libnss-myhostname away",
  isOwn: 'read -r line </etc/nsswitch.conf && [ "$line" = "hosts: files dns" ]',
  covers: [["/etc/netns/task1/nsswitch.conf", "/etc/nsswitch.conf"]],
  binds: [],
  async prepare(machine) {
    await machine.write("/etc/netns/task1/nsswitch.conf", "hosts: files dns\n");
    await machine.run(`
      dpkg --purge libnss-myhostname
      sed -i 's/^hosts:.*/hosts: files resolve [!UNAVAIL=return] dns/' /etc/nsswitch.conf
      ${INSTALL}
      grep '^hosts: files myhostname resolve ' /etc/nsswitch.conf`);
  },
  changes: [{ server: OLD, make: purge }],
  after: {
    server: OLD,
    async make(machine) {
      await machine.run(INSTALL);
      await purge(machine);
    },
  },
  async clean(machine) {
    await machine.run(`
      dpkg --purge libnss-myhostname
      rm -f /etc/netns/task1/nsswitch.conf
      sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf`);
  },
};

const INSTALL = "dpkg -i /var/packages/libnss-myhostname_*.deb";

async function purge(machine: Machine): Promise<void> {
  await machine.run("dpkg -P libnss-myhostname");
  await machine.run("! grep myhostname /etc/nsswitch.conf");
}

const KEYFILE = `[main]
plugins=keyfile
dns=default
systemd-resolved=false
no-auto-default=*
[keyfile]
unmanaged-devices=*,except:interface-name:nm0
`;

/** Which a person asks for another server as nmcli(1) has it: in the connection, and on the device. */
function networkManager(name: string, rcManager: string, makeFile: string): Software {
  const up = (server: Server): Change => ({
    server,
    async make(machine) {
      await machine.run(`nmcli connection modify nm0 ipv4.dns ${server.address} && nmcli connection up nm0`);
    },
  });
  const modify = (server: Server): Change => ({
    server,
    async make(machine) {
      await machine.run(`nmcli device modify nm0 ipv4.dns ${server.address}`);
    },
  });
  return {
    name: `NetworkManager, ${name}`,
    isOwn: RESOLV_CONF,
    covers: [],
    binds: [],
    async prepare(machine) {
      await machine.write(
        "/etc/NetworkManager/conf.d/test.conf",
        KEYFILE.replace("dns=", `rc-manager=${rcManager}\ndns=`),
      );
      // Debian's root has no udev that has seen nm0: where /sys is read-only, NetworkManager asks for none.
      // And it goes on with what it finds on an interface, so this is a new one each time.
      await machine.run(`
        systemctl stop systemd-resolved
        ip link add nm0 type veth peer name nmpeer
        ip link set nmpeer up
        mount -o remount,bind,ro /sys
        rm -f /etc/resolv.conf
        ${makeFile}
        systemctl start NetworkManager
        nmcli connection add type ethernet ifname nm0 con-name nm0 autoconnect no \\
          ipv4.method manual ipv4.addresses 10.9.0.1/24 ipv6.method disabled ipv4.dns ${OLD.address}
        nmcli connection up nm0`);
    },
    changes: [up(NEW), modify(OLD)],
    after: up(NEW),
    async clean(machine) {
      await machine.run(`
        nmcli connection delete nm0
        systemctl stop NetworkManager
        ip link delete nm0
        mount -o remount,bind,rw /sys`);
    },
  };
}

/** The file is its own already, so that it makes no backup of another's. */
function openresolv(name: string, configuration: string): Software {
  const add = (server: Server): Change => ({
    server,
    async make(machine) {
      await machine.run(`echo nameserver ${server.address} | resolvconf -a nm0`);
    },
  });
  return {
    name,
    isOwn: RESOLV_CONF,
    covers: [],
    binds: [],
    async prepare(machine) {
      // They conflict: systemd-resolved is a resolvconf, too.
      await machine.run(`
        dpkg --purge libnss-resolve systemd-resolved
        dpkg -i /var/packages/openresolv_*.deb
        rm -f /etc/resolv.conf
        echo '# Generated by resolvconf' >/etc/resolv.conf
        echo '${configuration}' >/etc/resolvconf.conf`);
      await add(OLD).make(machine);
    },
    changes: [add(NEW), add(OLD)],
    after: add(NEW),
    async clean(machine) {
      await machine.run("resolvconf -d nm0");
    },
  };
}

/** In this order: openresolv takes systemd-resolved's place. */
export const software: readonly Software[] = [
  dpkg,
  nscd,
  networkManager(
    "rc-manager=symlink",
    "symlink",
    "mkdir -p /run/NetworkManager; ln -s /run/NetworkManager/resolv.conf /etc/resolv.conf",
  ),
  networkManager("rc-manager=file", "file", "echo >/etc/resolv.conf"),
  openresolv("openresolv", ""),
  openresolv("openresolv, resolv_conf_mv=YES", "resolv_conf_mv=YES"),
];

/** Does the host follow, within three seconds? */
export async function change(machine: Machine, { server, make }: Change): Promise<boolean> {
  try {
    await make(machine);
    await until(async () => (await hostAnswer(machine)) === server.answer, 3000);
    return true;
  } catch (error) {
    console.log(`${error}`.trim());
    return false;
  }
}

export async function hostAnswer(machine: Machine): Promise<string | undefined> {
  return answerOf(await machine.run("timeout 2 getent ahostsv4 who.nspin.test || true"));
}

export function answerOf(output: string): string | undefined {
  return output.split(" ")[0];
}
