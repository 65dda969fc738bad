#!/usr/bin/env bash
# Makes this machine's Chainfire or FlareDB a member of its cluster, at the first boot; at later boots nothing changes:
#
#   cluster-join.sh --service chainfire --port 2379 --raft-port 2380 \
#     --config-source /etc/nixos/secrets/cluster-config.json [--health-timeout 120] [--join-timeout 300]
#
# The credential cluster-config.json (LoadCredential= in systemd.exec(5)) has the node's identity; --config-source is the
# path of its source, for messages. $STATE_DIRECTORY keeps the mark of a node that has joined. docs/first-boot.md describes
# the order of events.
#
# Nothing is remembered of what was begun: each round asks the local service and the peers what is, and takes one step. So
# a run may end anywhere, and the next goes on. It has come to its end when the local service itself lists this node.
# shellcheck disable=SC2016 # Dollars in single quotes are jq's.
set -euo pipefail
umask 077
# shellcheck source-path=SCRIPTDIR source=client.sh
source "${BASH_SOURCE[0]%/*}/client.sh"
# shellcheck source-path=SCRIPTDIR source=cluster-config.sh
source "${BASH_SOURCE[0]%/*}/cluster-config.sh"

# Which cluster the answer tells of, the address of its leader, and those of all members.
members='
  def text: type == "string" and test("\\A[!-~]{1,300}\\z");
  if length == 1 then .[0].members else error("not one document") end
  | if type == "array" and all(.[]; (.id | text) and (.raft_addr | text)) then . else error("no members") end
  | (if length == 0 then "none" elif any(.[]; .id == $id) then "with" else "without" end),
    (map(select(.role == "leader"))[0].raft_addr // "nobody"), .[].raft_addr'

service='' port='' raft_port='' config_source='' health_timeout=120 join_timeout=300
seen='' asked='' # whether this run has seen a cluster, and whether it has asked to form or join one
cluster='' leader=''

read_options() {
  while (($# > 1)); do
    case $1 in
      --service) service=$2 ;;
      --port) port=$2 ;;
      --raft-port) raft_port=$2 ;;
      --config-source) config_source=$2 ;;
      --health-timeout) health_timeout=$2 ;;
      --join-timeout) join_timeout=$2 ;;
      --first-pause) first_pause=$2 ;;
      *) break ;;
    esac
    shift 2
  done
  local value good=true
  for value in "$port" "$raft_port" "$health_timeout" "$join_timeout" "$first_pause"; do
    number "$value" || good=false
  done
  if (($#)) || [[ $good == false || -z $config_source || ! $service =~ ^(chainfire|flaredb)$ ]]; then
    die 2 'usage: cluster-join.sh --service chainfire|flaredb --port PORT --raft-port PORT --config-source FILE
      [--health-timeout SECONDS] [--join-timeout SECONDS] [--first-pause MILLISECONDS]'
  fi
}

# Whether this node has joined this cluster before. With the mark of another cluster, the program stops.
joined_before() {
  [[ -e $STATE_DIRECTORY/joined.json ]] || return 1
  jq --slurp --exit-status --arg id "$node_id" --arg cluster "$cluster_name" \
    '. == [{node_id: $id, cluster_name: $cluster}]' "$STATE_DIRECTORY/joined.json" >/dev/null 2>&1 ||
    die "$config" "$STATE_DIRECTORY/joined.json names another cluster or node than $cluster_name and $node_id"
}

# Writes the mark of a node that has joined, atomically.
remember() {
  local new=$STATE_DIRECTORY/.joined.json.new
  jq --null-input --arg id "$node_id" --arg cluster "$cluster_name" \
    '{node_id: $id, cluster_name: $cluster}' >"$new"
  sync -- "$new"
  mv -f -- "$new" "$STATE_DIRECTORY/joined.json"
  sync -- "$STATE_DIRECTORY"
}

# Asks the service at the URL $1 about its cluster. Sets `cluster` to `with` or `without` (this node), to `none` only where
# the service answers that it has no cluster, and to `unknown` with a `reason` otherwise. Sets `leader` to the leader's
# host.
view() {
  local lines
  cluster=unknown leader=''
  ask GET "$1$members_path" || return 0
  if [[ $status != 200 ]]; then
    reason="HTTP $status"
  elif ! lines=$(jq --slurp --raw-output --arg id "$node_id" "$members" "$answer" 2>/dev/null); then
    reason="$members_path does not answer with members"
  else
    mapfile -t lines <<<"$lines"
    cluster=${lines[0]}
    leader=$(host_of "${lines[1]}") || leader=''
    if [[ $cluster == with* ]]; then learn "${lines[@]:2}"; fi
  fi
}

# Notes that a cluster exists: this run forms none, and asks the members $@ where other nodes do not answer.
learn() {
  local each host
  seen=true
  for each; do
    host=$(host_of "$each") || continue
    if [[ $each == "$raft_addr" || ${host%%.*} == "$node_id" || " ${peers[*]} " == *" $host "* ]]; then continue; fi
    ((${#peers[@]} >= 32)) || peers+=("$host")
  done
}

# One step, from what is. Succeeds where the local service lists this node.
step() {
  local peer silent=()
  view "https://localhost:$port"
  case $cluster in
    with) return 0 ;;
    without) reason="the local $service is in a cluster that does not list $node_id: was it removed?" ;;
    unknown) reason="the local $service: $reason" ;;
  esac
  [[ $cluster == none ]] || return 1
  for peer in "${peers[@]}"; do
    view "https://$peer:$port"
    case $cluster in
      with) reason="$peer lists $node_id, whose own $service has nothing yet; a node that lost its data is first removed" ;;
      without) request_join "$peer" ;;
      unknown) silent+=("$peer: $reason") ;;
    esac
    if [[ $cluster == with* ]]; then return 1; fi
  done
  form "${silent[@]}"
  return 1
}

