{ plasmagen, ... }:
{
  imports = [ plasmagen.nixosModules.pxe-server ];

  services.centra-pxe-server = {
    enable = true;
    interface = "eth0";
    serverAddress = "10.0.100.10";
    httpPort = 8080;
    webRoot = "/var/lib/pxe-boot";
    isGateway = true;
    firewallFile = ../firewall/provisioner.nft; # replaces NixOS' firewall, which forwards everything

    dhcp = {
      backend = "kea";
      # The file has all networks, IPv6 and reservations; the options below describe the server's network only.
      configFile = ./kea-dhcp4.json;
      configFile6 = ./kea-dhcp6.json;
      subnet = "10.0.100.0";
      netmask = "255.255.255.0";
      broadcast = "10.0.100.255";
      range = {
        start = "10.0.100.100";
        end = "10.0.100.200";
      };
      router = "10.0.100.10";
      domainNameServers = [ "10.0.100.1" ];
    };

    nodes = {
      "3c:ec:ef:00:00:01" = {
        profile = "control-plane";
        hostname = "a1";
        ipAddress = "10.0.100.50";
        system = "x86_64-linux";
      };
      "3c:ec:ef:00:00:02" = {
        profile = "control-plane";
        hostname = "a2";
        ipAddress = "10.0.100.51";
        system = "x86_64-linux";
      };
      "3c:ec:ef:00:00:03" = {
        profile = "control-plane";
        hostname = "a3";
        ipAddress = "10.0.100.52";
        system = "x86_64-linux";
      };
    };
  };
}
