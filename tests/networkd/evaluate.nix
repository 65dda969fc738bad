# The files of systemd-networkd, and /etc/hosts, that a complete NixOS makes of one node: contents by file name.
{
  nixpkgs,
  profiles,
  node,
}:
let
  lib = import (nixpkgs + "/lib");
  machine = import (nixpkgs + "/nixos/lib/eval-config.nix") {
    system = null;
    specialArgs.plasmagen.nixosModules = import profiles;
    modules = [
      (node + "/configuration.nix")
      {
        # The network does not depend on disks.
        options.disko.devices = lib.mkOption {
          type = lib.types.submodule {
            freeformType = lib.types.attrsOf lib.types.anything;
            options = lib.genAttrs [ "_create" "_destroy" "_legacyDestroy" ] (
              _: lib.mkOption { default = ""; }
            );
          };
        };
      }
    ];
  };
  inherit (machine) config;
in
lib.mapAttrs (_: unit: unit.text) config.systemd.network.units
// {
  "networkd.conf" = config.environment.etc."systemd/networkd.conf".text;
  hosts = lib.concatMapStrings (file: file.text) config.networking.hostFiles;
  wait-online = lib.concatStringsSep " " config.systemd.network.wait-online.extraArgs + "\n";
  "sysctl.conf" = lib.concatStrings (
    lib.mapAttrsToList (
      key: value:
      lib.optionalString (lib.hasInfix "accept_ra" key) "${key}=${toString value}\n"
    ) config.boot.kernel.sysctl
  );
}
