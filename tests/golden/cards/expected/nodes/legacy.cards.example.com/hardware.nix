{ lib, ... }:
{
  nixpkgs.hostPlatform = "x86_64-linux";

  boot = {
    initrd.availableKernelModules = [ "aacraid" "ahci" "arcmsr" "ata_piix" "e1000e" "ehci_pci" "hpsa" "hv_storvsc" "igb" "isci" "ixgbe" "megaraid_sas" "mmc_block" "mpi3mr" "mpt3sas" "mptsas" "mptspi" "mvsas" "nvme" "pm80xx" "r8169" "sata_sil24" "sd_mod" "sdhci_acpi" "sdhci_pci" "smartpqi" "sr_mod" "uas" "ufshcd_pci" "usb_storage" "usbhid" "virtio_blk" "virtio_net" "virtio_pci" "virtio_scsi" "vmd" "vmw_pvscsi" "xen_blkfront" "xhci_pci" ];
    loader.grub = {
      enable = lib.mkDefault true;
      efiSupport = lib.mkDefault false;
      efiInstallAsRemovable = lib.mkDefault false;
    };
  };

  hardware.enableRedistributableFirmware = lib.mkDefault true;
}
