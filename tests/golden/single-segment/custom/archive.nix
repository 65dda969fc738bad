# A service of the user's own.
{ lib, ... }:
{
  options.services.archive = {
    enable = lib.mkEnableOption "archive";
    port = lib.mkOption { type = lib.types.port; };
    settings = lib.mkOption { type = lib.types.attrsOf lib.types.anything; };
  };
}
