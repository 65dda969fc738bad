#!/usr/bin/env bash
# The disks that disko is about to erase, and what is on them. guard.sh sources this file.
# shellcheck disable=SC2154 # guard.sh and devices.sh assign the variables.

# The node whose installation wrote the name $2 of a partition, an array or a volume group ($1), in REPLY, by the names of
# src/model/disk_names.rs. It is `this` for this node, and empty where the name has no node in it.
find_owner() {
  REPLY=''
  case $1 in
    partition) if [[ $2 =~ ^disk-(.+)-(main|disk[0-9]+)-(boot|ESP|root|lvm)$ ]]; then REPLY=${BASH_REMATCH[1]}; fi ;;
    array) if [[ $2 =~ ^(.+)-(boot|root)$ ]]; then REPLY=${BASH_REMATCH[1]}; fi ;;
    group) if [[ $2 == "${given[group]}" ]]; then REPLY=${given[label]}; elif [[ $2 == pool?* ]]; then REPLY=${2#pool}; fi ;;
  esac
  if [[ $REPLY == "${given[label]}" ]]; then REPLY=this; fi
}

# judge ID KIND NAME: refuses what another node has installed.
declare -A told=()
judge() {
  find_owner "$2" "$3"
  if [[ -n $REPLY && $REPLY != this && -z ${told[$1 $REPLY]-} ]]; then
    told[$1 $REPLY]=1
    differences+=("$1 holds an installation of $(clean "$REPLY") ($2 $(clean "$3"))")
  fi
}

# judge_holder ID KIND NAME DEVICE: an array or a volume group that has been activated must be of this node, or of a version
# that wrote no node's name, and on this node's disks alone: disko removes it whole.
judge_holder() {
  local disk
  judge "$1" "$2" "$3"
  if [[ -z $REPLY && $3 != root && $3 != boot && $3 != pool ]]; then
    differences+=("$1 is part of the $2 $(clean "$3") ($4), which is active and none of plasmagen's")
  fi
  below=()
  find_below "$4"
  for disk in "${below[@]}"; do
    if [[ -z ${names[$disk]-} && -z ${told[$4 $disk]-} ]]; then
      told[$4 $disk]=1
      differences+=("the $2 $(clean "$3") is on $(clean "$disk") as well, which is no disk of $node, and would be removed there, too")
    fi
  done
}

# examine ID DEVICE: whose the device is, and whether it is in use.
examine() {
  local id=$1 device=$2 path=$root/sys/class/block/$2 name uuid
  read_field "$path/uevent" PARTNAME=
  if [[ -n $REPLY ]]; then
    contents+=("$(clean "$REPLY")")
    judge "$id" partition "$REPLY"
  fi
  read_property "$device" ID_FS_TYPE
  if [[ $REPLY == linux_raid_member ]]; then
    # The label is any:node01-root.
    read_property "$device" ID_FS_LABEL
    judge "$id" array "${REPLY##*:}"
  fi
  if [[ -d $path/md ]]; then
    read_property "$device" MD_DEVNAME
    if [[ -z $REPLY ]]; then read_property "$device" MD_NAME; fi
    name=${REPLY##*:}
    judge_holder "$id" array "${name:-without a name}" "$device"
  elif [[ -d $path/dm ]]; then
    read_line "$path/dm/uuid"
    uuid=$REPLY
    read_line "$path/dm/name"
    case $uuid in
      CRYPT-*) obstacles+=("$id is open as $(clean "$REPLY"): boot the installer anew, disko has run in this one") ;;
      LVM-*)
        # Between the names of the group and the volume stands one hyphen; hyphens in them are doubled.
        if [[ $REPLY =~ ^(([^-]|--)+)-[^-] ]]; then REPLY=${BASH_REMATCH[1]//--/-}; fi
        judge_holder "$id" group "$REPLY" "$device"
        ;;
      mpath-*) obstacles+=("$id is a path of the multipath device $(clean "$REPLY"), which the installer does not set up") ;;
      *) differences+=("$id is in use by the mapping $(clean "$REPLY")") ;;
    esac
  elif [[ -d $path/bcache || $device == bcache* ]]; then
    differences+=("$id is in use by $(clean "$device")")
  fi
  read_line "$path/dev"
  uuid=${used[${REPLY:-none}]-${used[$device]-}}
  if [[ -n $uuid ]]; then
    obstacles+=("$id is in use: $(clean "$device") is $uuid. Boot the installer anew: disko has run in this one, or this is none")
  fi
}

