{
  description = "Netboot image and config generator: one inventory.toml in, a whole bare-metal NixOS cluster out";

  # For the program alone. A site brings the nixpkgs that its machines run.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      manifest = (lib.importTOML ./Cargo.toml).package;
    in
    {
      packages = lib.genAttrs systems (
        system:
        let
          pkgs = nixpkgs.legacyPackages.${system};
        in
        {
          plasmagen = pkgs.rustPlatform.buildRustPackage {
            pname = manifest.name;
            inherit (manifest) version;
            src = lib.fileset.toSource {
              root = ./.;
              fileset = lib.fileset.unions [
                ./Cargo.lock
                ./Cargo.toml
                ./benches
                ./docs/rules
                ./profiles/pxe-server/health.sh
                ./src
                ./templates
              ];
            };
            cargoLock.lockFile = ./Cargo.lock;
            nativeBuildInputs = [ pkgs.installShellFiles ];
            # The program writes them itself, and so must run here.
            postInstall = lib.optionalString (pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform) ''
              installShellCompletion --cmd plasmagen \
                --bash <($out/bin/plasmagen completions bash) \
                --zsh <($out/bin/plasmagen completions zsh) \
                --fish <($out/bin/plasmagen completions fish)
              $out/bin/plasmagen man --out man1
              installManPage man1/*
            '';
            # The tests need the other programs that read what plasmagen writes: tests/run has them.
            doCheck = false;
            meta = {
              inherit (manifest) description;
              license = [
                lib.licenses.mit
                lib.licenses.asl20
              ];
              mainProgram = manifest.name;
              platforms = systems;
            };
          };
          default = self.packages.${system}.plasmagen;
        }
      );

      nixosModules = import ./profiles;
    };
}
