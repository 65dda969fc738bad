# The disk layout of this node. An installation erases everything on these disks.
{
  disko.devices = {
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
