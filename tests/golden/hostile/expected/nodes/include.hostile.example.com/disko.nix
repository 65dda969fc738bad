# The disk layout of this node. An installation erases everything on these disks.
{
  plasmagen ? throw "without plasmagen's modules, disko's script has no wipe guard; with the flake it has: disko --flake .#include",
  ...
}:
{
  # The machine that may be erased: disko's scripts compare it with these facts before their first write.
  plasmagen.wipeGuard = {
    serial = "A/B.C 1-2_3";
    mac = "3c:ec:ef:00:00:01";
    firmware = "uefi";
    system = "x86_64-linux";
    disks = [
      {
        id = "/dev/disk/by-id/nvme-A+B=C:D@E.F_1";
      }
    ];
    layout = {
      each = "1028M";
      all = "1028M";
    };
    names = {
      label = "include";
      volumeGroup = "poolinclude";
    };
  };

  disko.devices = builtins.seq plasmagen {
    disk.main = {
      type = "disk";
      device = "/dev/disk/by-id/nvme-A+B=C:D@E.F_1";
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
          root = {
            size = "100%";
            content = {
              type = "filesystem";
              format = "ext4";
              mountpoint = "/";
            };
          };
        };
      };
    };
  };
}
