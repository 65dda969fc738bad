#!/bin/sh
# Stage 1 of the installer: copies the node's overlay to /run. The kernel unpacked the overlay into a root that stage 2
# does not see; /run stays. This runs as a unit or as a part of NixOS' script, in any POSIX shell; $1 is for tests.
set -eu
umask 077
root=${1-}
if [ -f "$root/etc/plasmagen/node.json" ]; then
  for file in etc/hostname etc/plasmagen/node.json root/.ssh/authorized_keys; do
    # A symbolic link could lead out of the overlay.
    if [ -f "$root/$file" ] && ! [ -L "$root/$file" ]; then
      mkdir -p "$root/run/plasmagen/overlay/${file%/*}"
      cp "$root/$file" "$root/run/plasmagen/overlay/$file"
    fi
  done
fi
