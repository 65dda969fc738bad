# The settings of every machine of a cluster, whatever its profile: the services to choose from, and the modules beside
# this file. All settings are defaults: a module of the site overrides a setting by setting it.
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
    ./audit
    ./encrypted-disks
    ./gc.nix
    ./hardening.nix
    ./hosts.nix
    ./logging.nix
    ./network.nix
    ./time.nix
    ./wipe-guard
  ];

  networking.nftables = import ./nftables.nix { inherit lib; };

  boot.loader.timeout = lib.mkDefault 3;
  # The ESP holds the kernels and initrds of all generations, and a full ESP fails the switch and the rollback.
  boot.loader.grub.configurationLimit = lib.mkDefault 5;

  # mdadm's monitor does not start without a program or an address for its messages.
  boot.swraid.mdadmConf = lib.mkIf config.boot.swraid.enable (
    lib.mkDefault ''
      PROGRAM ${pkgs.writeShellScript "mdadm-event" ''
        exec ${pkgs.util-linux}/bin/logger --tag mdadm --priority daemon.crit -- "$@"
      ''}
    ''
  );

  # Programs that the runbook calls on a node.
  environment.systemPackages = [
    pkgs.curl
    pkgs.jq
  ];
}
