# The disk layout of this node. An installation erases everything on these disks.
{
  plasmagen ? throw "without plasmagen's modules, disko's script has no wipe guard; with the flake it has: disko --flake .#intel1",
  ...
}:
{
  # The machine that may be erased: disko's scripts compare it with these facts before their first write.
  plasmagen.wipeGuard = {
    serial = "S3";
    mac = "3c:ec:ef:00:00:03";
    firmware = "uefi";
    system = "x86_64-linux";
    disks = [
      {
        id = "/dev/disk/by-id/nvme-EXAMPLE_3";
      }
    ];
    layout = {
      each = "1028M";
      all = "1028M";
    };
    names = {
      label = "intel1";
      volumeGroup = "poolintel1";
    };
  };

  disko.devices = builtins.seq plasmagen {
    disk.intel1-main = {
      type = "disk";
      device = "/dev/disk/by-id/nvme-EXAMPLE_3";
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
