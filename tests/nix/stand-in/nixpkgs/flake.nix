# Stands in for nixpkgs where no network is: its own module system (lib/, which tests/nixos/flake puts here) over the options
# of tests/nix/options/, and packages that are derivations and nothing else.
{
  outputs = _: {
    lib = import ./lib.nix;
    legacyPackages = (import ./lib.nix).genAttrs [ "x86_64-linux" "aarch64-linux" ] (
      system: import ./pkgs.nix { inherit system; }
    );
  };
}
