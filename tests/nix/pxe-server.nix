# A PXE server by hand, for the network and the nodes of the runbook's section 5.1.
{ plasmagen, ... }:
{
  imports = [ plasmagen.nixosModules.pxe-server ];

  services.centra-pxe-server = {
    enable = true;
    interface = "eth0";
    serverAddress = "10.0.100.10";
    dhcp = {
      subnet = "10.0.100.0";
      netmask = "255.255.255.0";
      broadcast = "10.0.100.255";
      range = {
        start = "10.0.100.100";
        end = "10.0.100.200";
      };
      router = "10.0.100.1";
      domainNameServers = [
        "10.0.100.1"
        "8.8.8.8"
      ];
    };
    nodes = {
      "52:54:00:12:34:56" = {
        profile = "control-plane";
        hostname = "node01";
        ipAddress = "10.0.100.50";
      };
      "52:54:00:12:34:57" = {
        profile = "control-plane";
        hostname = "node02";
        ipAddress = "10.0.100.51";
      };
      "52:54:00:12:34:58" = {
        profile = "control-plane";
        hostname = "node03";
        ipAddress = "10.0.100.52";
      };
    };
  };
}
