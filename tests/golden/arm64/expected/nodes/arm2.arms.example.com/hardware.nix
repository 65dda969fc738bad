{ lib, ... }:
{
  nixpkgs.hostPlatform = "aarch64-linux";

  boot = {
    initrd.availableKernelModules = [ "ahci" "e1000e" "igb" "ixgbe" "megaraid_sas" "mpt3sas" "nvme" "r8169" "sd_mod" "usb_storage" "usbhid" "virtio_blk" "virtio_net" "virtio_pci" "xhci_pci" ];
    loader.grub = {
      enable = true;
      efiSupport = true;
      efiInstallAsRemovable = true;
      devices = lib.mkForce [ "nodev" ]; # ARM machines have no BIOS that boots from a disk's first sectors
    };
  };

  hardware.enableRedistributableFirmware = true;
}
