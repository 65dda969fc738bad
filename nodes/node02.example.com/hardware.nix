{ ... }:
{
  nixpkgs.hostPlatform = "x86_64-linux";

  boot = {
    initrd.availableKernelModules = [ "ahci" "bnxt_en" "i40e" "megaraid_sas" "nvme" "sd_mod" "tg3" "usb_storage" "usbhid" "xhci_pci" ];
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
