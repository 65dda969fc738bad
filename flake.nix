{
  description = "Netboot image and config generator: one inventory.toml in, a whole bare-metal NixOS cluster out";

  inputs = {
    # The nixpkgs of the program, and the default of mkSite. A site should name the nixpkgs that its machines run.
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";
    disko = {
      url = "github:nix-community/disko";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      disko,
    }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      ofEach =
        file:
        lib.genAttrs systems (
          system:
          import file {
            inherit self nixpkgs system;
            pkgs = nixpkgs.legacyPackages.${system};
          }
        );
    in
    {
      packages = ofEach ./nix/packages.nix;
      checks = ofEach ./nix/checks.nix;
      devShells = ofEach ./nix/shells.nix;
      apps = ofEach ./nix/apps.nix;
      nixosModules = import ./profiles;
      lib.mkSite = import ./nix/site.nix { inherit self nixpkgs disko; };
      templates.default = {
        path = ./templates/init;
        description = "A cluster: an inventory, and a flake that makes the machines from the inventory";
        welcomeText = "Name your SSH keys in inventory.toml, then: plasmagen schema > inventory.schema.json; plasmagen check";
      };
    };
}
