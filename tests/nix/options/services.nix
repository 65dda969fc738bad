# Programs that NixOS configures.
{ config, lib, ... }:
let
  inherit (lib) types;
  inherit (import ./types.nix { inherit lib; })
    bool
    keyValue
    lines
    named
    option
    port
    required
    strings
    submodule
    text
    ;

  jsonAtoms = [
    types.bool
    types.int
    types.float
    types.str
    types.path
    (types.attrsOf json)
    (types.listOf json)
  ];
  json = named (types.nullOr (types.oneOf jsonAtoms)) "JSON value";
  kea = option (submodule {
    enable = bool;
    settings = option json null;
    configFile = option (types.nullOr types.path) null;
  }) { };
  keyValues = named (types.attrsOf keyValue) "attribute set of (atom (null, bool, int, float or string))";
  opensshSettings = {
    LogLevel = option (types.nullOr (
      types.enum [
        "QUIET"
        "FATAL"
        "ERROR"
        "INFO"
        "VERBOSE"
        "DEBUG"
        "DEBUG1"
        "DEBUG2"
        "DEBUG3"
      ]
    )) "INFO";
    PasswordAuthentication = option (types.nullOr types.bool) true;
    KbdInteractiveAuthentication = option (types.nullOr types.bool) true;
    PermitRootLogin = option (types.nullOr (
      types.enum [
        "yes"
        "without-password"
        "prohibit-password"
        "forced-commands-only"
        "no"
      ]
    )) "prohibit-password";
    X11Forwarding = option (types.nullOr types.bool) false;
  };
in
{
  # NixOS gives up after five starts in this time.
  config.systemd.services = lib.mkIf config.services.nginx.enable { nginx.startLimitIntervalSec = 60; };

  options = {
    services = {
      atftpd.enable = bool;
      atftpd.root = option types.path "/srv/tftp";
      atftpd.extraOptions = strings;
      dnsmasq.enable = bool;
      dnsmasq.resolveLocalQueries = option types.bool true;
      dnsmasq.settings = option (named (types.attrsOf (types.either keyValue (types.listOf keyValue)))
        "attribute set of (atom (null, bool, int, float or string) or a list of them for duplicate keys)"
      ) { };
      kea.dhcp4 = kea;
      kea.dhcp6 = kea;
      nginx.enable = bool;
      nginx.appendConfig = lines;
      nginx.eventsConfig = lines;
      nginx.virtualHosts = option (types.attrsOf (submodule {
        default = bool;
        listen = option (types.listOf (submodule {
          addr = required types.str;
          port = option (types.nullOr port) null;
          extraParameters = strings;
        })) [ ];
        locations = option (types.attrsOf (submodule {
          alias = option (types.nullOr types.path) null;
          root = option (types.nullOr types.path) null;
          index = text;
          tryFiles = text;
          return = option (types.nullOr (types.oneOf [
            types.str
            types.int
          ])) null;
          priority = option types.int 1000;
          extraConfig = lines;
        })) { };
        extraConfig = lines;
      })) { };
      chrony.enable = bool;
      chrony.extraConfig = lines;
      chrony.initstepslew.enabled = option types.bool true;
      getty.autologinUser = text;
      getty.helpLine = lines;
      journald.storage = option (types.enum [
        "persistent"
        "volatile"
        "auto"
        "none"
      ]) "persistent";
      journald.extraConfig = lines;
      resolved.enable = bool;
      openssh.authorizedKeysInHomedir = option types.bool true;
      openssh.enable = bool;
      openssh.hostKeys = option (types.listOf types.attrs) [ ];
      openssh.ports = option (types.listOf port) [ 22 ];
      openssh.settings = option (types.submodule {
        freeformType = keyValues;
        options = opensshSettings;
      }) { };
      rsyslogd.defaultConfig = lines;
      rsyslogd.enable = bool;
      rsyslogd.extraConfig = lines;
    };
  };
}
