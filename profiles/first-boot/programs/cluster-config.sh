# shellcheck shell=bash
# Reads cluster-config.json, the facts about the cluster that a node has before it asks another node. The keys are those
# that src/outputs/cluster_config.rs writes. cluster-join.sh sources this file after client.sh. Every value is checked.
# shellcheck disable=SC2016 # Dollars in single quotes are jq's.
# shellcheck disable=SC2034,SC2154 # Variables are shared with cluster-join.sh and client.sh.

# The form HOST:PORT. The host becomes a part of URLs without quoting.
address='^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):[0-9]{1,5}$'

# Faults of the configuration $peers_key, one a line.
faults='
  def text: type == "string" and test("\\A[!-~]{1,300}\\z");
  if length != 1 or (.[0] | type) != "object" then "it is not one JSON object" else
    .[0] | . as $all
    | (("node_id", "cluster_name", "leader_url", "raft_addr") | select($all[.] | text | not)),
      ("bootstrap" | select($all[.] | type != "boolean")),
      ($peers_key | select($all.bootstrap == true and
        ($all[.] | (type == "array" and length > 0 and all(.[]; text) and (unique | length) == length) | not)))
  end'

node_id='' cluster_name='' bootstrap='' raft_addr=''
initial_peers=() # as configured, with this node: the members of a cluster that this node forms
peers=()         # the hosts of other nodes, those of the configuration first

malformed() { die "$config" "Configuration file malformed: $config_source: $1"; }

read_config() {
  local file=$CREDENTIALS_DIRECTORY/cluster-config.json peers_key=initial_peers found values host
  # The unit gives `null` in the place of a missing file.
  if [[ ! -s $file || $(tr -d '\0' <"$file") == null ]]; then
    die "$config" "Configuration file not found: $config_source"
  fi
  if [[ $service == flaredb ]]; then peers_key=flaredb_peers; fi
  if ! found=$(jq --slurp --raw-output --arg peers_key "$peers_key" "$faults" "$file" 2>/dev/null); then
    malformed 'it is not JSON'
  fi
  [[ -z $found ]] || malformed "${found//$'\n'/, }"
  values=$(jq --raw-output --arg peers_key "$peers_key" \
    '.node_id, .cluster_name, .bootstrap, .leader_url, .raft_addr, (select(.bootstrap) | .[$peers_key][])' "$file")
  mapfile -t values <<<"$values"
  node_id=${values[0]} cluster_name=${values[1]} bootstrap=${values[2]} initial_peers=("${values[@]:5}")
  host=$(host_of "${values[4]}") || malformed 'raft_addr'
  raft_addr=$host:$raft_port
  find_peers "${values[3]}"
}

# Prints the host of $1, which is HOST:PORT.
host_of() {
  [[ $1 =~ $address ]] || return 1
  echo "${BASH_REMATCH[1]}"
}

# Sets the nodes that this node asks: the other voters, or, where this node forms no cluster, the host of $1, the leader's
# URL.
find_peers() {
  local each host matches=0
  if [[ $bootstrap == false ]]; then
    [[ $1 == https://* ]] || malformed 'leader_url is not https'
    each=${1#https://}
    host=$(host_of "${each%/}") || malformed 'leader_url'
    # Of a formed cluster with one voter, that one itself.
    [[ ${host%%.*} == "$node_id" ]] || peers=("$host")
    return
  fi
  for each in "${initial_peers[@]}"; do
    host=$(host_of "$each") || malformed "'$each' is no peer"
    if [[ ${host%%.*} == "$node_id" ]]; then matches=$((matches + 1)); else peers+=("$host"); fi
  done
  ((matches == 1)) || malformed "$node_id is not once among the peers"
}
