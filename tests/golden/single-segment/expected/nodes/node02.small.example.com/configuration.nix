{ lib, plasmagen, ... }:
{
  imports = [
    plasmagen.nixosModules.control-plane
    ./hardware.nix
    ./disko.nix
  ];

  networking = {
    hostName = "node02";
    domain = "small.example.com";
    usePredictableInterfaceNames = lib.mkDefault false; # eth0, eth1

    interfaces.eth0 = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.0.100.51";
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
      node_id = "node02";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/node02-cert.pem";
        key_path = "/etc/nixos/secrets/node02-key.pem";
      };
    };
  };

  services.flaredb = {
    enable = true;
    port = 2479;
    raftPort = 2480;
    settings = {
      chainfire_endpoint = "https://localhost:2379";
      cluster_name = "small";
      node_id = "node02";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/node02-cert.pem";
        key_path = "/etc/nixos/secrets/node02-key.pem";
      };
    };
  };

  services.iam = {
    enable = true;
    port = 8443;
    settings = {
      flaredb_endpoint = "https://localhost:2479";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/node02-cert.pem";
        key_path = "/etc/nixos/secrets/node02-key.pem";
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
    "nixos/secrets/node02-cert.pem".source = ./node02-cert.pem;
    "nixos/secrets/cluster-config.json".source = ./cluster-config.json;
    "nixos/secrets/ca-crl.pem".source = ./ca-crl.pem;
  };

  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"
  ];

  # Opens the encrypted disks, by the TPM or by the passphrase that somebody types.
  boot.initrd.systemd.enable = lib.mkDefault true;

  services.rsyslogd = {
    enable = lib.mkDefault true;
    extraConfig = "*.* @@logging-server.example.com:514";
  };

  system.stateVersion = "24.11";
}
