# Services whose names are keywords of Nix.
{ lib, ... }:
let
  service = {
    enable = lib.mkEnableOption "a service";
    port = lib.mkOption { type = lib.types.port; };
    settings = lib.mkOption { type = lib.types.attrsOf lib.types.anything; };
  };
in
{
  options.services."rec" = service;
  options.services."with" = service;
}
