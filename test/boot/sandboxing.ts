// The settings of systemd.exec(5) and the like that a unit of nspin's can have, and what a unit with one
// of them does.
import type { Machine } from "./machine.ts";

/** Each is a unit's; several lines are one. */
export const SETTINGS = [
  "",
  // --- mounts
  "PrivateTmp=yes",
  "PrivateTmp=disconnected",
  "PrivateMounts=yes",
  "PrivateDevices=yes",
  "ProtectSystem=yes",
  "ProtectSystem=full",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "ProtectHome=tmpfs",
  "ReadOnlyPaths=/etc",
  "ReadWritePaths=/srv",
  "InaccessiblePaths=/opt",
  "TemporaryFileSystem=/srv",
  "BindPaths=/opt:/srv",
  "BindReadOnlyPaths=/etc/hostname:/etc/resolv.conf",
  "NoExecPaths=/srv",
  "RootDirectory=/",
  "MountFlags=shared",
  "MountFlags=slave",
  "ProtectKernelTunables=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelLogs=yes",
  "ProtectControlGroups=yes",
  "ProtectProc=invisible",
  "ProcSubset=pid",
  // --- namespaces
  "PrivateNetwork=yes",
  "NetworkNamespacePath=/run/netns/task1",
  "PrivateIPC=yes",
  "PrivatePIDs=yes",
  "PrivateUsers=yes",
  "ProtectHostname=yes",
  "ProtectClock=yes",
  "RestrictNamespaces=yes",
  "RestrictNamespaces=mnt net",
  "RestrictNamespaces=net",
  // --- users and privilege
  "DynamicUser=yes",
  "User=nobody",
  "User=nobody\nAmbientCapabilities=CAP_SYS_ADMIN",
  "CapabilityBoundingSet=",
  "CapabilityBoundingSet=CAP_SYS_ADMIN",
  "CapabilityBoundingSet=~CAP_SYS_CHROOT",
  "CapabilityBoundingSet=~CAP_SYS_PTRACE",
  "NoNewPrivileges=yes",
  // --- system calls
  "SystemCallFilter=@system-service",
  "SystemCallFilter=@system-service\nSystemCallErrorNumber=EPERM",
  "SystemCallFilter=@system-service @mount",
  "SystemCallFilter=~@mount",
  "SystemCallFilter=~@mount\nSystemCallErrorNumber=EPERM",
  "SystemCallFilter=~@mount\nSystemCallErrorNumber=ENOSYS",
  "SystemCallFilter=~move_mount\nSystemCallErrorNumber=EPERM",
  "SystemCallFilter=~@privileged\nSystemCallErrorNumber=EPERM",
  "SystemCallArchitectures=native",
  "RestrictAddressFamilies=AF_UNIX",
  "LockPersonality=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "MemoryDenyWriteExecute=yes",
  // --- limits
  "LimitAS=1G",
  "LimitDATA=1G",
  "LimitSTACK=128K",
  "LimitNOFILE=8",
  "LimitNPROC=1",
  "UMask=0777",
] as const;

export const WAYS = {
  "nspin run": "nspin run --netns task1 --",
  "--enter setns": "nspin run --netns task1 --enter setns --",
  "a launcher": "/usr/local/bin/launcher",
} as const;
export type Way = keyof typeof WAYS;

export interface Outcome {
  readonly isUp: boolean;
  /** nspin's lines in the journal; and of one that is not up, how it ended, as systemd has it. */
  readonly said: readonly string[];
  /** Of one that is up: its resolv.conf, and its network namespace, are the task's. */
  readonly isOwn: boolean;
  /** Of one that is up: a mount that it makes in /srv is there on the host. */
  readonly reachesHost: boolean;
}

const unit = (i: number) => `way${i}`;

/** Starts a unit for each way, looks at them, and takes them away. */
export async function play(machine: Machine, setting: string): Promise<Outcome[]> {
  const write = Object.values(WAYS).map(
    (start, i) => `cat >/run/systemd/system/${unit(i)}.service <<'END'
[Service]
ExecStart=${start} sleep infinity
TimeoutStopSec=1
${setting}
END
`,
  );
  const outcomes: (Omit<Outcome, "said"> & { said: string })[] = JSON.parse(
    await machine.run(`${write.join("")}${LOOK}`),
  );
  return outcomes.map((one) => ({ ...one, said: one.said.split("\n").filter((line) => line !== "") }));
}

/** What each is, one JSON list; a unit that is not there after 10 s has neither started nor failed. */
const LOOK = `
systemctl daemon-reload
task=$(stat -Lc %i /run/netns/task1)
cursor=$(journalctl --no-pager --lines 0 --show-cursor | sed -n 's/^-- cursor: //p')
systemctl start --no-block way0 way1 way2
separator='['
for unit in way0 way1 way2; do
  pid=0 up=false own=false reaches=false tries=0
  while [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    eval "$(systemctl show --property ActiveState,MainPID $unit)"
    pid=$MainPID
    [ "$ActiveState" != failed ] || break
    if [ "$pid" != 0 ] && [ "$(cat /proc/$pid/comm 2>/dev/null)" = sleep ]; then up=true; break; fi
    sleep 0.1
  done
  if $up; then
    [ "$(cat /proc/$pid/root/etc/resolv.conf)" = 'nameserver 10.1.0.2' ] &&
      [ "$(stat -Lc %i /proc/$pid/ns/net)" = "$task" ] && own=true
    nsenter --target $pid --mount mount -t tmpfs probe /srv
    ! grep -q ' /srv .* probe ' /proc/self/mountinfo || reaches=true
    nsenter --target $pid --mount umount /srv
  fi
  said=$(journalctl --no-pager --after-cursor "$cursor" --unit $unit --output cat | grep '^nspin: ' || :)
  $up || said="$said
systemd: $(systemctl status --no-pager --lines 0 $unit | sed -n 's/^ *Main PID: .*(\\(code=.*\\))$/\\1/p')"
  printf '%s{"isUp":%s,"isOwn":%s,"reachesHost":%s,"said":"%s"}' "$separator" $up $own $reaches \\
    "$(printf '%s' "$said" | sed 's/[\\\\"]/\\\\&/g' | sed -z 's/\\n/\\\\n/g')"
  separator=,
done
echo ]
systemctl stop way0 way1 way2 2>/dev/null
systemctl reset-failed way0 way1 way2 2>/dev/null || :
rm /run/systemd/system/way?.service
`;
