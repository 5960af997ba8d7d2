# What was put there by hand comes first, in PATH and for systemd.
for file in /usr/local/bin/nspin /usr/local/lib/systemd/system/nspin@.service; do
	[ ! -e "$file" ] || echo "nspin: warning: $file is taken in place of the package's: remove it" >&2
done
# What runs is left alone, also by an upgrade.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
