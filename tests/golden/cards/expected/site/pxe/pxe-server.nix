{ plasmagen, ... }:
{
  imports = [ plasmagen.nixosModules.pxe-server ];

  services.centra-pxe-server = {
    enable = true;
    interface = "eno1";
    serverAddress = "10.31.0.5";
    httpPort = 8080;
    webRoot = "/var/lib/pxe-boot";
    # firewallFile = ../firewall/provisioner.nft; # replaces NixOS' firewall
    systems = [ "x86_64-linux" "aarch64-linux" ];

    dhcp = {
      backend = "kea";
      # The file has all networks, IPv6 and reservations; the options below describe the server's network only.
      configFile = ./kea-dhcp4.json;
      subnet = "10.31.0.0";
      netmask = "255.255.255.0";
      broadcast = "10.31.0.255";
      range = {
        start = "10.31.0.200";
        end = "10.31.0.230";
      };
      router = "10.31.0.1";
      domainNameServers = [ "10.31.0.1" ];
    };

    nodes = {
      "3c:ec:ef:31:00:02" = {
        profile = "control-plane-aarch64";
        hostname = "board";
        ipAddress = "10.31.0.12";
        system = "aarch64-linux";
      };
      "3c:ec:ef:31:00:01" = {
        profile = "control-plane";
        hostname = "bonded";
        ipAddress = "10.31.0.11";
        otherMacs = [ "3c:ec:ef:31:01:01" ];
        system = "x86_64-linux";
      };
      "3c:ec:ef:31:00:03" = {
        profile = "control-plane";
        hostname = "legacy";
        ipAddress = "10.31.0.13";
        system = "x86_64-linux";
        firmware = "bios";
      };
      "3c:ec:ef:31:01:04" = {
        profile = "worker-aarch64";
        hostname = "racked";
        ipAddress = "10.31.4.14";
        otherMacs = [ "3c:ec:ef:31:00:04" ];
        system = "aarch64-linux";
      };
    };
  };
}
