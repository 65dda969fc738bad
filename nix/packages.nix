# The program, and an image for each base. These images belong to no site: the overlay of the node that boots an image has
# the operators' keys.
{
  self,
  nixpkgs,
  system,
  pkgs,
}:
let
  inherit (nixpkgs) lib;
  plasmagen = import ./package.nix { inherit lib pkgs; };
  image =
    profile:
    import ./bundle.nix {
      inherit nixpkgs pkgs plasmagen profile system;
      module = self.nixosModules.netboot;
    };
in
{
  inherit plasmagen;
  default = plasmagen;
}
// lib.mapAttrs' (profile: _: lib.nameValuePair "netboot-${profile}" (image profile)) {
  inherit (self.nixosModules) control-plane worker all-in-one;
}
