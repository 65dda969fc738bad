#!/usr/bin/env bash
# The facts that tell machines apart, without their disks. guard.sh sources this file.
# shellcheck disable=SC2154,SC2317 # guard.sh assigns the variables and calls the functions.

# A serial number as profiles/netboot/facts.sh prints it for the inventory, in REPLY.
read_serial() {
  local file text=''
  for file in sys/class/dmi/id/product_serial proc/device-tree/serial-number; do
    read_line "$root/$file"
    text=${REPLY//[^A-Za-z0-9._\/ -]/}
    text=${text#"${text%%[! ]*}"} text=${text%"${text##*[! ]}"}
    if [[ -n $text ]]; then break; fi
  done
  REPLY=${text:0:64}
}

# Whether firmware shows the number $1 on machines that have none of their own: src/model/machine.rs has the same list.
is_placeholder() {
  local text=${1,,}
  case $text in
    '' | 0123456789 | 1234567890 | 123456789 | none | null | n/a | na | unknown | default | 'default string' | oem | o.e.m.) ;;
    'to be filled by o.e.m.' | 'to be filled by oem' | 'system serial number' | 'chassis serial number') ;;
    'base board serial number' | 'serial number' | 'not specified' | 'not applicable' | 'not available' | 'not provided') ;;
    invalid | empty | 'empty string' | 'type1 - serial number' | 'not set' | 'not present' | 'no serial' | 'no enclosure') ;;
    *) [[ -z ${text//"${text:0:1}"/} ]] ;;
  esac
}

check_serial() {
  local expected=${given[serial]-} found
  read_serial
  found=$REPLY
  if [[ $found == "$expected" && -n $expected ]] && ! is_placeholder "$expected"; then
    row ok 'serial number' "$expected" "$found"
  elif is_placeholder "$expected" && is_placeholder "$found"; then
    row - 'serial number' "${expected:-none}" "${found:-none}: no identity; cards and disks must fit"
  elif [[ -z $expected ]]; then
    row - 'serial number' 'not in the inventory' "$found"
  else
    row DIFFERS 'serial number' "$expected" "${found:-none}"
    differences+=("the serial number is ${found:-not readable}, and $node has $expected")
  fi
}

check_cards() {
  local path address entry
  declare -A cards=()
  for path in "$root"/sys/class/net/*; do
    # Bridges, bonds and VLANs have no device. A member of a bond shows the address of the bond.
    [[ -e $path/device ]] || continue
    if [[ -e $path/bonding_slave/perm_hwaddr ]]; then
      read_line "$path/bonding_slave/perm_hwaddr"
    else
      read_line "$path/addr_assign_type"
      # 0 is NET_ADDR_PERM: drivers make up other addresses, and people set them.
      [[ $REPLY == 0 ]] || continue
      read_line "$path/address"
    fi
    address=$REPLY
    if [[ $address =~ ^([0-9a-f]{2}:){5}[0-9a-f]{2}$ ]]; then cards[$address]=$(clean "${path##*/}"); fi
  done
  for entry in "boot=${given[mac]}" "${interfaces[@]}"; do
    address=${entry#*=} entry=${entry%%=*}
    if [[ -n ${cards[$address]-} ]]; then
      row ok "$entry MAC" "$address" "${cards[$address]}"
    else
      row DIFFERS "$entry MAC" "$address" "none of ${!cards[*]}"
      differences+=("no network card has the MAC address $address ($entry)")
    fi
  done
}

# compare FACT EXPECTED FOUND REASON
compare() {
  if [[ $2 == "$3" ]]; then
    row ok "$1" "$2" "$3"
  else
    row DIFFERS "$1" "$2" "$3"
    differences+=("$4")
  fi
}

check_firmware() {
  local firmware=bios machine
  if [[ -d $root/sys/firmware/efi ]]; then firmware=uefi; fi
  compare firmware "${given[firmware]-}" "$firmware" "this machine has started by $firmware: the node would not boot"
  read_line "$root/proc/sys/kernel/arch"
  machine=$REPLY
  if [[ -z $machine && -z $root ]]; then machine=$(uname -m); fi
  compare processor "${given[machine]-}" "$(clean "$machine")" "the processor is another kind: the node would not boot"
}
