{
  description = "The machines of inventory.toml";

  inputs = {
    plasmagen.url = "flake:plasmagen"; # where it is: nix registry add plasmagen URL
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11"; # the NixOS release of the machines
    # plasmacloud: a flake with the services' programs, as packages.<system>.<service>; pass it to mkSite, too.
  };

  outputs = { plasmagen, nixpkgs, ... }: plasmagen.lib.mkSite { src = ./.; inherit nixpkgs; };
}
