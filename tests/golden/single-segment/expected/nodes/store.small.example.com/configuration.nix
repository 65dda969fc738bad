{ lib, plasmagen, ... }:
{
  imports = [
    plasmagen.nixosModules.worker
    ./hardware.nix
    ./disko.nix
    ../../custom/archive.nix
  ];

  networking = {
    hostName = "store";
    domain = "small.example.com";
    usePredictableInterfaceNames = lib.mkDefault false; # eth0, eth1

    interfaces.eth0 = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.0.100.53";
          prefixLength = 24;
        }
      ];
    };

    defaultGateway = {
      address = "10.0.100.1";
      interface = "eth0";
    };
    nameservers = [ "10.0.100.1" ];
    timeServers = [ "ntp.example.com" "10.0.100.10" ];
    hosts = lib.importJSON ./hosts.json; # the cluster without a name server

    # firewall.nft is the only firewall.
    firewall.enable = lib.mkDefault false;
    nftables = {
      enable = lib.mkDefault true;
      rulesetFile = ./firewall.nft;
    };
  };

  services.chainfire = {
    enable = true;
    port = 2379;
    raftPort = 2380;
    gossipPort = 2381;
    settings = {
      cluster_name = "small";
      node_id = "store";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/store-cert.pem";
        key_path = "/etc/nixos/secrets/store-key.pem";
      };
    };
  };

  services.archive = {
    enable = true;
    port = 7000;
    settings = {
      nested = {
        list = [ 1 "two" [ 3 ] ];
        "odd key" = true;
        ratio = 0.5;
      };
      retention = "7d";
      threads = 8;
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/store-cert.pem";
        key_path = "/etc/nixos/secrets/store-key.pem";
      };
    };
  };

  # Forms or joins the cluster at the first boot.
  services.first-boot-automation = {
    enable = true;
    configFile = "/etc/nixos/secrets/cluster-config.json";
  };

  # The public files. The private key is staged beside them at installation and never enters the Nix store.
  environment.etc = {
    "nixos/secrets/ca-cert.pem".source = ./ca-cert.pem;
    "nixos/secrets/store-cert.pem".source = ./store-cert.pem;
    "nixos/secrets/cluster-config.json".source = ./cluster-config.json;
    "nixos/secrets/ca-crl.pem".source = ./ca-crl.pem;
  };

  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"
  ];

  services.rsyslogd = {
    enable = lib.mkDefault true;
    extraConfig = "*.* @@logging-server.example.com:514";
  };

  system.stateVersion = "24.11";
}
