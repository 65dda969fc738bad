{ lib, plasmagen, ... }:
{
  imports = [
    plasmagen.nixosModules.control-plane
    ./hardware.nix
    ./disko.nix
  ];

  networking = {
    hostName = "a2";
    domain = "dual.example.com";
    usePredictableInterfaceNames = lib.mkDefault false; # eth0, eth1

    interfaces.eth0 = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.0.100.51";
          prefixLength = 24;
        }
      ];
      ipv6.addresses = [
        {
          address = "fd00:100::51";
          prefixLength = 64;
        }
      ];
    };

    interfaces.eth1 = {
      useDHCP = false;
      mtu = 9000;
      ipv6.addresses = [
        {
          address = "fd00:200::11";
          prefixLength = 64;
        }
      ];
    };

    defaultGateway6 = {
      address = "fd00:200::1";
      interface = "eth1";
    };
    nameservers = [ "fd00:200::1" ];
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
      cluster_name = "dual";
      node_id = "a2";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/a2-cert.pem";
        key_path = "/etc/nixos/secrets/a2-key.pem";
      };
    };
  };

  services.flaredb = {
    enable = true;
    port = 2479;
    raftPort = 2480;
    settings = {
      chainfire_endpoint = "https://localhost:2379";
      cluster_name = "dual";
      node_id = "a2";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/a2-cert.pem";
        key_path = "/etc/nixos/secrets/a2-key.pem";
      };
    };
  };

  services.iam = {
    enable = true;
    port = 8080;
    settings = {
      flaredb_endpoint = "https://localhost:2479";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/a2-cert.pem";
        key_path = "/etc/nixos/secrets/a2-key.pem";
      };
    };
  };

  services.flashdns = {
    enable = true;
    port = 53;
    healthPort = 853;
    settings = {
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/a2-cert.pem";
        key_path = "/etc/nixos/secrets/a2-key.pem";
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
    "nixos/secrets/a2-cert.pem".source = ./a2-cert.pem;
    "nixos/secrets/cluster-config.json".source = ./cluster-config.json;
  };

  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"
  ];

  system.stateVersion = "25.05";
}
