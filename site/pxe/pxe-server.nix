{ plasmagen, ... }:
{
  imports = [ plasmagen.nixosModules.pxe-server ];

  services.centra-pxe-server = {
    enable = true;
    interface = "eth0";
    serverAddress = "10.0.100.10";
    httpPort = 8080;
    webRoot = "/var/lib/pxe-boot";
    # firewallFile = ../firewall/provisioner.nft; # replaces NixOS' firewall

    dhcp = {
      backend = "kea";
      # The file has all networks, IPv6 and reservations; the options below describe the server's network only.
      configFile = ./kea-dhcp4.json;
      subnet = "10.0.100.0";
      netmask = "255.255.255.0";
      broadcast = "10.0.100.255";
      range = {
        start = "10.0.100.100";
        end = "10.0.100.200";
      };
      router = "10.0.100.1";
      domainNameServers = [ "10.0.100.1" "8.8.8.8" ];
      domain = "prov.example.com";
    };

    nodes = {
      "52:54:00:12:34:56" = {
        profile = "control-plane";
        hostname = "node01";
        ipAddress = "10.0.100.50";
        system = "x86_64-linux";
      };
      "52:54:00:12:34:57" = {
        profile = "control-plane";
        hostname = "node02";
        ipAddress = "10.0.100.51";
        system = "x86_64-linux";
      };
      "52:54:00:12:34:58" = {
        profile = "control-plane";
        hostname = "node03";
        ipAddress = "10.0.100.52";
        system = "x86_64-linux";
      };
      "52:54:00:12:34:59" = {
        profile = "worker";
        hostname = "node04";
        ipAddress = "10.0.100.80";
        system = "x86_64-linux";
      };
      "52:54:00:12:34:5a" = {
        profile = "worker";
        hostname = "node05";
        ipAddress = "10.0.100.81";
        system = "x86_64-linux";
      };
    };
  };
}
