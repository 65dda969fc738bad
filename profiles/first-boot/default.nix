# First-boot automation: forming the cluster or joining it. Only the options so far; nothing acts on them yet.
{ lib, ... }:
{
  options.services.first-boot-automation = {
    enable = lib.mkEnableOption "forming or joining the cluster at the first boot";

    configFile = lib.mkOption {
      type = lib.types.strMatching "/.+";
      default = "/etc/nixos/secrets/cluster-config.json";
      description = "Where the machine finds its cluster-config.json: a path at run time, never one in the Nix store.";
    };
  };
}
