#!/bin/sh
# For Ansible, in ssh(1)'s place: the last two words are the host, which is a container, and the command.
while [ $# -gt 2 ]; do shift; done
exec podman exec --interactive "$1" sh -c "$2"
