# The installer that an armed machine boots from the network and that nixos-anywhere uses: NixOS' netboot ramdisk with SSH
# for the operators and no other login.
{
  lib,
  modulesPath,
  pkgs,
  ...
}:
{
  imports = [
    # Not netboot-minimal.nix, which admits everybody at the console without a password.
    (modulesPath + "/installer/netboot/netboot.nix")
    (modulesPath + "/profiles/minimal.nix")
    ./access.nix
    ./network.nix
    ./overlay.nix
    ./facts.nix
  ];

  # By this, nixos-anywhere knows that it need not start another installer by kexec.
  system.nixos.variant_id = "installer";
  system.stateVersion = lib.mkDefault lib.trivial.release;

  # The ramdisk has every driver of the kernel, and udev loads those that the machine needs. Several network cards do
  # nothing without firmware: bnx2x, qed, ice.
  hardware.enableRedistributableFirmware = true;
  boot.supportedFilesystems = [
    "btrfs"
    "ext4"
    "vfat"
    "xfs"
  ];
  boot.swraid.enable = true;
  boot.swraid.mdadmConf = "PROGRAM ${pkgs.coreutils}/bin/true";

  # Screen and serial line. The node's kernel parameters come after these, and the kernel uses the last console as
  # /dev/console.
  boot.kernelParams = [
    "console=tty0"
    (if pkgs.stdenv.hostPlatform.isAarch64 then "console=ttyAMA0,115200" else "console=ttyS0,115200")
  ];

  # Nix forks large processes, and the system lies in memory.
  boot.kernel.sysctl."vm.overcommit_memory" = "1";
  # Records that a crash left in the firmware stay there for the system on the disk: the installer's file system is in
  # memory and would lose them.
  environment.etc."systemd/pstore.conf".text = ''
    [PStore]
    Unlink=no
  '';

  nix.settings.experimental-features = [
    "nix-command"
    "flakes"
  ];
  # Programs that nixos-anywhere calls, and programs to examine a machine on which the installation fails.
  environment.systemPackages = [
    pkgs.cryptsetup
    pkgs.curl
    pkgs.gptfdisk
    pkgs.jq
    pkgs.nvme-cli
    pkgs.parted
    pkgs.pciutils
    pkgs.rsync
  ];
}
