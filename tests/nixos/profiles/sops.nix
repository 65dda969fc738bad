# Stands in for sops-nix: its options that profiles/ set, with its types.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.sops.secrets = mkOption {
    default = { };
    type = types.attrsOf (types.submodule {
      options = {
        sopsFile = mkOption { type = types.path; };
        format = mkOption {
          type = types.enum [
            "yaml"
            "json"
            "binary"
            "dotenv"
            "ini"
          ];
        };
        path = mkOption { type = types.str; };
        mode = mkOption { type = types.str; };
        owner = mkOption { type = types.nullOr types.str; };
        group = mkOption { type = types.nullOr types.str; };
      };
    });
  };
}
