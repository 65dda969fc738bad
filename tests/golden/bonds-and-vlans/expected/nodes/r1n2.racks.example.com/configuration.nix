{ lib, plasmagen, ... }:
{
  imports = [
    plasmagen.nixosModules.control-plane
    ./hardware.nix
    ./disko.nix
  ];

  networking = {
    hostName = "r1n2";
    domain = "racks.example.com";
    usePredictableInterfaceNames = lib.mkDefault false; # eth0, eth1

    bonds.bond0 = {
      interfaces = [ "lan1" "lan2" ];
      driverOptions = {
        mode = "802.3ad";
        miimon = "100";
        lacp_rate = "fast";
        xmit_hash_policy = "layer3+4";
      };
    };

    vlans."bond0.200" = {
      id = 200;
      interface = "bond0";
    };

    vlans."bond0.300" = {
      id = 300;
      interface = "bond0";
    };

    interfaces.bond0 = {
      useDHCP = false;
      mtu = 9000;
    };

    interfaces."bond0.200" = {
      useDHCP = false;
      mtu = 9000;
      ipv4.addresses = [
        {
          address = "10.9.1.2";
          prefixLength = 16;
        }
      ];
      ipv6.addresses = [
        {
          address = "2001:db8:9::12";
          prefixLength = 64;
        }
      ];
    };

    interfaces."bond0.300" = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.3.0.12";
          prefixLength = 24;
        }
      ];
    };

    interfaces.eth0 = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.1.0.12";
          prefixLength = 24;
        }
      ];
    };

    defaultGateway = {
      address = "10.9.0.1";
      interface = "bond0.200";
    };
    defaultGateway6 = {
      address = "2001:db8:9::1";
      interface = "bond0.200";
    };
    nameservers = [ "10.9.0.1" ];
    hosts = lib.importJSON ./hosts.json; # the cluster without a name server

    # firewall.nft is the only firewall.
    firewall.enable = lib.mkDefault false;
    nftables = {
      enable = lib.mkDefault true;
      rulesetFile = ./firewall.nft;
    };
  };

  systemd.network.links."10-lan1" = {
    matchConfig.PermanentMACAddress = "3c:ec:ef:00:02:02";
    linkConfig.Name = "lan1";
  };

  systemd.network.links."10-lan2" = {
    matchConfig.PermanentMACAddress = "3c:ec:ef:00:02:03";
    linkConfig.Name = "lan2";
  };

  services.chainfire = {
    enable = true;
    port = 2379;
    raftPort = 2380;
    gossipPort = 2381;
    settings = {
      cluster_name = "racks";
      node_id = "r1n2";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/r1n2-cert.pem";
        key_path = "/etc/nixos/secrets/r1n2-key.pem";
      };
    };
  };

  services.flaredb = {
    enable = true;
    port = 2479;
    raftPort = 2480;
    settings = {
      chainfire_endpoint = "https://localhost:2379";
      cluster_name = "racks";
      node_id = "r1n2";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/r1n2-cert.pem";
        key_path = "/etc/nixos/secrets/r1n2-key.pem";
      };
    };
  };

  services.fiberlb = {
    enable = true;
    port = 9092;
    settings = {
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/r1n2-cert.pem";
        key_path = "/etc/nixos/secrets/r1n2-key.pem";
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
    "nixos/secrets/r1n2-cert.pem".source = ./r1n2-cert.pem;
    "nixos/secrets/cluster-config.json".source = ./cluster-config.json;
  };

  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"
  ];

  # Opens the encrypted disks, by the TPM or by the passphrase that somebody types.
  boot.initrd.systemd.enable = lib.mkDefault true;

  system.stateVersion = "24.11";
}
