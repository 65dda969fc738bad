# The disk layout of this node. An installation erases everything on these disks.
{
  disko.devices = {
    disk.bonded-main = {
      type = "disk";
      device = "/dev/disk/by-id/wwn-0x5000c50031000001";
      content = {
        type = "gpt";
        partitions = {
          boot = {
            size = "1M";
            type = "EF02"; # the partition of GRUB for a BIOS
          };
          ESP = {
            size = "1G";
            type = "EF00";
            content = {
              type = "filesystem";
              format = "vfat";
              mountpoint = "/boot";
              mountOptions = [ "umask=0077" ];
            };
          };
          lvm = {
            size = "100%";
            content = {
              type = "luks";
              name = "crypt1";
              # The installer's memory: nixos-anywhere copies the passphrase there (--disk-encryption-keys).
              passwordFile = "/run/disk-encryption.key";
              settings.allowDiscards = true;
              content = {
                type = "lvm_pv";
                vg = "poolbonded";
              };
            };
          };
        };
      };
    };
    lvm_vg.poolbonded = {
      type = "lvm_vg";
      lvs = {
        swap = {
          size = "8G";
          content.type = "swap";
        };
        root = {
          size = "100%FREE";
          content = {
            type = "filesystem";
            format = "ext4";
            mountpoint = "/";
          };
        };
      };
    };
  };
}
