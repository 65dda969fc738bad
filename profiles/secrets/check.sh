#!/usr/bin/env bash
# Checks whether the keys and certificates of a service are there, before the service starts:
#
#   check.sh OPENSSL LIST SERVICE
#
# LIST has one line a file, `service TAB setting TAB path`; lines after `# ` are instructions that are printed where a file
# is missing or wrong. All faults of the files of SERVICE are printed at once. Keys are not printed, and nothing is changed.
set -euo pipefail
openssl=$1 list=$2 service=$3

help=() paths=() key='' certificate='' faults=0
declare -A users=() there=()

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

# A certificate works only with its key.
check_pair() {
  local of_key of_certificate
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
  IFS=$'\t' read -r user setting path <<<"$line"
  [[ "${users[$path]:-} " == *" $user "* ]] || users[$path]+=" $user"
  [[ $user == "$service" ]] || continue
  [[ " ${paths[*]} " == *" $path "* ]] || paths+=("$path")
  case $setting in
    key_path) key=$path ;;
    cert_path) certificate=$path ;;
  esac
done <"$list"

for path in "${paths[@]}"; do check_file "$path"; done
if [[ -n $key && -n ${there[$key]:-} && -n $certificate && -n ${there[$certificate]:-} ]]; then check_pair; fi

((faults == 0)) && exit
printf '<3>%s\n' "${help[@]}" >&2
exit 1
