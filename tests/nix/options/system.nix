# The system as a whole: its files, users, security, Nix itself, and what its evaluation says.
{ lib, pkgs, ... }:
let
  inherit (lib) types;
  inherit (import ./types.nix { inherit lib; })
    atoms
    bool
    lines
    named
    option
    required
    singleLine
    strings
    submodule
    text
    ;

  noColon = named (types.strMatching "[^:\n]*") "string, not containing newlines or colons";
  nixAtom = named (types.nullOr (types.oneOf (atoms ++ [ types.package ]))) "Nix config atom (null, bool, int, float, str, path or package)";
in
{
  options = {
    # Internal options of NixOS, which its list leaves out.
    assertions = option (types.listOf types.unspecified) [ ];
    warnings = strings;

    nix.enable = option types.bool true;
    nix.gc.automatic = bool;
    nix.gc.dates = option singleLine "03:15";
    nix.gc.options = option singleLine "";
    nix.gc.randomizedDelaySec = option singleLine "0";
    nix.package = option types.package pkgs.nix;
    nix.settings = option (types.attrsOf (types.either nixAtom (types.listOf nixAtom))) { };

    nixpkgs.hostPlatform = required (types.either types.str types.attrs);

    environment = {
      etc = option (types.attrsOf (types.submodule (
        { config, ... }:
        {
          options.source = required types.path;
          options.text = option (types.nullOr types.lines) null;
          config.source = lib.mkIf (config.text != null) (lib.mkDefault "/nix/store/text");
        }
      ))) { };
      systemPackages = option (types.listOf types.package) [ ];
    };

    security = {
      audit = {
        enable = option (types.enum [
          false
          true
          "lock"
        ]) false;
        failureMode = option (types.enum [
          "silent"
          "printk"
          "panic"
        ]) "printk";
        backlogLimit = option types.int 64;
        rateLimit = option types.int 0;
        rules = strings;
      };
      auditd.enable = bool;
      pam.services = option (types.attrsOf (submodule { requireWheel = bool; })) { };
      sudo.execWheelOnly = bool;
    };

    time.timeZone = option (types.nullOr (
      named (types.strMatching "[^ ]*") "string without spaces"
    )) null;

    users.allowNoPasswordLogin = bool;
    users.mutableUsers = option types.bool true;
    users.groups = option (types.attrsOf (submodule { })) { };
    users.users = option (types.attrsOf (submodule {
      isSystemUser = bool;
      group = option types.str "";
      hashedPassword = option (types.nullOr noColon) null;
      hashedPasswordFile = text;
      initialHashedPassword = option (types.nullOr noColon) null;
      initialPassword = text;
      openssh.authorizedKeys.keys = option (types.listOf singleLine) [ ];
      password = text;
    })) { };

    system.boot.loader.kernelFile = lib.mkOption {
      type = types.str;
      default = "bzImage";
      internal = true;
    };
    system.build = option (types.lazyAttrsOf types.unspecified) { };
    system.name = option types.str "unnamed";
    system.nixos.variant_id = option (types.nullOr (types.strMatching "^[a-z0-9._-]+$")) null;
    system.stateVersion = required types.str;
  };
}
