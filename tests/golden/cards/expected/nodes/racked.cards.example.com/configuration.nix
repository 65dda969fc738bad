{ lib, plasmagen, ... }:
{
  imports = [
    plasmagen.nixosModules.worker
    ./hardware.nix
    ./disko.nix
  ];

  networking = {
    hostName = "racked";
    domain = "cards.example.com";
    usePredictableInterfaceNames = lib.mkDefault false; # eth0, eth1

    bonds.bond0 = {
      interfaces = [ "p1" "p2" ];
      driverOptions = {
        mode = "active-backup";
        miimon = "100";
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
          address = "10.31.4.14";
          prefixLength = 24;
        }
      ];
    };

    interfaces."bond0.20" = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.31.1.14";
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
    matchConfig.PermanentMACAddress = "3c:ec:ef:31:00:04";
    linkConfig.Name = "p1";
  };

  systemd.network.links."10-p2" = {
    matchConfig.PermanentMACAddress = "3c:ec:ef:31:01:04";
    linkConfig.Name = "p2";
  };

  services.chainfire = {
    enable = true;
    port = 2379;
    raftPort = 2380;
    gossipPort = 2381;
    settings = {
      cluster_name = "cards";
      node_id = "racked";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/racked-cert.pem";
        key_path = "/etc/nixos/secrets/racked-key.pem";
      };
    };
  };

  services.k8shost = {
    enable = true;
    port = 10250;
    settings = {
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/racked-cert.pem";
        key_path = "/etc/nixos/secrets/racked-key.pem";
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
    "nixos/secrets/racked-cert.pem".source = ./racked-cert.pem;
    "nixos/secrets/cluster-config.json".source = ./cluster-config.json;
  };

  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"
  ];

  system.stateVersion = "24.11";
}
