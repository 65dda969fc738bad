# The installer of a base as a bundle: the kernel and the ramdisk of one evaluation, checked and hashed by plasmagen.
{
  # The nixpkgs of the installer.
  nixpkgs,
  # The packages that make the bundle: for the machines' system, but from plasmagen's nixpkgs.
  pkgs,
  plasmagen,
  profile,
  system,
  # profiles/netboot, with the site's settings for this image.
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
  # The ramdisk holds the whole system. Without this setting, the store path in init= would make the system a dependency of
  # the bundle, and a binary cache or a web server would receive the system a second time.
  __structuredAttrs = true;
  unsafeDiscardReferences.out = true;
  buildCommand = ''
    plasmagen bundle --out "$out" \
      --base ${profile} \
      --arch ${system} \
      --kernel ${build.kernel}/${image.config.system.boot.loader.kernelFile} \
      --initrd ${build.netbootRamdisk}/initrd \
      --init ${build.toplevel}/init \
      --cmdline ${nixpkgs.lib.escapeShellArg (toString image.config.boot.kernelParams)}
  '';
  # For questions such as `nix eval .#netboot-worker.image.config.boot.kernelParams`.
  passthru = { inherit image; };
  meta.description = "What an armed machine of the profile ${profile} boots";
}
