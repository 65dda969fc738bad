# The installer's addresses. The interface that booted gets its reserved address from DHCP, with the boot network's gateway
# and resolvers, which the overlay does not have. apply.sh names that interface. The kernel parameters ip= and
# systemd.hostname= override these settings: systemd-network-generator(8), kernel-command-line(7).
{ lib, ... }:
{
  networking = {
    hostName = lib.mkDefault "";
    usePredictableInterfaceNames = false; # as on the nodes
    useNetworkd = true;
    useDHCP = false;
    # Only port 22 is open.
    firewall.enable = lib.mkDefault true;
  };

  systemd.network = {
    networks."90-any-card" = {
      matchConfig = {
        Type = "ether";
        Kind = "!*"; # cards, not bridges or bonds
      };
      networkConfig = {
        DHCP = "yes";
        IPv6AcceptRA = true;
      };
      # The identifier that iPXE sent, so that the DHCP server sees one machine.
      dhcpV4Config = {
        ClientIdentifier = "mac";
        UseHostname = false;
      };
    };
    wait-online.anyInterface = true;
  };
  systemd.additionalUpstreamSystemUnits = [ "systemd-network-generator.service" ];
  systemd.services.systemd-network-generator.wantedBy = [ "sysinit.target" ];
}
