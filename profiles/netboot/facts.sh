#!/usr/bin/env bash
# Prints the facts of this machine that the inventory needs, as TOML to paste into the inventory:
#
#   facts.sh OVERLAY ROOT
#
# With the overlay of a node, the program also prints whether this is the machine that the inventory means.
set -euo pipefail

export LC_ALL=C
overlay=$1 root=${2%/}

# Turns a text of firmware and vendors into one printable word, and into a serial number of the inventory.
word() { tr -cd 'A-Za-z0-9._:+/-' | cut -c 1-128; }
number() { tr -cd 'A-Za-z0-9._/ -' | sed -e 's/^ *//' -e 's/ *$//' | cut -c 1-64; }

serial=''
for file in sys/class/dmi/id/product_serial proc/device-tree/serial-number; do
  if [[ -z $serial && -r $root/$file ]]; then serial=$(number <"$root/$file"); fi
done

# The model of the machine as a name of the inventory, and the manufacturer of the processor.
dmi() { number 2>/dev/null <"$root/sys/class/dmi/id/$1" || true; }
vendor=$(dmi sys_vendor) product=$(dmi product_name)
model=$(tr '[:upper:]' '[:lower:]' <<<"$product" | tr -cs 'a-z0-9\n' - | sed 's/^-*//; s/-*$//' | cut -c 1-40 | sed 's/-*$//')
case $(sed -n 's/^vendor_id[[:space:]]*: //p' "$root/proc/cpuinfo" 2>/dev/null | head -n 1) in
  GenuineIntel) cpu=intel ;;
  AuthenticAMD) cpu=amd ;;
  *) cpu=other ;;
esac

# The kernel modules that drive the device at a path of sysfs, and the buses and controllers that it is behind. A driver
# that is built into the kernel is no module.
modules_of() {
  local path
  path=$(realpath "$1" 2>/dev/null) || return 0
  while [[ $path == "$root"/sys/?* ]]; do
    if [[ -L $path/driver/module ]]; then basename -- "$(readlink "$path/driver/module")" | word; fi
    path=${path%/*}
  done
}
modules=()

# Prints the value of the key $1 in the overlay, if the value is a text.
inventory() {
  jq --raw-output --arg key "$1" '.[$key] | strings' "$overlay/etc/plasmagen/node.json" 2>/dev/null || true
}
name=$(inventory name | tr -cd 'a-z0-9-') expected_mac=$(inventory mac | word) expected_serial=$(inventory serial | number)

# Network cards, without loopback, bridges and bonds, which have no device. The node's card is the card of the overlay, or
# the first card with a link.
macs=() cards=() booted=''
for path in "$root"/sys/class/net/*; do
  [[ -e $path/device ]] || continue
  mac=$(word <"$path/address")
  driver=$(basename -- "$(readlink "$path/device/driver" || echo unknown)" | word)
  # Reading the file fails where the card is down.
  if [[ $(cat "$path/carrier" 2>/dev/null || echo 0) == 1 ]]; then link=linked; else link='no link'; fi
  if [[ $mac == "$expected_mac" || -z $booted && $link == linked ]]; then booted=${#macs[@]}; fi
  macs+=("$mac")
  mapfile -t -O "${#modules[@]}" modules < <(modules_of "$path/device")
  cards+=("mac = \"$mac\" # $(basename -- "$path" | word), $driver, $link")
done

# The rank of a name in /dev/disk/by-id as the inventory's, the lower the better; none for what is no name of a whole
# disk. nvme-<model>_<serial> without a namespace moves (rule PG-F05).
rank() {
  case $1 in
    *-part[0-9]* | dm-* | lvm-* | md-* | usb-*) ;;
    nvme-eui.* | nvme-uuid.* | nvme-nvme.*) echo 2 ;;
    nvme-*_[1-9] | nvme-*_[1-9][0-9]) echo 1 ;;
    nvme-*) ;;
    ata-*) echo 1 ;;
    wwn-*) echo 3 ;;
    *) echo 4 ;;
  esac
}

declare -A best=() ranks=()
for path in "$root"/dev/disk/by-id/*; do
  link=$(basename -- "$path")
  rank=$(rank "$link")
  # The names that the inventory takes.
  [[ -n $rank && $link =~ ^[A-Za-z0-9._:+=@-]+$ ]] || continue
  device=$(basename -- "$(readlink "$path" || true)")
  [[ $device =~ ^[a-z]+[a-z0-9]*$ && ! $device =~ ^(sr|loop)[0-9] ]] || continue
  if ((rank < ${ranks[$device]:-9})); then
    best[$device]=$link ranks[$device]=$rank
  fi
done

echo
if [[ -n $name ]]; then
  echo "# plasmagen: the inventory calls this machine $name"
  if [[ -n $expected_serial && $expected_serial != "$serial" ]]; then
    echo "# WARNING: its serial number is $serial, and the inventory says $expected_serial: do not install it"
  fi
  if [[ -n $expected_mac && " ${macs[*]-} " != *" $expected_mac "* ]]; then
    echo "# WARNING: no card has the MAC address $expected_mac that the inventory says: do not install it"
  fi
else
  echo "# plasmagen: for the inventory"
fi
echo "[node.${name:-NAME}]"
for index in "${!cards[@]}"; do
  if [[ $index == "${booted:-0}" ]]; then echo "${cards[$index]}"; else echo "# ${cards[$index]}"; fi
done
echo "serial = \"$serial\""
echo "hardware = \"${model:-machine}\""
echo "disks = ["
for device in $(printf '%s\n' "${!best[@]}" | sort); do
  bytes=$(($(cat "$root/sys/class/block/$device/size" 2>/dev/null || echo 0) * 512))
  echo "  \"/dev/disk/by-id/${best[$device]}\", # $device, $((bytes / 1000000000)) GB"
  mapfile -t -O "${#modules[@]}" modules < <(modules_of "$root/sys/class/block/$device/device")
done
echo "]"
echo
echo "# Once for all machines of this model, unless a built-in model is meant. The drivers of its disks and network cards:"
echo "[hardware.${model:-machine}]"
echo "description = \"$vendor $product\""
echo "cpu = \"$cpu\""
echo "kernel_modules = ["
printf '%s\n' "${modules[@]}" | sort -u | while read -r module; do
  if [[ -n $module ]]; then echo "  \"$module\","; fi
done
echo "]"
echo
