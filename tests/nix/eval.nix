# Stands in for a site's nixpkgs: evaluates nodes/*/configuration.nix with nixpkgs' own module system and profiles/.
{ lib }:
let
  nixpkgsLib = import lib;

  # Things to build are not built: only their names show.
  program = name: {
    type = "derivation";
    inherit name;
    outPath = "/nix/store/${name}";
  };
  pkgs = {
    formats.toml = _: {
      type = nixpkgsLib.types.attrsOf nixpkgsLib.types.anything;
      generate = name: contents: program name // { inherit contents; };
    };
    writeShellScript = name: _: program name;
    writeText = name: contents: program name // { inherit contents; };
    runtimeShell = "/nix/store/bash/bin/bash";
    pkgsCross.aarch64-multiplatform.ipxe = program "ipxe-aarch64";
  }
  // nixpkgsLib.genAttrs [ "audit" "chrony" "curl" "ipxe" "jq" "nix" "openssl" "util-linux" ] program
  # The netboot image's.
  // nixpkgsLib.genAttrs [
    "coreutils"
    "cryptsetup"
    "gptfdisk"
    "nvme-cli"
    "openssh"
    "parted"
    "pciutils"
    "rsync"
    "systemd"
  ] program;
  # As on the machine that is configured.
  hostPlatform = system: {
    inherit system;
    isAarch64 = system == "aarch64-linux";
  };

  evalModules =
    {
      specialArgs ? { plasmagen.nixosModules = import ../../profiles; },
      modules,
    }:
    nixpkgsLib.evalModules {
      inherit specialArgs;
      modules = [
        ./options
        (
          { config, ... }:
          {
            _module.args.pkgs = pkgs // {
              stdenv.hostPlatform = hostPlatform config.nixpkgs.hostPlatform;
            };
          }
        )
      ]
      ++ modules;
    };

  # A program for each PlasmaCloud service, since profiles/ bring none.
  packages =
    { config, options, ... }:
    {
      services = nixpkgsLib.mapAttrs (name: _: { package = nixpkgsLib.mkDefault (program name); }) (
        nixpkgsLib.filterAttrs (_: service: service ? package) options.services
      );
    };

  # JSON for what JSON can say; a path by its last component, a generated file by its contents.
  plain =
    value:
    if builtins.isPath value then
      if builtins.pathExists value then baseNameOf value else throw "${toString value} does not exist"
    else if builtins.isList value then
      map plain value
    else if !builtins.isAttrs value then
      value
    else if value ? outPath then
      plain (value.contents or value.outPath)
    else
      nixpkgsLib.mapAttrs (_: plain) (removeAttrs value [ "_module" ]);

  failed = config: map (check: check.message) (builtins.filter (check: !check.assertion) config.assertions);

  # NixOS does not build a system with a failed assertion.
  checked =
    config:
    if failed config == [ ] then
      plain (removeAttrs config [ "assertions" ])
    else
      throw "Failed assertions: ${toString (failed config)}";

  # What a machine says of itself that is no node.
  host = {
    networking.hostName = "pxe";
    nixpkgs.hostPlatform = "x86_64-linux";
    system.stateVersion = "24.11";
  };

  judged =
    modules: file:
    { dir }:
    nixpkgsLib.mapAttrs (
      name: _:
      let
        inherit (evalModules { modules = modules ++ [ (/. + "${dir}/${name}/${file}") ]; }) config;
      in
      {
        failed = failed config;
        inherit (config) warnings;
        config = if failed config == [ ] then checked config else null;
      }
    ) (nixpkgsLib.filterAttrs (name: _: builtins.pathExists "${dir}/${name}/${file}") (directories dir));

  directories =
    dir: nixpkgsLib.filterAttrs (_: kind: kind == "directory") (builtins.readDir (/. + dir));
in
{
  # For tests/nix/stand-in.
  inherit evalModules checked;

  # What each node's whole configuration is: option paths as in NixOS, by the name of the node's directory.
  nodes =
    { dir }:
    nixpkgsLib.mapAttrs (
      name: _:
      checked
        (evalModules {
          modules = [
            packages
            (/. + "${dir}/${name}/configuration.nix")
          ];
        }).config
    ) (directories dir);

  # The same of each pxe-server.nix, and what NixOS would say against it.
  pxe = judged [ host ] "pxe-server.nix";

  # The same of machines that are written by hand.
  machines = judged [ packages ] "configuration.nix";

  # The type of each option that options/ declares, as NixOS' own list of options describes it.
  types = builtins.listToAttrs (
    map (option: nixpkgsLib.nameValuePair option.name option.type) (
      builtins.filter (option: !option.internal) (
        nixpkgsLib.optionAttrSetToDocList (nixpkgsLib.evalModules { modules = [ ./options ]; }).options
      )
    )
  );
}
