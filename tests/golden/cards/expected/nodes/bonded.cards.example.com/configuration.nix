{ lib, plasmagen, ... }:
{
  imports = [
    plasmagen.nixosModules.control-plane
    ./hardware.nix
    ./disko.nix
  ];

  networking = {
    hostName = "bonded";
    domain = "cards.example.com";
    usePredictableInterfaceNames = lib.mkDefault false; # eth0, eth1

    bonds.bond0 = {
      interfaces = [ "p1" "p2" ];
      driverOptions = {
        mode = "802.3ad";
        miimon = "100";
        lacp_rate = "fast";
        xmit_hash_policy = "layer3+4";
      };
    };

    vlans."bond0.20" = {
      id = 20;
      interface = "bond0";
    };

    interfaces.bond0 = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.31.0.11";
          prefixLength = 24;
        }
      ];
    };

    interfaces."bond0.20" = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.31.1.11";
          prefixLength = 24;
        }
      ];
    };

    defaultGateway = {
      address = "10.31.1.1";
      interface = "bond0.20";
    };
    nameservers = [ "10.31.1.1" ];
    hosts = lib.importJSON ./hosts.json; # the cluster without a name server

    # firewall.nft is the only firewall.
    firewall.enable = lib.mkDefault false;
    nftables = {
      enable = lib.mkDefault true;
      rulesetFile = ./firewall.nft;
    };
  };

  systemd.network.links."10-p1" = {
    matchConfig.PermanentMACAddress = "3c:ec:ef:31:00:01";
    linkConfig.Name = "p1";
  };

  systemd.network.links."10-p2" = {
    matchConfig.PermanentMACAddress = "3c:ec:ef:31:01:01";
    linkConfig.Name = "p2";
  };

  services.chainfire = {
    enable = true;
    port = 2379;
    raftPort = 2380;
    gossipPort = 2381;
    settings = {
      cluster_name = "cards";
      node_id = "bonded";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/bonded-cert.pem";
        key_path = "/etc/nixos/secrets/bonded-key.pem";
      };
    };
  };

  services.flaredb = {
    enable = true;
    port = 2479;
    raftPort = 2480;
    settings = {
      chainfire_endpoint = "https://localhost:2379";
      cluster_name = "cards";
      node_id = "bonded";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/bonded-cert.pem";
        key_path = "/etc/nixos/secrets/bonded-key.pem";
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
    "nixos/secrets/bonded-cert.pem".source = ./bonded-cert.pem;
    "nixos/secrets/cluster-config.json".source = ./cluster-config.json;
  };

  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"
  ];

  # Opens the encrypted disks, by the TPM or by the passphrase that somebody types.
  boot.initrd.systemd.enable = lib.mkDefault true;

  system.stateVersion = "24.11";
}
