# The disk layout of this node. An installation erases everything on these disks.
{
  plasmagen ? throw "without plasmagen's modules, disko's script has no wipe guard; with the flake it has: disko --flake .#bonded",
  ...
}:
{
  # The machine that may be erased: disko's scripts compare it with these facts before their first write.
  plasmagen.wipeGuard = {
    serial = "FN001";
    mac = "3c:ec:ef:31:00:01";
    interfaces.p2 = "3c:ec:ef:31:01:01";
    firmware = "uefi";
    system = "x86_64-linux";
    disks = [
      {
        id = "/dev/disk/by-id/wwn-0x5000c50031000001";
      }
    ];
    layout = {
      each = "1028M";
      all = "9220M";
    };
    names = {
      label = "bonded";
      volumeGroup = "poolbonded";
    };
  };

  disko.devices = builtins.seq plasmagen {
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
