#!/usr/bin/env bash
# Block devices as the kernel and udev show them. guard.sh sources this file.
# shellcheck disable=SC2034,SC2154 # The other files use the variables and assign them.

# The number of bytes in a size such as 894G, in REPLY.
parse_size() {
  local -A shifts=([M]=20 [G]=30 [T]=40)
  REPLY=$((10#${1%?} << ${shifts[${1: -1}]}))
}

# The number of bytes of the disk $1, by the kernel's name, in REPLY.
read_bytes() {
  read_line "$root/sys/class/block/$1/size"
  if [[ ! $REPLY =~ ^[0-9]{1,15}$ ]]; then REPLY=0; fi
  # The kernel counts sectors of 512 bytes, whatever those of the disk.
  REPLY=$((10#$REPLY * 512))
}

# The rest of the first line of the file $1 that begins with $2, in REPLY.
read_field() {
  local line
  REPLY=''
  if [[ -r $1 ]]; then
    while IFS= read -r line || [[ -n $line ]]; do
      if [[ $line == "$2"* ]]; then
        REPLY=${line#"$2"}
        return
      fi
    done <"$1"
  fi
}

# The property $2 of the device $1 in udev's database, in REPLY.
read_property() {
  read_line "$root/sys/class/block/$1/dev"
  read_field "$root/run/udev/data/b$REPLY" "E:$2="
}

# Where devices are mounted or used as swap, by number and by name: disks.sh looks there.
declare -A used=()
read_uses() {
  local number point rest source device
  while read -r _ _ number _ point rest; do
    used[$number]="mounted at $(clean "$point")"
    read -r _ source _ <<<"${rest#* - }"
    if [[ $source == /dev/* ]]; then
      device=$(readlink -f "$root$source" || true)
      used[${device##*/}]="mounted at $(clean "$point")"
    fi
  done <"$root/proc/self/mountinfo"
  while read -r source _; do
    if [[ $source == /dev/* ]]; then
      device=$(readlink -f "$root$source" || true)
      used[${device##*/}]='used as swap'
    fi
  done <"$root/proc/swaps"
}

# Adds the device $1 and all that is on it to `stack`: partitions, arrays, volumes, opened encryption.
stack=()
collect() {
  local path=$root/sys/class/block/$1 above
  if [[ " ${stack[*]} " == *" $1 "* ]]; then return; fi
  stack+=("$1")
  for above in "$path"/*/partition; do
    above=${above%/partition}
    collect "${above##*/}"
  done
  for above in "$path"/holders/*; do collect "${above##*/}"; done
}

# Adds the whole disks below the device $1 to `below`.
below=()
find_below() {
  local path=$root/sys/class/block/$1 slave slaves real
  slaves=("$path"/slaves/*)
  if [[ -e $path/partition ]]; then
    real=$(readlink -f "$path")
    real=${real%/*}
    below+=("${real##*/}")
  elif ((${#slaves[@]})); then
    for slave in "${slaves[@]}"; do find_below "${slave##*/}"; done
  else
    below+=("$1")
  fi
}
