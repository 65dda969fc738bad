# lib.mkSite: makes the outputs of a flake from a directory that `plasmagen render` has written to.
{
  self,
  nixpkgs,
  disko,
}:
let
  pinned = { inherit nixpkgs disko; };

  mkSite =
    {
      # The directory of inventory.toml.
      src,
      # The nixpkgs of the machines, and the disko that partitions their disks.
      nixpkgs ? pinned.nixpkgs,
      disko ? pinned.disko,
      # A flake with the programs of the services, as packages.<system>.<service>.
      plasmacloud ? { },
      # Further NixOS modules for all nodes.
      modules ? [ ],
      # Further NixOS modules for the installers, such as a binary cache.
      installerModules ? [ ],
      specialArgs ? { },
    }:
    let
      inherit (nixpkgs) lib;

      rendered =
        path:
        if builtins.pathExists (src + path) then
          src + path
        else
          throw ''
            mkSite: there is no ${lib.removePrefix "/" path} in ${toString src}. `plasmagen render` writes it, and a flake in
            a git repository sees only what git knows: git add nodes site.
          '';

      inventory =
        let
          read = lib.importJSON (rendered "/site/inventory.json");
        in
        if read.schema == 1 then
          read
        else
          throw "mkSite: site/inventory.json has schema ${toString read.schema}, and this plasmagen reads 1: render the site with the plasmagen that its flake.lock names";

      arguments = specialArgs // {
        plasmagen = self;
      };

      # Sets the packages of the node's services, as far as `plasmacloud` has them. profiles/ refuses a service without a
      # package.
      programs =
        node:
        { lib, options, ... }:
        let
          offered = plasmacloud.packages.${node.system} or { };
          names = map (service: service.name) node.services;
          fits = name: offered ? ${name} && options.services.${name} ? package;
        in
        {
          services = lib.genAttrs (lib.filter fits names) (name: {
            package = lib.mkDefault offered.${name};
          });
        };

      machine =
        node:
        lib.nixosSystem {
          specialArgs = arguments;
          modules = [
            disko.nixosModules.disko
            (rendered "/nodes/${node.fqdn}/configuration.nix")
            (programs node)
          ]
          ++ modules;
        };

      # The installer for the nodes of one base and one system; packages.<system> has the name of the base. The image has the
      # inventory's keys, so that operators reach a node whose overlay is lost.
      image =
        system: profile: nodes:
        import ./bundle.nix {
          inherit nixpkgs profile system;
          inherit (self.packages.${system}) plasmagen;
          pkgs = pinned.nixpkgs.legacyPackages.${system};
          specialArgs = arguments;
          module = {
            imports = [ self.nixosModules.netboot ] ++ installerModules;
            boot.kernelModules = lib.unique (lib.concatMap (node: node.hardware.kernel_modules) nodes);
            users.users.root.openssh.authorizedKeys.keys = inventory.admin_keys;
          };
        };
      images =
        system: nodes:
        lib.mapAttrs' (profile: of: lib.nameValuePair "netboot-${profile}" (image system profile of)) (
          lib.groupBy (node: node.base) nodes
        );
    in
    {
      nixosConfigurations = lib.listToAttrs (
        map (node: lib.nameValuePair node.name (machine node)) inventory.nodes
      );
      packages = lib.mapAttrs images (lib.groupBy (node: node.system) inventory.nodes);
    };
in
site: mkSite (if builtins.isAttrs site && !site ? outPath then site else { src = site; })
