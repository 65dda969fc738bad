# What cargo needs here. The programs that the tests start, tests/run names.
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
