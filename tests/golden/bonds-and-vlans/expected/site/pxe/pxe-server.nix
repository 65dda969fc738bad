{ plasmagen, ... }:
{
  imports = [ plasmagen.nixosModules.pxe-server ];

  services.centra-pxe-server = {
    enable = true;
    interface = "eth0";
    serverAddress = "10.1.0.10";
    otherInterfaces = {
      eth1 = "10.2.0.10";
    };
    httpPort = 8080;
    webRoot = "/var/lib/pxe-boot";
    # firewallFile = ../firewall/provisioner.nft; # replaces NixOS' firewall

    dhcp = {
      backend = "kea";
      # The file has all networks, IPv6 and reservations; the options below describe the server's network only.
      configFile = ./kea-dhcp4.json;
      subnet = "10.1.0.0";
      netmask = "255.255.255.0";
      broadcast = "10.1.0.255";
      range = {
        start = "10.1.0.100";
        end = "10.1.0.150";
      };
      router = "10.1.0.1";
      domainNameServers = [ ];
    };

    nodes = {
      "3c:ec:ef:00:01:01" = {
        profile = "control-plane";
        hostname = "r1n1";
        ipAddress = "10.1.0.11";
        system = "x86_64-linux";
      };
      "3c:ec:ef:00:02:01" = {
        profile = "control-plane";
        hostname = "r1n2";
        ipAddress = "10.1.0.12";
        system = "x86_64-linux";
      };
      "3c:ec:ef:00:03:01" = {
        profile = "worker";
        hostname = "r2n1";
        ipAddress = "10.2.0.11";
        system = "x86_64-linux";
      };
    };
  };
}
