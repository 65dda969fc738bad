# The options of NixOS 24.11 that a rendered tree or profiles/ set, with NixOS' types: what is not here, or is set to
# another type, the evaluation refuses. tests/nixos/configurations.rs compares names and types with the whole list of NixOS' options.
{
  imports = [
    ./boot.nix
    ./disko.nix
    ./networking.nix
    ./services.nix
    ./system.nix
  ];
}
