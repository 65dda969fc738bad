#!/usr/bin/env bash
# Compares this machine with the node whose disks disko is about to erase, before the first write:
#
#   guard.sh ROOT --node NAME --label NAME --group NAME [--serial NUMBER] --mac ADDRESS [--interface NAME=ADDRESS]...
#     --firmware uefi|bios --machine ARCH --each SIZE --all SIZE [--disk PATH [--size SIZE]]... [--erases PATH]...
#
# ROOT is /; tests give a directory. The program only reads, and needs bash, coreutils, /proc, /sys and udev's /run/udev. It
# ends with status 0 where the machine is the node's. PLASMAGEN_ERASE=NAME in the environment, exactly the node's name,
# overrides differences, but no obstacle: with an obstacle, disko would fail when it has erased half of the disks.
set -euo pipefail
shopt -s nullglob

export LC_ALL=C
here=${BASH_SOURCE[0]%/*}
root=${1%/}
shift
declare -A given=() sizes=()
interfaces=() disks=() erases=()
while (($# >= 2)); do
  case $1 in
    --interface) interfaces+=("$2") ;;
    --disk) disks+=("$2") ;;
    --size) sizes[${disks[-1]}]=$2 ;;
    --erases) erases+=("$2") ;;
    *) given[${1#--}]=$2 ;;
  esac
  shift 2
done
for option in node label group mac firmware machine each all; do
  if [[ -z ${given[$option]-} ]]; then
    echo "plasmagen: the wipe guard lacks --$option: nothing was written" >&2
    exit 2
  fi
done
node=${given[node]}

# The reasons to refuse: those that PLASMAGEN_ERASE overrides, and those that it does not.
differences=() obstacles=()

say() { printf '%s\n' "$*" >&2; }

# A text of firmware, disks or the kernel, for a terminal.
clean() {
  local text=${1//[^A-Za-z0-9._:+\/, -]/?}
  printf '%s' "${text:0:64}"
}

# row VERDICT FACT EXPECTED FOUND
row() { printf '%-8s %-14s %-26s %s\n' "$1" "$2" "$3" "$4" >&2; }

# The first line of a file, in REPLY, which is empty where there is no such file.
read_line() {
  REPLY=''
  if [[ -r $1 ]]; then IFS= read -r -d '' REPLY <"$1" 2>/dev/null || true; fi
  REPLY=${REPLY%%$'\n'*}
}

# shellcheck source-path=SCRIPTDIR source=machine.sh
source "$here/machine.sh"
# shellcheck source-path=SCRIPTDIR source=devices.sh
source "$here/devices.sh"
# shellcheck source-path=SCRIPTDIR source=disks.sh
source "$here/disks.sh"

say
say "plasmagen: is this $node? The inventory is compared with this machine before the first write."
say
row '' fact inventory 'this machine'
check_serial
check_cards
check_firmware
check_disks
say

if ((${#differences[@]} + ${#obstacles[@]} == 0)); then
  say "plasmagen: this is $node, and disko goes on."
  exit 0
fi
for reason in "${differences[@]}" "${obstacles[@]}"; do say "  - $reason"; done
say
if ((${#obstacles[@]})); then
  say "plasmagen: refused, and nothing was written. PLASMAGEN_ERASE does not override what disko would fail at."
elif [[ ${PLASMAGEN_ERASE-} == "$node" ]]; then
  say "plasmagen: !!! PLASMAGEN_ERASE=$node: THE DISKS ARE ERASED ALL THE SAME !!!"
  exit 0
else
  say "plasmagen: refused, and nothing was written."
fi
if ((${#differences[@]})); then
  say "If this is another machine, end here: look at the node and the address that you gave to nixos-anywhere or disko."
  say "If the node has new hardware, \`plasmagen node replace $node\` writes it into the inventory; then render, and build anew."
  say "To erase the disks all the same, run disko's script on the machine with PLASMAGEN_ERASE=$node before it, exactly the"
  say "name of the node."
fi
exit 1
