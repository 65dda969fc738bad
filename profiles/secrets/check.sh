#!/usr/bin/env bash
# Whether the services of this node find their keys and certificates, before they start and say it in their own words.
#
#   check.sh OPENSSL LIST
#
# LIST: a line a file, `service TAB setting TAB path`; lines after `# ` say what to do where one is not as it should be.
# Every fault is told at once. Nothing of a key is printed, and nothing is changed.
set -euo pipefail
openssl=$1 list=$2

help=() paths=() faults=0
declare -A users=() keys=() certificates=() there=() compared=()

# journald takes <3> for an error.
fault() {
  printf '<3>%s\n' "$1" >&2
  faults=$((faults + 1))
}

check_file() {
  local path=$1
  if [[ ! -e $path ]]; then
    fault "$path is missing; it is for${users[$path]}"
  elif [[ ! -f $path || ! -r $path ]]; then
    fault "$path is no file that root can read; it is for${users[$path]}"
  elif [[ ! -s $path ]]; then
    fault "$path is empty; it is for${users[$path]}"
  else
    there[$path]=yes
  fi
}

# A certificate is of use only to whoever has its key.
check_pair() {
  local key=$1 certificate=$2 of_key of_certificate
  if ! of_key=$("$openssl" pkey -in "$key" -passin pass: -pubout </dev/null 2>/dev/null); then
    fault "$key is no private key that openssl reads"
  elif ! of_certificate=$("$openssl" x509 -in "$certificate" -noout -pubkey </dev/null 2>/dev/null); then
    fault "$certificate is no certificate that openssl reads"
  elif [[ $of_key != "$of_certificate" ]]; then
    fault "$key is not the key of $certificate: one of them is another node's, or older than the other"
  fi
}

while IFS= read -r line; do
  if [[ $line == '# '* ]]; then
    help+=("${line#'# '}")
    continue
  fi
  IFS=$'\t' read -r service setting path <<<"$line"
  [[ -n ${users[$path]:-} ]] || paths+=("$path")
  [[ "${users[$path]:-} " == *" $service "* ]] || users[$path]+=" $service"
  case $setting in
    key_path) keys[$service]=$path ;;
    cert_path) certificates[$service]=$path ;;
  esac
done <"$list"

for path in "${paths[@]}"; do check_file "$path"; done
for service in "${!keys[@]}"; do
  key=${keys[$service]} certificate=${certificates[$service]:-}
  pair=$key$'\t'$certificate
  if [[ -n ${there[$key]:-} && -n $certificate && -n ${there[$certificate]:-} && -z ${compared[$pair]:-} ]]; then
    compared[$pair]=yes
    check_pair "$key" "$certificate"
  fi
done

((faults == 0)) && exit
printf '<3>%s\n' "${help[@]}" >&2
exit 1
