# The installer that an armed machine boots from the network, for nixos-anywhere to take over: NixOS' netboot ramdisk with
# SSH for the operators and nothing to log in by otherwise.
{
  lib,
  modulesPath,
  pkgs,
  ...
}:
{
  imports = [
    # Not netboot-minimal.nix: it lets anybody in at the console, without a password.
    (modulesPath + "/installer/netboot/netboot.nix")
    (modulesPath + "/profiles/minimal.nix")
    ./access.nix
    ./network.nix
    ./overlay.nix
    ./facts.nix
  ];

  # How nixos-anywhere knows that it need not bring an installer of its own by kexec.
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

  # Screen and serial line. The node's own parameters come after these, and the kernel takes the last for /dev/console.
  boot.kernelParams = [
    "console=tty0"
    (if pkgs.stdenv.hostPlatform.isAarch64 then "console=ttyAMA0,115200" else "console=ttyS0,115200")
  ];

  # Nix forks large processes, and this system itself lies in memory.
  boot.kernel.sysctl."vm.overcommit_memory" = "1";
  # Nor would what a crash left in the firmware outlast it: it stays for the system on the disk.
  environment.etc."systemd/pstore.conf".text = ''
    [PStore]
    Unlink=no
  '';

  nix.settings.experimental-features = [
    "nix-command"
    "flakes"
  ];
  # nixos-anywhere's, and what a look at a machine takes that does not install.
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
