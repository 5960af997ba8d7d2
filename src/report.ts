// What the user reads when nspin says no: one line on stderr, and a hint where errno misleads.
import { dlopen } from "bun:ffi";
import { constants } from "node:os";
import { STEPS } from "./contract.ts";
import { CANNOT, NOT_EXECUTABLE, NOT_FOUND, Refusal, StepFailed } from "./errors.ts";
import { log } from "./log.ts";
import { objectOf } from "./steps.ts";

/** Prints the error; returns the exit status. */
export function report(error: unknown): number {
  const refusal = error instanceof StepFailed ? refuse(error) : error;
  log.error(refusal instanceof Error ? refusal.message : String(refusal));
  if (!(refusal instanceof Refusal)) return CANNOT;
  if (refusal.hint !== undefined) log.error(`hint: ${refusal.hint}`);
  return refusal.status;
}

function refuse(failure: StepFailed): Refusal {
  const { step, errno, cover, plan } = failure;
  const failed = STEPS[step - 1];
  const name = errnoName(errno);
  if (failed === undefined) return new Refusal(`cannot start the program: unknown step ${step} (${name})`);
  const object = objectOf(failed, plan, plan.covers[cover]);
  const sentence = ["cannot", failed.verb, object].filter((part) => part !== "").join(" ");
  const hint = hints[`${failed.name} ${name}`];
  return new Refusal(
    `${sentence}: ${errnoText(errno)} (${name})`,
    typeof hint === "function" ? hint(failure) : hint,
    statusOf(failed.name, name, plan.enterWords.length > 0),
  );
}

/** As env(1) and nsenter(1): the program's own failures are 126 and 127, ours are 125. */
function statusOf(step: string, errno: string, entersByCommand: boolean): number {
  if (entersByCommand || (step !== "FIND" && step !== "EXECUTE") || errno === "E2BIG") return CANNOT;
  return errno === "ENOENT" ? NOT_FOUND : NOT_EXECUTABLE;
}

const kinds = "a file covers a file, a directory covers a directory";
const changed = "it changed while the program was being started, which was stopped; try again";
const hints: Record<string, string | ((failure: StepFailed) => string | undefined)> = {
  "GUARD ENOENT": "this binary was built without its entry guard: npm run build",
  "PRIVILEGE EPERM": "run it as root, for example with sudo",
  "FIND ENOENT": ({ plan }) =>
    plan.enterWords.length > 0 ? "install util-linux, or enter without it: --enter setns" : undefined,
  "OPEN_NETNS ENOENT": "'ip netns list' shows the network namespaces that have a name",
  "CHECK_NETNS EINVAL": "it is a file of another kind: 'ip netns add NAME' makes /run/netns/NAME",
  "OPEN_SOURCE ENOENT": "this is what the program shall see: it must exist",
  "OPEN_TARGET ENOENT": ({ plan, cover }) =>
    plan.program.length === 0
      ? undefined // unpin
      : plan.covers[cover]?.from === "/etc/netns"
        ? `${plan.covers[cover].source} covers its namesake, which does not exist`
        : "only what exists can be covered: create it first",
  "COMPARE ENOTDIR": kinds,
  "COMPARE EISDIR": kinds,
  "COMPARE EBUSY": "the root directory itself cannot be covered",
  "COMPARE EEXIST": "another cover is on the same file, or one is within the other: one would hide the other",
  "DECIDE EOPNOTSUPP": ({ why }) => why,
  "DECIDE ESTALE": changed,
  "LEAVE EAGAIN": changed,
  "BIND EAGAIN": changed,
  "BIND EINVAL": "a pipe, socket or file of /proc/self/fd cannot be bound: name a file that has a path",
  "OPEN_TARGET ESTALE": changed,
  "BIND ENOENT": changed,
  "REJOIN EINVAL": "a mount that is locked to its place, user_namespaces(7), cannot rejoin: --method pin",
  "REJOIN EAGAIN": "the host's mount table changed each time, 50 times over; try again",
  "OVERLAY EBUSY": "something is mounted in that directory, which an overlay would hide",
  "OVERLAY ENODEV": "the kernel has no overlay file system: modprobe overlay",
  "READ_ONLY ENOSYS": "of a directory, --read-only needs Linux 5.12",
  "FIND_PIN EINVAL": "what is there is no mount of the file onto itself, as method pin leaves it",
  "FIND_PIN EBUSY": "other mounts lie in it: unmount them first",
  "UNSHARE ENOSPC": "the limit is the sysctl user.max_mnt_namespaces",
  "SELF_BIND ENOSPC": "the limit is the sysctl fs.mount-max",
  "BIND ENOSPC": "the limit is the sysctl fs.mount-max",
  "OPEN_SHOWN ESTALE": changed,
  "VERIFY_HERE ESTALE": changed,
  "VERIFY_HOST ESTALE": changed,
  "EXECUTE E2BIG": "arguments and environment together are longer than execve(2) takes",
};

/** ENOTSUP is EOPNOTSUPP by another name, which is not the kernel's. */
function errnoName(errno: number): string {
  const names = Object.entries(constants.errno).filter(([name]) => name !== "ENOTSUP");
  return names.find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
}

export function errnoText(errno: number): string {
  const libc = dlopen("libc.so.6", { strerror: { args: ["i32"], returns: "cstring" } });
  return String(libc.symbols.strerror(errno));
}
