# Encrypted disks that the TPM unlocks: the first boot enrols the TPM with the passphrase that was staged to the node.
# disko.nix says which disks these are, by their options of crypttab.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  passphrase = "/etc/nixos/secrets/luks-passphrase";
  isUnlockedByTpm = disk: lib.any (lib.hasPrefix "tpm2-device=") disk.crypttabExtraOpts;
  devices = map (disk: disk.device) (
    lib.filter isUnlockedByTpm (lib.attrValues config.boot.initrd.luks.devices)
  );
in
{
  config = lib.mkIf (devices != [ ]) {
    # At every boot, since copied files may have any mode.
    systemd.tmpfiles.settings.plasmagen-encrypted-disks.${passphrase}.z = {
      mode = "0400";
      user = "root";
      group = "root";
    };

    systemd.services.plasmagen-enrol-tpm = {
      description = "Enrolment of the TPM for encrypted disks";
      wantedBy = [ "multi-user.target" ];
      # The passphrase is there until the TPM is enrolled. To enrol the TPM again, put the passphrase there again.
      unitConfig.ConditionPathExists = passphrase;
      serviceConfig = {
        Type = "oneshot";
        ExecStart = lib.concatStringsSep " " (
          [
            pkgs.runtimeShell
            "${./enrol.sh}"
            "${pkgs.systemd}/bin/systemd-cryptenroll"
            "${pkgs.cryptsetup}/bin/cryptsetup"
            passphrase
          ]
          ++ devices
        );
        LimitCORE = 0;
        PrivateNetwork = true;
        UMask = "0077";
      };
    };
  };
}
