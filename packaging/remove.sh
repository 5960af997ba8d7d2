# Of instances only systemd knows the names, and where they are enabled.
if [ -d /run/systemd/system ]; then
	systemctl stop @instances@ || true
	# Or the host would be degraded by them until its next boot.
	systemctl reset-failed @all@ || true
fi
if command -v systemctl >/dev/null; then
	systemctl --no-reload disable @units@ || true
fi
# The mount that method pin left on the host, unless a program relies on it.
if [ -e /run/nspin.lock ]; then
	nspin unpin || true
fi
