/**
 * The sequence of the program that nspin replaces, mended, for `sh -c`: becomes "$@".
 * It covers resolv.conf, and what else is asked for, [source, target].
 */
export function published(id: string, more: readonly (readonly [string, string])[] = []): string {
  const covers = [[`/etc/netns/${id}/resolv.conf`, "/etc/resolv.conf"] as const, ...more];
  const pins = covers.map(([, target]) => `mount --bind ${target} ${target}\nmount --make-private ${target}`);
  const binds = covers.map(([source, target]) => `  mount --bind ${source} ${target}`);
  return `
${pins.join("\n")}
exec unshare --mount --propagation unchanged sh -c '
${binds.join("\n")}
  exec nsenter --net=/run/netns/${id} "$@"' sh "$@"`;
}
