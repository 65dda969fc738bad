# What an installation makes of this node's disks: everything on them is erased.
{
  disko.devices = {
    disk.disk1 = {
      type = "disk";
      device = "/dev/disk/by-id/ata-EXAMPLE_3";
      content = {
        type = "gpt";
        partitions = {
          boot = {
            size = "1M";
            type = "EF02"; # where GRUB lies for a BIOS
          };
          ESP = {
            size = "1G";
            type = "EF00";
            content = {
              type = "mdraid";
              name = "boot";
            };
          };
          root = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "root";
            };
          };
        };
      };
    };
    disk.disk2 = {
      type = "disk";
      device = "/dev/disk/by-id/ata-EXAMPLE_4";
      content = {
        type = "gpt";
        partitions = {
          boot = {
            size = "1M";
            type = "EF02"; # where GRUB lies for a BIOS
          };
          ESP = {
            size = "1G";
            type = "EF00";
            content = {
              type = "mdraid";
              name = "boot";
            };
          };
          root = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "root";
            };
          };
        };
      };
    };
    disk.disk3 = {
      type = "disk";
      device = "/dev/disk/by-id/ata-EXAMPLE_5";
      content = {
        type = "gpt";
        partitions = {
          boot = {
            size = "1M";
            type = "EF02"; # where GRUB lies for a BIOS
          };
          ESP = {
            size = "1G";
            type = "EF00";
            content = {
              type = "mdraid";
              name = "boot";
            };
          };
          root = {
            size = "100%";
            content = {
              type = "mdraid";
              name = "root";
            };
          };
        };
      };
    };
    # Firmware reads the ESP as if there were no RAID: metadata 1.0 lies at the end of the partition.
    mdadm.boot = {
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
    mdadm.root = {
      type = "mdadm";
      level = 1;
      metadata = "1.2";
      content = {
        type = "filesystem";
        format = "xfs";
        mountpoint = "/";
      };
    };
  };
}
