{ lib, ... }:
{
  nixpkgs.hostPlatform = "aarch64-linux";

  boot = {
    initrd.availableKernelModules = [ "aacraid" "ahci" "ahci_platform" "ata_piix" "e1000e" "ehci_pci" "hisi_sas_v3_hw" "hpsa" "igb" "ixgbe" "megaraid_sas" "mmc_block" "mpi3mr" "mpt3sas" "mptsas" "mptspi" "mvsas" "nvme" "pm80xx" "r8169" "sata_sil24" "sd_mod" "sdhci_acpi" "sdhci_pci" "smartpqi" "sr_mod" "uas" "ufshcd_pci" "usb_storage" "usbhid" "virtio_blk" "virtio_net" "virtio_pci" "virtio_scsi" "xhci_pci" ];
    loader.grub = {
      enable = lib.mkDefault true;
      efiSupport = lib.mkDefault true;
      efiInstallAsRemovable = lib.mkDefault true;
      devices = lib.mkForce [ "nodev" ]; # ARM machines have no BIOS that boots from a disk's first sectors
    };
  };

  hardware.enableRedistributableFirmware = lib.mkDefault true;
}
