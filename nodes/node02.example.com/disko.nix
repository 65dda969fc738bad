# The disk layout of this node. An installation erases everything on these disks.
{
  plasmagen ? throw "without plasmagen's modules, disko's script has no wipe guard; with the flake it has: disko --flake .#node02",
  ...
}:
{
  # The machine that may be erased: disko's scripts compare it with these facts before their first write.
  plasmagen.wipeGuard = {
    serial = "CN7475139H0024";
    mac = "52:54:00:12:34:57";
    firmware = "uefi";
    system = "x86_64-linux";
    disks = [
      {
        id = "/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800002_1";
      }
    ];
    layout = {
      each = "1028M";
      all = "1028M";
    };
    names = {
      label = "node02";
      volumeGroup = "poolnode02";
    };
  };

  disko.devices = builtins.seq plasmagen {
    disk.node02-main = {
      type = "disk";
      device = "/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800002_1";
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
