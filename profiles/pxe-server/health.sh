#!/usr/bin/env bash
# Asks systemd for the state of the servers of a PXE server, and writes the answer that nginx serves as /health; and ends
# the arming of machines, since iPXE reads no clock:
#
#   pxe-health --state /run/pxe-health --armed /srv/boot/armed dhcp=kea-dhcp4-server.service http=nginx.service
#
# --armed names the directory in which `plasmagen arm` writes a file for each armed machine. The program removes the files
# whose time has ended, and writes into .pxe-health there when it has last done so, in seconds since 1970.
#
# The program writes healthy.json where every unit runs, else unhealthy.json, and removes the other file. Where the program
# cannot finish, it removes healthy.json too, so that no stale answer is healthy.
set -euo pipefail
umask 022

# A unit that was restarted less than this many seconds ago may still be restarting again and again.
settled=30

usage() {
  echo "pxe-health: $1; usage: pxe-health --state DIR [--armed DIR] NAME=UNIT..." >&2
  exit 2
}

# Prints the state of the unit $1 in one word: `running`, or why the unit does not run.
measure() {
  local said load='' active='' sub='' restarts=0 since=0 key value up
  # Without an answer of systemd, the state is unknown.
  if ! said=$(timeout 5 systemctl show \
    --property=LoadState,ActiveState,SubState,NRestarts,ActiveEnterTimestampMonotonic -- "$1"); then
    echo unknown
    return
  fi
  while IFS='=' read -r key value; do
    case $key in
      LoadState) load=$value ;;
      ActiveState) active=$value ;;
      SubState) sub=$value ;;
      NRestarts) restarts=$value ;;
      ActiveEnterTimestampMonotonic) since=$value ;;
    esac
  done <<<"$said"
  if ! [[ $restarts$since =~ ^[0-9]+$ ]]; then
    echo unknown
    return
  fi
  case $load:$active:$sub in
    loaded:active:running | loaded:active:listening)
      # /proc/uptime has seconds since the machine started, systemd microseconds.
      read -r up _ </proc/uptime
      if ((restarts > 0 && ${up%.*} - since / 1000000 < settled)); then
        echo restarting
      else
        echo running
      fi
      ;;
    loaded:activating:auto-restart*) echo restarting ;;
    loaded:activating:* | loaded:reloading:*) echo starting ;;
    loaded:failed:*) echo failed ;;
    # The unit is active without a process: its process has ended.
    loaded:active:exited | loaded:inactive:* | loaded:deactivating:*) echo stopped ;;
    not-found:* | masked:*) echo missing ;;
    *) echo unknown ;;
  esac
}

# Removes the files in the directory $1 of machines whose arming has ended: the second line of a file says when, in seconds
# since 1970. Sets `failed` where that is not possible.
disarm_ended() {
  local lock now file line name
  # `plasmagen arm` and `plasmagen disarm` hold this lock while they work.
  if ! { exec {lock}<"$1" && flock --timeout 5 "$lock" && now=$(date +%s) && [[ $now =~ ^[0-9]+$ ]]; }; then
    echo "pxe-health: cannot end the arming of machines in $1"
    failed=1
    return
  fi
  for file in "$1"/*; do
    name=${file##*/}
    [[ $name =~ ^([0-9a-f]{2}-){5}[0-9a-f]{2}$ && -f $file && ! -L $file ]] || continue
    if ! { IFS= read -r -n 64 _ && IFS= read -r -n 64 line; } <"$file"; then
      line=''
    fi
    if ! [[ $line =~ ^'# until '([1-9][0-9]{0,11})$ ]]; then
      echo "pxe-health: $name is armed without an end, and not by this version of plasmagen arm"
    elif ((BASH_REMATCH[1] <= now)); then
      if rm -f -- "$file"; then
        echo "pxe-health: the arming of $name has ended"
      else
        failed=1
      fi
    fi
  done
  # By this stamp `plasmagen arm` knows that armings end in this directory. Neither the redirection nor the renaming follows
  # a link that somebody has put there.
  if ((failed == 0)) && ! { rm -f -- "$1/.pxe-health.new" && stamp "$now" "$1/.pxe-health.new" &&
    mv -fT -- "$1/.pxe-health.new" "$1/.pxe-health"; }; then
    echo "pxe-health: cannot write $1/.pxe-health"
    failed=1
  fi
  exec {lock}<&-
}

# Writes $1 into the new file $2.
stamp() {
  local -
  set -o noclobber
  printf '%s\n' "$1" >"$2"
}

[[ ${1:-} == --state && ${2:-} == /* ]] || usage "no absolute --state first"
state=$2 armed='' failed=0
shift 2
if [[ ${1:-} == --armed ]]; then
  [[ ${2:-} == /* ]] || usage "no absolute --armed"
  armed=$2
  shift 2
fi
(($# > 0)) || usage "no unit"
for word; do
  [[ $word =~ ^[a-z][a-z0-9-]*=[A-Za-z0-9:_.@-]+\.(service|socket)$ ]] || usage "'$word' is not NAME=UNIT"
done

# Before plasmagen has armed a machine for the first time, there is no such directory.
if [[ -d $armed ]]; then
  disarm_ended "$armed"
fi

trap 'rm -f -- "$state/healthy.json" "$state/.new"' EXIT

status=healthy services='' other=unhealthy
for word; do
  found=$(measure "${word#*=}")
  if [[ $found != running ]]; then
    status=unhealthy other=healthy
    echo "pxe-health: ${word%%=*} (${word#*=}) is $found"
  fi
  services+=",\"${word%%=*}\":\"$found\""
done

TZ=UTC printf '{"status":"%s","services":{%s},"checked":"%(%Y-%m-%dT%H:%M:%SZ)T"}\n' \
  "$status" "${services#,}" -1 >"$state/.new"
mv -f -- "$state/.new" "$state/$status.json"
rm -f -- "$state/$other.json"
trap - EXIT
exit "$failed"
