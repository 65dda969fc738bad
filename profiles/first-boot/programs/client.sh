# shellcheck shell=bash
# Functions of first-boot automation and health checks: JSON log lines, waiting by the monotonic clock, and requests to
# services over verified TLS. Other programs source this file. The directory $CREDENTIALS_DIRECTORY holds ca_path, cert_path and
# key_path (LoadCredential= in systemd.exec(5)).

# The endpoints of the services. docs/first-boot.md has the request and the possible answers of each endpoint.
health_path=/health
# shellcheck disable=SC2034
{
  members_path=/admin/cluster/members # GET: who is in the cluster
  init_path=/admin/cluster/init       # POST: forms a cluster of these peers
  add_path=/admin/member/add          # POST: adds a node to the cluster
  iam_init_path=/admin/init           # POST: sets an empty IAM up
}

# Exit statuses: another try may succeed, and an operator must act (EX_CONFIG in sysexits.h).
# shellcheck disable=SC2034
again=1 config=78

# In milliseconds: the first pause between two tries, which doubles, up to the longest.
first_pause=1000 longest_pause=15000
# The longest time of one answer, in seconds.
answer_timeout=10
# The largest size of one answer, in KiB.
answer_limit=1024

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir -- "$work/no-other-authority"
answer=$work/answer
status='' reason=''

# Prints a log line of the level $1 with the message $2. The line is JSON, whatever the message holds.
log() {
  jq --null-input --compact-output --arg level "$1" --arg message "${2:0:1000}" \
    '{level: $level, message: $message}' >&2
}

# Ends the program with the exit status $1 and the message $2.
die() {
  log ERROR "$2"
  exit "$1"
}

# Whether $1 is a whole number of at most six digits.
number() { [[ $1 =~ ^(0|[1-9][0-9]{0,5})$ ]]; }

# Sets `now` to the milliseconds since the machine started. At a first boot the system clock may jump by years.
look_at_the_clock() {
  local up
  read -r up _ </proc/uptime || die "$config" 'No /proc/uptime to measure time by'
  now=$((10#${up/./}0))
}

# Runs a command until the command succeeds, at least once, for $1 seconds. The reason of the failure, `reason`, is logged
# when it changes.
patiently() {
  local now deadline left pause=$first_pause told=''
  look_at_the_clock
  deadline=$((now + $1 * 1000))
  shift
  # `set -e` is off within a condition: the command must handle its failures itself.
  until "$@"; do
    if [[ $reason != "$told" ]]; then
      log WARN "Not yet: $reason"
      told=$reason
    fi
    look_at_the_clock
    left=$((deadline - now))
    ((left > 0)) || return 1
    ((pause <= left)) || pause=$left
    sleep "$((pause / 1000)).$(printf '%03d' "$((pause % 1000))")" || die "$again" 'Cannot wait: sleep failed'
    pause=$((pause * 2 < longest_pause ? pause * 2 : longest_pause))
  done
}

# Stops where a credential is missing: without it, every service would only refuse the node.
check_credentials() {
  local name
  for name in ca_path cert_path key_path; do
    [[ -s $CREDENTIALS_DIRECTORY/$name ]] ||
      die "$config" "No credential $name: services are asked over TLS, verified on both sides"
  done
}

# Sends a request of the method $1 to the URL $2, with the JSON $3 if there is any. `status` is the answer's code, and the
# file $answer has its body. Without an answer, the function fails and sets `reason`.
#
# Redirects are answers and are not followed. Only the cluster's CA is trusted: curl would also trust its built-in
# directory. .curlrc and proxy settings are ignored.
ask() {
  local ended=0 options=(
    --disable --silent --show-error --globoff --noproxy '*' --proto '=https' --tlsv1.2
    --cacert "$CREDENTIALS_DIRECTORY/ca_path" --capath "$work/no-other-authority"
    --cert "$CREDENTIALS_DIRECTORY/cert_path" --key "$CREDENTIALS_DIRECTORY/key_path"
    --connect-timeout 5 --max-time "$answer_timeout"
    --request "$1" --url "$2" --output "$answer" --write-out '%{http_code}'
  )
  [[ -z ${3:-} ]] || options+=(--header 'Content-Type: application/json' --data-raw "$3")
  : >"$answer" || die "$again" "Cannot write $answer"
  status=$(
    exec 2>"$work/error"
    # A file over the limit is then a failed write, no signal.
    trap '' XFSZ
    ulimit -f "$answer_limit" || exit 126
    exec curl "${options[@]}"
  ) || ended=$?
  case $ended in
    0) return 0 ;;
    6) reason='its name does not resolve' ;;
    7) reason='connection refused, or no way there' ;;
    23) reason="its answer is longer than $answer_limit KiB" ;;
    28) reason="no answer within ${answer_timeout}s" ;;
    *)
      reason="curl ended with $ended"
      if [[ $(<"$work/error") =~ ^curl:\ \([0-9]+\)\ ([^$'\n']+) ]]; then reason=${BASH_REMATCH[1]}; fi
      ;;
  esac
  return 1
}

# Whether the answer is one JSON document for which jq's filter $1 is true.
says() {
  jq --slurp --exit-status "length == 1 and (.[0] | $1)" "$answer" >/dev/null 2>&1
}

# Whether the service at the URL $1 is healthy by its answer at the path $2, if there is one; otherwise sets `reason`.
healthy() {
  ask GET "$1${2:-$health_path}" || return 1
  if [[ $status != 200 ]]; then
    reason="HTTP $status"
    return 1
  fi
  if ! says '.status == "healthy"'; then
    reason='it does not say {"status":"healthy"}'
    return 1
  fi
}
