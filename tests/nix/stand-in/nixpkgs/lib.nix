# nixpkgs' lib, what its flake adds, and what newer ones have.
let
  lib = import ./lib;
  nixos = import ./tests/nix/eval.nix { lib = ./lib; };

  # A system that is only there where the whole configuration evaluates and no assertion fails.
  system =
    { config, ... }:
    {
      system.build = rec {
        toplevel = import ./package.nix {
          name = "nixos-system-${config.networking.hostName}";
          system = config.nixpkgs.hostPlatform;
          options = builtins.toJSON (nixos.checked (removeAttrs config [ "system" ]));
        };
        kernel = toplevel;
        netbootRamdisk = toplevel;
      };
    };
in
lib
// {
  nixosSystem =
    { modules, specialArgs ? { } }:
    nixos.evalModules {
      specialArgs = specialArgs // {
        modulesPath = ./modules;
      };
      modules = [ system ] ++ modules;
    };

  fileset = {
    unions =
      paths:
      map (path: if builtins.pathExists path then path else throw "${toString path} does not exist") paths;
    toSource = { root, fileset }: builtins.deepSeq fileset root;
  };
}
