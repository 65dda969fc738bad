# shellcheck shell=bash
# What first-boot automation and health checks have in common: JSON log lines, patience by a clock that nobody sets, and
# questions to services over verified TLS. Sourced. The directory $CREDENTIALS_DIRECTORY holds ca_path, cert_path and
# key_path (LoadCredential= in systemd.exec(5)).

# The endpoints that the services must speak: docs/first-boot.md has what each of them is asked, and may answer.
health_path=/health
# shellcheck disable=SC2034
{
  members_path=/admin/cluster/members # GET: who is in the cluster
  init_path=/admin/cluster/init       # POST: forms a cluster of these peers
  add_path=/admin/member/add          # POST: takes a node into the cluster
  iam_init_path=/admin/init           # POST: sets an empty IAM up
}

# Exit statuses: worth another try, and not without somebody's doing (EX_CONFIG in sysexits.h).
# shellcheck disable=SC2034
again=1 config=78

# In milliseconds: the first pause between two tries, which doubles, up to the longest.
first_pause=1000 longest_pause=15000
# In seconds: how long one answer may take.
answer_timeout=10
# In KiB: how long it may be.
answer_limit=1024

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir -- "$work/no-other-authority"
answer=$work/answer
status='' reason=''

# A log line of the level $1. It is JSON, whatever the message $2 holds.
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

# Sets `now` to the milliseconds since the machine started. At a first boot the clock of the day may yet jump by years.
look_at_the_clock() {
  local up
  read -r up _ </proc/uptime || die "$config" 'No /proc/uptime to measure time by'
  now=$((10#${up/./}0))
}

# Runs a command until it succeeds, at least once, for $1 seconds. Why it has not, `reason`, is logged when it changes.
patiently() {
  local now deadline left pause=$first_pause told=''
  look_at_the_clock
  deadline=$((now + $1 * 1000))
  shift
  # Within a condition `set -e` is off: what runs here looks after its own failures.
  until "$@"; do
    if [[ $reason != "$told" ]]; then
      log WARN "Not yet: $reason"
      told=$reason
    fi
    look_at_the_clock
    left=$((deadline - now))
    ((left > 0)) || return 1
    ((pause <= left)) || pause=$left
    sleep "$((pause / 1000)).$(printf '%03d' "$((pause % 1000))")"
    pause=$((pause * 2 < longest_pause ? pause * 2 : longest_pause))
  done
}

# Stops where a credential is missing: without one, every service would only say that it does not know us.
check_credentials() {
  local name
  for name in ca_path cert_path key_path; do
    [[ -s $CREDENTIALS_DIRECTORY/$name ]] ||
      die "$config" "No credential $name: services are asked over TLS, verified on both sides"
  done
}

# Asks $2, an URL, by the method $1, with the JSON $3 if there is any. The answer's code is `status`, its body is in the
# file $answer. Where nobody answers it fails, with a `reason`.
#
# A redirect is an answer like others, never followed. The cluster's CA alone counts: curl would trust its built-in
# directory beside it, and .curlrc and proxies may say anything.
ask() {
  local ended=0 options=(
    --disable --silent --show-error --globoff --noproxy '*' --proto '=https' --tlsv1.2
    --cacert "$CREDENTIALS_DIRECTORY/ca_path" --capath "$work/no-other-authority"
    --cert "$CREDENTIALS_DIRECTORY/cert_path" --key "$CREDENTIALS_DIRECTORY/key_path"
    --connect-timeout 5 --max-time "$answer_timeout"
    --request "$1" --url "$2" --output "$answer" --write-out '%{http_code}'
  )
  [[ -z ${3:-} ]] || options+=(--header 'Content-Type: application/json' --data-raw "$3")
  : >"$answer"
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

# Whether the answer is one JSON document of which jq's filter $1 is true.
says() {
  jq --slurp --exit-status "length == 1 and (.[0] | $1)" "$answer" >/dev/null 2>&1
}

# Whether the service at the URL $1 says that it is healthy, at the path $2 if there is one; else there is a `reason`.
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
