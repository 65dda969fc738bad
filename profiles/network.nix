# The network of a node: systemd-networkd configures the addresses, bonds and VLANs that the inventory assigns, and
# nothing else. `networking.useNetworkd = false` has NixOS' scripts configure the same.
{ config, lib, ... }:
let
  inherit (config) networking;
  members = lib.concatMap (bond: bond.interfaces) (lib.attrValues networking.bonds);
  gateways = lib.filter (gateway: gateway != null) [
    networking.defaultGateway
    networking.defaultGateway6
  ];
  routed = lib.unique (
    lib.filter (device: device != null) (map (gateway: gateway.interface) gateways)
  );
  defaults = lib.mapAttrs (_: lib.mkDefault);

  member = {
    networkConfig = defaults {
      IPv6AcceptRA = false;
      LinkLocalAddressing = "no"; # the bond has the addresses
    };
    # A bond is up with the members that it has.
    linkConfig = defaults { RequiredForOnline = false; };
  };
  link = device: {
    networkConfig = defaults {
      IPv6AcceptRA = false;
      # Addresses stay while a switch restarts, so that services can bind to them and the node reaches itself.
      ConfigureWithoutCarrier = true;
      # networkd keeps the addresses and routes that other programs have added to the link (virtual addresses, networks of
      # tenants) when it starts again.
      KeepConfiguration = "static";
    };
    # Services start as soon as the link to the default gateway is up: they do not wait for a cable that nobody plugs in,
    # such as that of the boot network.
    linkConfig = defaults { RequiredForOnline = routed == [ ] || lib.elem device routed; };
  };
in
{
  networking = {
    useNetworkd = lib.mkDefault true;
    # The inventory assigns the addresses. Certificates and firewalls name them, so no address may be random.
    useDHCP = lib.mkDefault false;
    tempAddresses = lib.mkDefault "disabled";
  };

  systemd.network = lib.mkIf networking.useNetworkd {
    networks = lib.mapAttrs' (
      device: _:
      lib.nameValuePair "40-${device}" (if lib.elem device members then member else link device)
    ) networking.interfaces;
    # Routes and rules of other programs, such as those of pods, are theirs.
    config.networkConfig = defaults {
      ManageForeignRoutes = false;
      ManageForeignRoutingPolicyRules = false;
    };
    wait-online.anyInterface = lib.mkDefault true;
    wait-online.timeout = lib.mkDefault 30;
  };

  # NixOS would have systemd-resolved answer with networkd. The C library asks the inventory's resolvers itself: fewer
  # parts, no queries by LLMNR, and no resolvers of strangers where those of the inventory fail. This priority overrides
  # NixOS' mkDefault; a user's setting overrides this one.
  services.resolved.enable = lib.mkOverride 900 false;

  # No router assigns addresses or routes, neither to the inventory's interfaces nor to any other. systemd-sysctl(8) sets
  # this again for each interface that appears.
  boot.kernel.sysctl."net.ipv6.conf.*.accept_ra" = lib.mkDefault 0;
}
