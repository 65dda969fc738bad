#!/usr/bin/env bash
# Sets up this cluster's IAM, where IAM answers that it is not set up:
#
#   iam-setup.sh --port 8080 [--health-timeout 120]
#
# The program waits until the local IAM is healthy and has its database. It asks an IAM whose health has
# `"initialized": false` to set itself up, and leaves any other IAM as it is. The answer is discarded unread, since it may
# hold credentials.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=client.sh
source "${BASH_SOURCE[0]%/*}/client.sh"

port='' health_timeout=120
while (($# > 1)); do
  case $1 in
    --port) port=$2 ;;
    --health-timeout) health_timeout=$2 ;;
    --first-pause) first_pause=$2 ;;
    *) break ;;
  esac
  shift 2
done
if (($#)) || ! number "$port" || ! number "$health_timeout" || ! number "$first_pause"; then
  die 2 'usage: iam-setup.sh --port PORT [--health-timeout SECONDS] [--first-pause MILLISECONDS]'
fi
iam=https://localhost:$port

# Whether IAM is healthy and has its database.
connected() {
  healthy "$iam" || return 1
  if ! says '.database == "connected"'; then
    reason='its database is not connected'
    return 1
  fi
}

# Asks IAM to set itself up, unless IAM is set up.
set_up() {
  connected || return 1
  if ! says '.initialized == false'; then return 0; fi
  if ! ask POST "$iam$iam_init_path" '{}'; then
    reason="Initial set-up failed: $reason"
    return 1
  fi
  : >"$answer" || die "$again" "Cannot empty $answer, which may hold credentials"
  case $status in
    # 409: another node was first. They share one database.
    2?? | 409) log INFO 'IAM initialized' ;;
    404 | 405 | 501) die "$config" "Initial set-up failed: HTTP $status: this IAM does not know POST $iam_init_path" ;;
    *)
      reason="Initial set-up failed: HTTP $status"
      return 1
      ;;
  esac
}

check_credentials
log INFO 'Waiting for local iam service...'
patiently "$health_timeout" connected || die "$again" "Health check timeout after ${health_timeout}s"
log INFO 'Local iam healthy'
patiently "$health_timeout" set_up || die "$again" "$reason"
log INFO 'Initial set-up complete'
