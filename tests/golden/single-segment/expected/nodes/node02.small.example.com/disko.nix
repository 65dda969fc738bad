# The disk layout of this node. An installation erases everything on these disks.
{
  disko.devices = {
    disk.node02-main = {
      type = "disk";
      device = "/dev/disk/by-id/ata-EXAMPLE_2";
      content = {
        type = "gpt";
        partitions = {
          boot = {
            size = "1M";
            type = "EF02"; # the partition of GRUB for a BIOS
          };
          ESP = {
            size = "2G";
            type = "EF00";
            content = {
              type = "filesystem";
              format = "vfat";
              mountpoint = "/boot";
              mountOptions = [ "umask=0077" ];
            };
          };
          root = {
            size = "100%";
            content = {
              type = "luks";
              name = "cryptroot";
              # The installer's memory: nixos-anywhere copies the passphrase there (--disk-encryption-keys).
              passwordFile = "/run/disk-encryption.key";
              settings.allowDiscards = true;
              settings.crypttabExtraOpts = [ "tpm2-device=auto" ];
              content = {
                type = "filesystem";
                format = "xfs";
                mountpoint = "/";
              };
            };
          };
        };
      };
    };
  };
}
