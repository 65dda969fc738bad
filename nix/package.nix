# The program with its manual and completions.
{ lib, pkgs }:
let
  manifest = (lib.importTOML ../Cargo.toml).package;
in
pkgs.rustPlatform.buildRustPackage {
  pname = manifest.name;
  inherit (manifest) version;
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../Cargo.lock
      ../Cargo.toml
      ../benches
      ../docs/inventory.md
      ../docs/rules
      ../profiles/pxe-server/health.sh
      ../src
      ../templates
      ../tests/kit
    ];
  };
  cargoLock.lockFile = ../Cargo.lock;
  buildType = "dist";
  nativeBuildInputs = [ pkgs.installShellFiles ];
  # plasmagen writes its completions and its manual, so plasmagen must run on the build machine.
  postInstall = lib.optionalString (pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform) ''
    installShellCompletion --cmd plasmagen \
      --bash <($out/bin/plasmagen completions bash) \
      --zsh <($out/bin/plasmagen completions zsh) \
      --fish <($out/bin/plasmagen completions fish)
    $out/bin/plasmagen man --out man1
    installManPage man1/*
  '';
  # nix/checks.nix has the tests that can run in a sandbox; tests/run has all tests.
  doCheck = false;
  meta = {
    inherit (manifest) description;
    license = [
      lib.licenses.mit
      lib.licenses.asl20
    ];
    mainProgram = manifest.name;
    platforms = lib.platforms.linux;
  };
}
