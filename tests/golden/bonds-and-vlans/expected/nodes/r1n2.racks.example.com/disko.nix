# The disk layout of this node. An installation erases everything on these disks.
{
  disko.devices = {
    disk.r1n2-main = {
      type = "disk";
      device = "/dev/disk/by-id/ata-EXAMPLE_3";
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
              type = "mdraid";
              name = "r1n2-boot";
            };
          };
          root = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "r1n2-root";
            };
          };
        };
      };
    };
    disk.r1n2-disk2 = {
      type = "disk";
      device = "/dev/disk/by-id/ata-EXAMPLE_4";
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
              type = "mdraid";
              name = "r1n2-boot";
            };
          };
          root = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "r1n2-root";
            };
          };
        };
      };
    };
    disk.r1n2-disk3 = {
      type = "disk";
      device = "/dev/disk/by-id/ata-EXAMPLE_5";
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
              type = "mdraid";
              name = "r1n2-boot";
            };
          };
          root = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "r1n2-root";
            };
          };
        };
      };
    };
    # Firmware does not know RAID and reads the ESP as a plain partition: metadata 1.0 is at the end of the partition.
    mdadm.r1n2-boot = {
      type = "mdadm";
      level = 1;
      metadata = "1.0";
      content = {
        type = "filesystem";
        format = "vfat";
        mountpoint = "/boot";
        mountOptions = [ "umask=0077" ];
      };
    };
    mdadm.r1n2-root = {
      type = "mdadm";
      level = 1;
      metadata = "1.2";
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
}
