/** The sequence of the program that nspin replaces, mended, for `sh -c`: becomes "$@". */
export function published(id: string): string {
  return `
mount --bind /etc/resolv.conf /etc/resolv.conf
mount --make-private /etc/resolv.conf
exec unshare --mount --propagation unchanged sh -c '
  mount --bind /etc/netns/${id}/resolv.conf /etc/resolv.conf
  exec nsenter --net=/run/netns/${id} "$@"' sh "$@"`;
}
