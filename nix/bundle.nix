# A profile's installer as a bundle: the kernel and the ramdisk of one evaluation, checked and hashed by plasmagen.
{
  # What runs on the machines.
  nixpkgs,
  # What makes the bundle: the machines' kind of system, but plasmagen's own nixpkgs.
  pkgs,
  plasmagen,
  profile,
  system,
  # profiles/netboot, and what the site says of this image.
  module,
  specialArgs ? { },
}:
let
  image = nixpkgs.lib.nixosSystem {
    inherit specialArgs;
    modules = [
      module
      {
        nixpkgs.hostPlatform = nixpkgs.lib.mkDefault system;
        system.name = nixpkgs.lib.mkDefault "netboot-${profile}";
      }
    ];
  };
  inherit (image.config.system) build;
in
pkgs.stdenvNoCC.mkDerivation {
  name = "netboot-${profile}";
  nativeBuildInputs = [ plasmagen ];
  # What a machine loads holds all that it needs: without this, the store path in init= would have a binary cache or a
  # web server receive the whole system a second time.
  __structuredAttrs = true;
  unsafeDiscardReferences.out = true;
  buildCommand = ''
    plasmagen bundle --out "$out" \
      --profile ${profile} \
      --arch ${system} \
      --kernel ${build.kernel}/${image.config.system.boot.loader.kernelFile} \
      --initrd ${build.netbootRamdisk}/initrd \
      --init ${build.toplevel}/init \
      --cmdline ${nixpkgs.lib.escapeShellArg (toString image.config.boot.kernelParams)}
  '';
  # `nix eval .#netboot-worker.image.config.boot.kernelParams`, say.
  passthru = { inherit image; };
  meta.description = "What an armed machine of the profile ${profile} boots";
}