# The paths of the disks by the kernel's name, and these names in order.
declare -A names=()
resolved=()

# find_disk ID: adds the disk to `names`, or the reason why disko could not erase it to the obstacles.
find_disk() {
  local device path problem=''
  device=$(readlink -f "$root$1" || true)
  path=$root/sys/class/block/${device##*/}
  read_line "$path/ro"
  if [[ -z $device || ! -e $device ]]; then
    problem='not there'
  elif [[ ! -e $path ]]; then
    problem='no block device'
  elif [[ -e $path/partition || -d $path/dm || -d $path/md || -d $path/loop ]]; then
    problem='not a whole disk'
  elif [[ $REPLY != 0 ]]; then
    problem=read-only
  elif [[ -n ${names[${device##*/}]-} ]]; then
    problem="the same disk as ${names[${device##*/}]}"
  else
    names[${device##*/}]=$1
    resolved+=("${device##*/}")
    return
  fi
  row REFUSED disk "$1" "$problem"
  obstacles+=("$1 is $problem")
}

# check_size ID BYTES
check_size() {
  local expected apart
  parse_size "${given[each]}"
  if (($2 < REPLY)); then
    obstacles+=("$1 has $(($2 >> 20)) MiB, and the layout takes ${given[each]} or more")
  fi
  if [[ -n ${sizes[$1]-} ]]; then
    parse_size "${sizes[$1]}"
    expected=$REPLY apart=$(($2 - REPLY))
    # One per cent: the inventory rounds.
    if ((${apart#-} > expected / 100)); then
      differences+=("$1 has $(($2 >> 20)) MiB, and the inventory says ${sizes[$1]}")
    fi
  fi
}

check_disks() {
  local id device part total=0 bytes before verdict contents
  read_uses
  for id in "${disks[@]}"; do find_disk "$id"; done
  for device in "${resolved[@]}"; do
    id=${names[$device]} before=$((${#differences[@]} + ${#obstacles[@]})) contents=()
    read_bytes "$device"
    bytes=$REPLY
    total=$((total + bytes))
    check_size "$id" "$bytes"
    stack=()
    collect "$device"
    for part in "${stack[@]}"; do examine "$id" "$part"; done
    verdict=ok
    if ((before < ${#differences[@]} + ${#obstacles[@]})); then verdict=DIFFERS; fi
    row "$verdict" disk "$id ${sizes[$id]-}" "$device, $((bytes / 1000000000)) GB, holds ${contents[*]:-no named partition}"
  done
  parse_size "${given[all]}"
  if ((total < REPLY && ${#resolved[@]} == ${#disks[@]})); then
    obstacles+=("the disks have $((total >> 20)) MiB together, and the layout takes ${given[all]}")
  fi
  for id in "${erases[@]}"; do
    if [[ " ${disks[*]} " != *" $id "* ]]; then
      row DIFFERS disk 'not in the inventory' "disko would erase $(clean "$id")"
      differences+=("disko would erase $(clean "$id"), which is no disk of $node in the inventory")
    fi
  done
  list_disks
}

# Lists the disks of the machine where one of the inventory's is missing.
list_disks() {
  local path name
  if [[ " ${obstacles[*]} " != *' is not there'* ]]; then return; fi
  for path in "$root"/dev/disk/by-id/*; do
    name=$(readlink -f "$path" || true)
    name=${name##*/}
    if [[ -e $root/sys/class/block/$name/device && ! -e $root/sys/class/block/$name/partition ]]; then
      read_bytes "$name"
      row '' 'there is' "$(clean "/dev/disk/by-id/${path##*/}")" "$(clean "$name"), $((REPLY / 1000000000)) GB"
    fi
  done
}
