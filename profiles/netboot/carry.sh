#!/bin/sh
# Stage 1 of the installer: keeps what the node's overlay has brought. The kernel unpacked it into a root that stage 2
# never sees; /run stays. Runs as a unit, or as a part of NixOS' script, in whichever shell is there; $1 is for the tests.
set -eu
umask 077
root=${1-}
if [ -f "$root/etc/plasmagen/node.json" ]; then
  for file in etc/hostname etc/plasmagen/node.json root/.ssh/authorized_keys; do
    # A link could lead out of the overlay.
    if [ -f "$root/$file" ] && ! [ -L "$root/$file" ]; then
      mkdir -p "$root/run/plasmagen/overlay/${file%/*}"
      cp "$root/$file" "$root/run/plasmagen/overlay/$file"
    fi
  done
fi
