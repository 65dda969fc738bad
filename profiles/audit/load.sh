#!/usr/bin/env bash
# Loads the rules of the audit log into the kernel, and switches the log on:
#
#   load.sh AUDITCTL FILE
#
# FILE has the arguments of one call of auditctl(8) a line: rules of the kernel's lists, and settings of the log as a whole
# such as limits. A line for which auditctl fails is printed, and the lines after it are loaded. The exit status is 1 where
# a rule failed, or `-e 2`, which locks the rules. It is 0 where only another setting failed.
set -euo pipefail
auditctl=$1 file=$2 status=0

"$auditctl" -D
while IFS= read -r line; do
  read -ra words <<<"$line"
  case " ${words[*]} " in
    '  ' | ' #'*) ;;
    *\ -[aAdwW]\ * | ' -e 2 ')
      if ! "$auditctl" "${words[@]}"; then
        echo "plasmagen: auditctl has failed, and the audit log lacks '$line'"
        status=1
      fi
      ;;
    *)
      if ! "$auditctl" "${words[@]}" >/dev/null; then
        echo "plasmagen: auditctl has failed for the setting '$line' of the audit log; the rules are loaded all the same"
      fi
      ;;
  esac
done <"$file"
exit "$status"
