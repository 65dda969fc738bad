# The disk layout of this node. An installation erases everything on these disks.
{
  plasmagen ? throw "without plasmagen's modules, disko's script has no wipe guard; with the flake it has: disko --flake .#store",
  ...
}:
{
  # The machine that may be erased: disko's scripts compare it with these facts before their first write.
  plasmagen.wipeGuard = {
    serial = "S4";
    mac = "3c:ec:ef:00:00:04";
    firmware = "uefi";
    system = "x86_64-linux";
    disks = [
      {
        id = "/dev/disk/by-id/ata-EXAMPLE_4";
      }
      {
        id = "/dev/disk/by-id/ata-EXAMPLE_5";
      }
    ];
    layout = {
      each = "1028M";
      all = "2114564M";
    };
    names = {
      label = "store";
      volumeGroup = "poolstore";
    };
  };

  disko.devices = builtins.seq plasmagen {
    disk.store-main = {
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
              type = "filesystem";
              format = "vfat";
              mountpoint = "/boot";
              mountOptions = [ "umask=0077" ];
            };
          };
          lvm = {
            size = "100%";
            content = {
              type = "lvm_pv";
              vg = "poolstore";
            };
          };
        };
      };
    };
    disk.store-disk2 = {
      type = "disk";
      device = "/dev/disk/by-id/ata-EXAMPLE_5";
      content = {
        type = "gpt";
        partitions = {
          lvm = {
            size = "100%";
            content = {
              type = "lvm_pv";
              vg = "poolstore";
            };
          };
        };
      };
    };
    lvm_vg.poolstore = {
      type = "lvm_vg";
      lvs = {
        swap = {
          size = "16G";
          content.type = "swap";
        };
        archive = {
          size = "2T";
          content = {
            type = "filesystem";
            format = "xfs";
            mountpoint = "/var/lib/archive";
          };
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
