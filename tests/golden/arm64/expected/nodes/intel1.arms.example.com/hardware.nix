{ ... }:
{
  nixpkgs.hostPlatform = "x86_64-linux";

  boot = {
    initrd.availableKernelModules = [ "ahci" "bnxt_en" "ice" "megaraid_sas" "mlx5_core" "nvme" "sd_mod" "tg3" "usb_storage" "usbhid" "xhci_pci" ];
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
