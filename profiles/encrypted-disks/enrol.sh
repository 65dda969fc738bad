#!/usr/bin/env bash
# Lets the TPM of this machine unlock its encrypted disks, and then removes the passphrase from the node:
#
#   enrol.sh CRYPTENROLL CRYPTSETUP PASSPHRASE DEVICE...
#
# PASSPHRASE is a file with a passphrase of each DEVICE. Where a device is not enrolled, the file stays, and the next boot
# tries again. A run that is repeated, or that was killed, ends as a single run does.
set -euo pipefail
cryptenroll=$1 cryptsetup=$2 passphrase=$3
shift 3

# journald takes <3> for an error and <6> for information.
fault() { printf '<3>%s\n' "$1" >&2; }

if [[ ! -c /dev/tpmrm0 ]]; then
  fault "this machine shows no TPM 2.0 (/dev/tpmrm0): the console asks for the passphrase of the disks at each boot"
  fault "turn the TPM on in the firmware's setup, or write unlock = \"passphrase\" in the inventory; $passphrase stays here"
  exit 1
fi

# systemd-cryptenroll reads no passphrase that others may read.
chmod 0600 -- "$passphrase"

# To remove the key of a TPM takes no passphrase, to add one does: a wrong passphrase would take the key that works. Without
# the option, cryptsetup asks the TPM before it reads the file.
wrong=0
for device in "$@"; do
  if ! "$cryptsetup" open --test-passphrase --disable-external-tokens --key-file "$passphrase" "$device"; then
    fault "$passphrase does not open $device"
    wrong=1
  fi
done
if ((wrong)); then
  fault "nothing was changed: stage the passphrase of these disks from the vault (plasmagen secrets stage), then: systemctl restart plasmagen-enrol-tpm"
  exit 1
fi

failed=0
for device in "$@"; do
  # First without the old key: with a TPM that was exchanged, systemd-cryptenroll would take the key of the former TPM for
  # its own where PCR 7 has the same value. The slot of the passphrase is not touched.
  if "$cryptenroll" --wipe-slot=tpm2 "$device" &&
    "$cryptenroll" --unlock-key-file="$passphrase" --tpm2-device=auto --tpm2-pcrs=7 "$device"; then
    printf '<6>the TPM unlocks %s from the next boot on\n' "$device" >&2
  else
    fault "could not enrol the TPM for $device: the console asks for the passphrase of this disk at each boot"
    failed=1
  fi
done
if ((failed)); then
  fault "$passphrase stays here, and the next boot tries again; at once: systemctl restart plasmagen-enrol-tpm"
  exit 1
fi

rm -- "$passphrase"
sync -- "${passphrase%/*}"
printf '<6>removed %s; the vault of the cluster keeps the passphrase, for recovery\n' "$passphrase" >&2
