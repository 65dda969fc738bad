{ ... }:
{
  nixpkgs.hostPlatform = "x86_64-linux";

  boot = {
    initrd.availableKernelModules = [ "ahci" "i40e" "igb" "ixgbe" "mpt3sas" "nvme" "sd_mod" "usb_storage" "usbhid" "xhci_pci" ];
    kernelModules = [ "kvm-intel" ];
    loader.grub = {
      enable = true;
      efiSupport = true;
      efiInstallAsRemovable = true;
    };
  };

  hardware.enableRedistributableFirmware = true;
  hardware.cpu.intel.updateMicrocode = true;
}
