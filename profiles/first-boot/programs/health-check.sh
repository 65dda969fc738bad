#!/usr/bin/env bash
# Asks a service of this machine whether it is healthy:
#
#   health-check.sh --service chainfire --port 2379 --path /health --timeout 10
#
# The request goes to localhost over TLS, with the cluster's CA and the node's certificate. For a service that is not
# healthy, the program prints a log line and exits with status 1; it changes nothing.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=client.sh
source "${BASH_SOURCE[0]%/*}/client.sh"

service='' port='' path=''
while (($# > 1)); do
  case $1 in
    --service) service=$2 ;;
    --port) port=$2 ;;
    --path) path=$2 ;;
    --timeout) answer_timeout=$2 ;;
    *) break ;;
  esac
  shift 2
done
if (($#)) || [[ -z $service || $path != /* ]] || ! number "$port" || ! number "$answer_timeout"; then
  die 2 'usage: health-check.sh --service NAME --port PORT --path /PATH [--timeout SECONDS]'
fi

check_credentials
healthy "https://localhost:$port" "$path" || die "$again" "$service is not healthy: $reason"
