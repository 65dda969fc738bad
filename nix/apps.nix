# The app of `nix run`.
{
  self,
  nixpkgs,
  system,
  ...
}:
{
  default = {
    type = "app";
    program = nixpkgs.lib.getExe self.packages.${system}.plasmagen;
    meta = { inherit (self.packages.${system}.plasmagen.meta) description; };
  };
}
