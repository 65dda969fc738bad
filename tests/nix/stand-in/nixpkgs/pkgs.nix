# Packages of no contents, and what makes more of them.
{ system }:
let
  lib = import ./lib.nix;
  package = name: attributes: import ./package.nix ({ inherit name system; } // attributes);
  # What of mkDerivation's arguments is text; the others are kept, as nixpkgs does.
  mkDerivation =
    given:
    let
      name = given.name or "${given.pname}-${given.version or "0"}";
      texts = lib.filterAttrs (_: lib.isString) (removeAttrs given [ "name" ]);
    in
    builtins.seq (given.src or null) (
      package name (texts // { inputs = given.nativeBuildInputs or [ ]; })
    )
    // (given.passthru or { })
    // {
      meta = given.meta or { };
      nativeBuildInputs = given.nativeBuildInputs or [ ];
      overrideAttrs = change: mkDerivation (given // change given);
    };
in
lib.genAttrs [ "clippy" "installShellFiles" "rustfmt" "shellcheck" ] (name: package name { })
// {
  stdenv.buildPlatform.canExecute = _: true;
  stdenv.hostPlatform = { inherit system; };
  stdenvNoCC = { inherit mkDerivation; };
  rustPlatform.buildRustPackage = mkDerivation;
  runCommand =
    name: given: buildCommand:
    mkDerivation (given // { inherit name buildCommand; });
  mkShell = given: mkDerivation { name = "shell"; nativeBuildInputs = given.packages; };
}