# Asks the leader that the peer $1 named to add this node.
request_join() {
  local body
  if [[ -z $leader ]]; then
    reason="$1 knows of no leader"
    return
  fi
  body=$(request '{id: $id, raft_addr: $raft_addr}') || die "$again" 'Cannot write the request: jq failed'
  if ! ask POST "https://$leader:$port$add_path" "$body"; then
    reason="Join request failed: $leader: $reason"
    return
  fi
  case $status in
    2?? | 409) reason="$leader has added $node_id, whose own $service has not heard of it" ;;
    404 | 405 | 501) die "$config" "Join request failed: HTTP $status: $leader does not know POST $add_path" ;;
    *) reason="Join request failed: $leader: HTTP $status" ;;
  esac
}

# Handles that no node that answered has a cluster; $@ are the nodes that did not answer, each with the reason. The first
# node of the list forms the cluster, once every other node has answered that it has no cluster.
form() {
  local first
  if (($#)); then
    reason="no answer to build on from $1"
  elif joined_before; then
    die "$config" "This node has been in $cluster_name, but its $service has no data, and no peer has a cluster: \
restore the data, or remove $STATE_DIRECTORY/joined.json on every node to begin anew"
  elif ((${#peers[@]} == 0)) && [[ $bootstrap == false ]]; then
    die "$config" "$cluster_name is formed and has no other voter to join: restore the data of this node's $service"
  elif [[ $bootstrap == false ]]; then
    reason="${peers[0]} has no cluster"
  elif [[ -n $seen ]]; then
    reason='a cluster was seen that nobody has any more'
  else
    first=$(host_of "${initial_peers[0]}") || malformed "'${initial_peers[0]}' is no peer"
    if [[ ${first%%.*} == "$node_id" ]]; then initialise; else reason="$first has not initialized the cluster"; fi
  fi
}

# Forms the cluster of the configured peers.
initialise() {
  local body
  reason="the local $service has been initialized and lists nobody"
  [[ -z $asked ]] || return 0
  body=$(request '{id: $id, raft_addr: $raft_addr, initial_peers: $ARGS.positional}' --args "${initial_peers[@]}") ||
    die "$again" 'Cannot write the request: jq failed'
  if ! ask POST "https://localhost:$port$init_path" "$body"; then
    reason="Initialization failed: $reason"
    return
  fi
  case $status in
    2?? | 409)
      asked=true
      log INFO 'Bootstrap node, cluster initialized'
      ;;
    404 | 405 | 501) die "$config" "Initialization failed: HTTP $status: this $service does not know POST $init_path" ;;
    *) reason="Initialization failed: HTTP $status" ;;
  esac
}

# Writes the JSON of a request by jq's filter $1 and jq's further arguments.
request() {
  local filter=$1
  shift
  jq --null-input --compact-output --arg id "$node_id" --arg raft_addr "$raft_addr" "$filter" "$@"
}

main() {
  read_options "$@"
  check_credentials
  read_config
  # The program stops here with the mark of another cluster.
  joined_before || true
  log INFO "Waiting for local $service service..."
  patiently "$health_timeout" healthy "https://localhost:$port" ||
    die "$again" "Health check timeout after ${health_timeout}s"
  log INFO "Local $service healthy"
  if ! patiently "$join_timeout" step; then
    [[ $reason == *' failed: '* ]] || reason="Cluster join timeout after ${join_timeout}s: $reason"
    die "$again" "$reason"
  fi
  remember
  log INFO 'Cluster join complete'
}

main "$@"
