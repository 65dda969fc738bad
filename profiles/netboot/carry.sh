#!/bin/sh
# Stage 1 of the installer: copies the node's overlay to /run. The kernel unpacked the overlay into a root that stage 2
# does not see; /run stays. This runs as a unit or as a part of NixOS' script, in any POSIX shell; $1 is for tests.
#
# NixOS' script goes on after a failure. So each copy is checked here, a file that cannot be copied is named, and the
# other files are copied.
set -u
umask 077
root=${1-} carried=0
if [ -f "$root/etc/plasmagen/node.json" ]; then
  for file in etc/hostname etc/plasmagen/node.json root/.ssh/authorized_keys; do
    # A symbolic link could lead out of the overlay.
    if [ -f "$root/$file" ] && ! [ -L "$root/$file" ]; then
      kept=$root/run/plasmagen/overlay/$file
      if ! { mkdir -p "${kept%/*}" && cp "$root/$file" "$kept"; }; then
        echo "plasmagen: could not keep the overlay's $file for stage 2"
        carried=1
      fi
    fi
  done
fi
exit "$carried"
