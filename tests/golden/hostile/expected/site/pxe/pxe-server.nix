{ plasmagen, ... }:
{
  imports = [ plasmagen.nixosModules.pxe-server ];

  services.centra-pxe-server = {
    enable = true;
    interface = "eth0";
    serverAddress = "10.0.0.2";
    httpPort = 8080;
    webRoot = "/var/lib/pxe-boot";
    # firewallFile = ../firewall/provisioner.nft; # replaces NixOS' firewall

    dhcp = {
      backend = "kea";
      # The file has all networks, IPv6 and reservations; the options below describe the server's network only.
      configFile = ./kea-dhcp4.json;
      subnet = "10.0.0.0";
      netmask = "255.255.255.0";
      broadcast = "10.0.0.255";
      domainNameServers = [ "10.0.0.253" ];
    };

    nodes = {
      "3c:ec:ef:00:00:01" = {
        profile = "control-plane";
        hostname = "include";
        ipAddress = "10.0.0.11";
        system = "x86_64-linux";
      };
    };
  };
}
