#!/usr/bin/env bash
# Asks systemd what the servers of a PXE server really are, and leaves the answer for nginx to serve as /health:
#
#   pxe-health --state /run/pxe-health dhcp=kea-dhcp4-server.service tftp=atftpd.socket http=nginx.service
#
# It writes healthy.json where every unit runs, else unhealthy.json, and removes the other one. Where it cannot finish,
# healthy.json goes as well: nothing is called healthy that was not measured.
set -euo pipefail
umask 022

# A unit that came back this short a time ago, in seconds, may still be going round in circles.
settled=30

usage() {
  echo "pxe-health: $1; usage: pxe-health --state DIR NAME=UNIT..." >&2
  exit 2
}

# What the unit $1 is, in one word: `running`, or why not.
measure() {
  local said load='' active='' sub='' restarts=0 since=0 key value up
  # A systemd that does not answer knows nothing of its units.
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
      # Seconds since the machine started, against microseconds.
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
    # Active without a process: what has started it is done, and it is gone.
    loaded:active:exited | loaded:inactive:* | loaded:deactivating:*) echo stopped ;;
    not-found:* | masked:*) echo missing ;;
    *) echo unknown ;;
  esac
}

[[ ${1:-} == --state && ${2:-} == /* ]] || usage "no absolute --state first"
state=$2
shift 2
(($# > 0)) || usage "no unit"
for word; do
  [[ $word =~ ^[a-z][a-z0-9-]*=[A-Za-z0-9:_.@-]+\.(service|socket)$ ]] || usage "'$word' is not NAME=UNIT"
done

unfinished() { rm -f -- "$state/healthy.json" "$state/.new"; }
trap unfinished EXIT

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
