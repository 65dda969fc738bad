# The development shell, with the programs that cargo needs. tests/run lists the programs that tests start.
{ self, system, pkgs, ... }:
{
  default = pkgs.mkShell {
    inputsFrom = [ self.packages.${system}.plasmagen ];
    packages = [
      pkgs.clippy
      pkgs.rustfmt
      pkgs.shellcheck
    ];
  };
}
