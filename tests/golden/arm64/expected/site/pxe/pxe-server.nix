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
    systems = [ "x86_64-linux" "aarch64-linux" ];

    dhcp = {
      backend = "kea";
      # The file has all networks, IPv6 and reservations; the options below describe the server's network only.
      configFile = ./kea-dhcp4.json;
      subnet = "10.0.0.0";
      netmask = "255.255.255.0";
      broadcast = "10.0.0.255";
      router = "10.0.0.1";
      domainNameServers = [ "10.0.0.1" ];
    };

    nodes = {
      "3c:ec:ef:00:00:01" = {
        profile = "control-plane-aarch64";
        hostname = "arm1";
        ipAddress = "10.0.0.11";
        system = "aarch64-linux";
      };
      "3c:ec:ef:00:00:02" = {
        profile = "control-plane-aarch64";
        hostname = "arm2";
        ipAddress = "10.0.0.12";
        system = "aarch64-linux";
      };
      "3c:ec:ef:00:00:03" = {
        profile = "control-plane";
        hostname = "intel1";
        ipAddress = "10.0.0.13";
        system = "x86_64-linux";
      };
    };
  };
}
