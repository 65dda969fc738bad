# The installer's addresses. DHCP gives the card that booted the inventory's address, which is reserved for it, and with it
# the boot network's gateway and resolvers, which the overlay does not know. overlay.nix names that card. The parameters
# ip= and systemd.hostname= of the kernel are systemd's own and win: systemd-network-generator(8), kernel-command-line(7).
{ lib, ... }:
{
  networking = {
    hostName = lib.mkDefault "";
    usePredictableInterfaceNames = false; # as on the nodes
    useNetworkd = true;
    useDHCP = false;
    # Port 22 is all that listens.
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
      # What iPXE has said, so that the server sees one machine.
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
