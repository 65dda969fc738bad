#!/usr/bin/env bash
# Loads the rules of the audit log into the kernel, and switches the log on:
#
#   load.sh AUDITCTL FILE
#
# FILE has the arguments of one call of auditctl(8) a line: rules of the kernel's lists, and settings of the log as a whole
# such as limits. A line that fails is printed, and the lines after it are loaded. The exit status is 1 where a rule is not
# loaded. Where only a setting failed, the status is 0: the log works with the setting that the kernel had before.
set -euo pipefail
auditctl=$1 file=$2 status=0

"$auditctl" -D
while IFS= read -r line; do
  read -ra words <<<"$line"
  case ${words[0]:-'#'} in
    '#'*) ;;
    -[aAdwW])
      if ! "$auditctl" "${words[@]}"; then
        echo "plasmagen: the audit log lacks the rule '$line'"
        status=1
      fi
      ;;
    *)
      if ! "$auditctl" "${words[@]}" >/dev/null; then
        echo "plasmagen: the audit log goes on without the setting '$line'"
      fi
      ;;
  esac
done <"$file"
exit "$status"
