{ lib, plasmagen, ... }:
{
  imports = [
    plasmagen.nixosModules.worker
    ./hardware.nix
    ./disko.nix
  ];

  networking = {
    hostName = "r2n1";
    domain = "racks.example.com";
    usePredictableInterfaceNames = lib.mkDefault false; # eth0, eth1

    bonds.bond0 = {
      interfaces = [ "eth1" "eth2" ];
      driverOptions = {
        mode = "active-backup";
        miimon = "100";
      };
    };

    interfaces.bond0 = {
      useDHCP = false;
      mtu = 9000;
      ipv4.addresses = [
        {
          address = "10.9.2.1";
          prefixLength = 16;
        }
      ];
      ipv6.addresses = [
        {
          address = "2001:db8:9::21";
          prefixLength = 64;
        }
      ];
    };

    interfaces.eth0 = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.2.0.11";
          prefixLength = 24;
        }
      ];
    };

    defaultGateway = {
      address = "10.9.0.1";
      interface = "bond0";
    };
    defaultGateway6 = {
      address = "2001:db8:9::1";
      interface = "bond0";
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

  services.chainfire = {
    enable = true;
    port = 2379;
    raftPort = 2380;
    gossipPort = 2381;
    settings = {
      cluster_name = "racks";
      node_id = "r2n1";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/r2n1-cert.pem";
        key_path = "/etc/nixos/secrets/r2n1-key.pem";
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
      node_id = "r2n1";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/r2n1-cert.pem";
        key_path = "/etc/nixos/secrets/r2n1-key.pem";
      };
    };
  };

  services.k8shost = {
    enable = true;
    port = 10250;
    settings = {
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/r2n1-cert.pem";
        key_path = "/etc/nixos/secrets/r2n1-key.pem";
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
    "nixos/secrets/r2n1-cert.pem".source = ./r2n1-cert.pem;
    "nixos/secrets/cluster-config.json".source = ./cluster-config.json;
  };

  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"
  ];

  system.stateVersion = "24.11";
}
