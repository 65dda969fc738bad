# The disk layout of this node. An installation erases everything on these disks.
{
  plasmagen ? throw "without plasmagen's modules, disko's script has no wipe guard; with the flake it has: disko --flake .#r1n2",
  ...
}:
{
  # The machine that may be erased: disko's scripts compare it with these facts before their first write.
  plasmagen.wipeGuard = {
    serial = "S2";
    mac = "3c:ec:ef:00:02:01";
    interfaces.lan1 = "3c:ec:ef:00:02:02";
    interfaces.lan2 = "3c:ec:ef:00:02:03";
    firmware = "uefi";
    system = "x86_64-linux";
    disks = [
      {
        id = "/dev/disk/by-id/ata-EXAMPLE_3";
      }
      {
        id = "/dev/disk/by-id/ata-EXAMPLE_4";
      }
      {
        id = "/dev/disk/by-id/ata-EXAMPLE_5";
      }
    ];
    layout = {
      each = "1028M";
      all = "1028M";
    };
    names = {
      label = "r1n2";
      volumeGroup = "poolr1n2";
    };
  };

  disko.devices = builtins.seq plasmagen {
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
