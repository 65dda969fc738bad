{ plasmagen, ... }:
{
  imports = [ plasmagen.nixosModules.pxe-server ];

  services.centra-pxe-server = {
    enable = true;
    interface = "enp1s0";
    serverAddress = "192.168.7.2";
    httpPort = 8080;
    webRoot = "/var/lib/pxe-boot";
    # firewallFile = ../firewall/provisioner.nft; # replaces NixOS' firewall

    dhcp = {
      backend = "kea";
      # The file has all networks, IPv6 and reservations; the options below describe the server's network only.
      configFile = ./kea-dhcp4.json;
      subnet = "192.168.7.0";
      netmask = "255.255.255.0";
      broadcast = "192.168.7.255";
      domainNameServers = [ "192.168.7.253" ];
    };

    nodes = {
      "3c:ec:ef:00:00:01" = {
        profile = "all-in-one";
        hostname = "solo";
        ipAddress = "192.168.7.10";
        system = "x86_64-linux";
      };
    };
  };
}
