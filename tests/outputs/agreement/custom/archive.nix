# The service of the user's own that random inventories have.
{ lib, ... }:
{
  options.services.archive =
    let
      port = lib.mkOption {
        type = lib.types.nullOr lib.types.port;
        default = null;
      };
    in
    {
      enable = lib.mkEnableOption "archive";
      inherit port;
      raftPort = port;
      gossipPort = port;
      healthPort = port;
      settings = lib.mkOption {
        type = lib.types.attrsOf lib.types.anything;
        default = { };
      };
    };
}
