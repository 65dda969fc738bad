# The checks of `nix flake check`: the parts of tests/run that need no network, no root and no server.
{
  self,
  nixpkgs,
  system,
  pkgs,
}:
let
  inherit (self.packages.${system}) plasmagen;

  # The build of plasmagen, with another command instead of the build, on all files that git knows.
  cargo =
    name: command:
    plasmagen.overrideAttrs (build: {
      pname = "plasmagen-${name}";
      src = self;
      nativeBuildInputs = build.nativeBuildInputs ++ [
        pkgs.clippy
        pkgs.rustfmt
      ];
      buildPhase = ''
        runHook preBuild
        ${command}
        runHook postBuild
      '';
      installPhase = "touch $out";
      postInstall = "";
    });
in
{
  package = plasmagen;
  fmt = cargo "fmt" "cargo fmt --all --check";
  clippy = cargo "clippy" "cargo clippy --all-targets --locked --offline -- -D warnings";
  # Of the themes in tests/, the one that starts no program but plasmagen.
  tests = cargo "tests" "cargo test --locked --offline --lib --test inventory";
  # The committed reference is what its inventory says.
  reference = pkgs.runCommand "plasmagen-reference" { nativeBuildInputs = [ plasmagen ]; } ''
    cp --recursive ${self}/{inventory.toml,nodes,site} .
    chmod --recursive u+w .
    HOME=$PWD plasmagen render --check
    touch $out
  '';
}
