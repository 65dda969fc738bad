# Addresses, names, firewalls.
{ config, lib, ... }:
let
  inherit (lib) types;
  inherit (import ./types.nix { inherit lib; })
    bool
    lines
    named
    option
    port
    required
    strings
    submodule
    text
    ;

  openPorts = {
    allowedTCPPorts = option (types.listOf port) [ ];
    allowedUDPPorts = option (types.listOf port) [ ];
  };

  address = submodule {
    address = required types.str;
    prefixLength = required types.int;
  };
  gateway = types.nullOr (
    types.coercedTo types.str (address: { inherit address; }) (submodule {
      address = required types.str;
      interface = text;
      metric = option (types.nullOr types.int) null;
    })
  );
in
{
  # NixOS says so itself, and two definitions of the same strength are an error.
  config.networking.nftables.flushRuleset = lib.mkDefault (
    config.networking.nftables.rulesetFile != null
  );
  config.services.resolved.enable = lib.mkIf config.networking.useNetworkd (lib.mkDefault true);
  # The machine's names at 127.0.0.2 and ::1, with no lower priority than a site's lines.
  config.networking.hosts =
    let
      inherit (config.networking) domain hostName;
      names =
        lib.optional (hostName != "" && domain != null) "${hostName}.${domain}"
        ++ lib.optional (hostName != "") hostName;
    in
    {
      "127.0.0.2" = names;
    }
    // lib.optionalAttrs config.networking.enableIPv6 { "::1" = names; };
  # With networkd, members of bonds and devices below VLANs are interfaces, too.
  config.networking.interfaces = lib.mkIf config.networking.useNetworkd (
    lib.genAttrs (
      lib.concatMap (bond: bond.interfaces) (lib.attrValues config.networking.bonds)
      ++ map (vlan: vlan.interface) (lib.attrValues config.networking.vlans)
    ) (_: { })
  );
  config.assertions = [
    {
      assertion =
        config.networking.useNetworkd
        && config.networking.defaultGateway != null
        -> config.networking.defaultGateway.interface != null;
      message = "networking.defaultGateway.interface is not optional when using networkd.";
    }
  ];

  options = {
    networking = {
      hostName = required (types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$");
      domain = text;
      fqdnOrHostName = option types.str (
        lib.concatStringsSep "." (
          [ config.networking.hostName ]
          ++ lib.optional (config.networking.domain != null) config.networking.domain
        )
      );
      usePredictableInterfaceNames = option types.bool true;
      enableIPv6 = option types.bool true;
      hosts = lib.mkOption { type = types.attrsOf (types.listOf types.str); };
      useDHCP = option types.bool true;
      tempAddresses = option (types.enum [
        "default"
        "disabled"
        "enabled"
      ]) "default";
      nameservers = strings;
      timeServers = strings;
      useNetworkd = bool;
      defaultGateway = option gateway null;
      defaultGateway6 = option gateway null;
      firewall = openPorts // {
        enable = option types.bool true;
        interfaces = option (types.attrsOf (submodule openPorts)) { };
        checkReversePath = option (types.either types.bool (
          types.enum [
            "strict"
            "loose"
          ]
        )) true;
      };
      nftables.enable = bool;
      nftables.rulesetFile = option (types.nullOr types.path) null;
      nftables.flushRuleset = bool;
      nftables.extraDeletions = lines;
      interfaces = option (types.attrsOf (submodule {
        useDHCP = option (types.nullOr types.bool) null;
        mtu = option (types.nullOr types.int) null;
        ipv4.addresses = option (types.listOf address) [ ];
        ipv6.addresses = option (types.listOf address) [ ];
      })) { };
      bonds = option (types.attrsOf (submodule {
        interfaces = required (types.listOf types.str);
        driverOptions = option (types.attrsOf types.str) { };
      })) { };
      vlans = option (types.attrsOf (submodule {
        id = required types.int;
        interface = required types.str;
      })) { };
    };
  };
}
