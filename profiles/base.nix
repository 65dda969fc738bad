# What every machine of a cluster has, whatever its profile: the services to choose from, and the rooms beside this file.
# All of it is a default: a module of the site says otherwise by saying it.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  imports = [
    ./services/chainfire.nix
    ./services/flaredb.nix
    ./services/iam.nix
    ./services/plasmavmc.nix
    ./services/prismnet.nix
    ./services/flashdns.nix
    ./services/fiberlb.nix
    ./services/k8shost.nix
    ./first-boot
    ./access.nix
    ./audit.nix
    ./hardening.nix
    ./logging.nix
    ./time.nix
  ];

  # Addresses are the inventory's; certificates and firewalls name them, so none may be random.
  networking.useDHCP = lib.mkDefault false;
  networking.tempAddresses = lib.mkDefault "disabled";

  networking.nftables = import ./nftables.nix { inherit lib; };

  boot.loader.timeout = lib.mkDefault 3;
  # Kernels and initrds of all generations lie on the ESP, and a full ESP fails the switch and the rollback.
  boot.loader.grub.configurationLimit = lib.mkDefault 5;

  # mdadm's monitor does not start unless it is told whom to tell.
  boot.swraid.mdadmConf = lib.mkIf config.boot.swraid.enable ''
    PROGRAM ${pkgs.writeShellScript "mdadm-event" ''
      exec ${pkgs.util-linux}/bin/logger --tag mdadm --priority daemon.crit -- "$@"
    ''}
  '';

  # The runbook's commands on a node.
  environment.systemPackages = [
    pkgs.curl
    pkgs.jq
  ];
}
