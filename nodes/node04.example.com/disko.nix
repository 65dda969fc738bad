# The disk layout of this node. An installation erases everything on these disks.
{
  plasmagen ? throw "without plasmagen's modules, disko's script has no wipe guard; with the flake it has: disko --flake .#node04",
  ...
}:
{
  # The machine that may be erased: disko's scripts compare it with these facts before their first write.
  plasmagen.wipeGuard = {
    serial = "S329745X9B01234";
    mac = "52:54:00:12:34:59";
    firmware = "uefi";
    system = "x86_64-linux";
    disks = [
      {
        id = "/dev/disk/by-id/wwn-0x5002538e40a1b2c3";
      }
      {
        id = "/dev/disk/by-id/wwn-0x5002538e40a1b2c4";
      }
    ];
    layout = {
      each = "1028M";
      all = "1028M";
    };
    names = {
      label = "node04";
      volumeGroup = "poolnode04";
    };
  };

  disko.devices = builtins.seq plasmagen {
    disk.node04-main = {
      type = "disk";
      device = "/dev/disk/by-id/wwn-0x5002538e40a1b2c3";
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
              name = "node04-boot";
            };
          };
          root = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "node04-root";
            };
          };
        };
      };
    };
    disk.node04-disk2 = {
      type = "disk";
      device = "/dev/disk/by-id/wwn-0x5002538e40a1b2c4";
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
              name = "node04-boot";
            };
          };
          root = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "node04-root";
            };
          };
        };
      };
    };
    # Firmware does not know RAID and reads the ESP as a plain partition: metadata 1.0 is at the end of the partition.
    mdadm.node04-boot = {
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
    mdadm.node04-root = {
      type = "mdadm";
      level = 1;
      metadata = "1.2";
      content = {
        type = "filesystem";
        format = "ext4";
        mountpoint = "/";
      };
    };
  };
}
