{ lib, plasmagen, ... }:
{
  imports = [
    plasmagen.nixosModules.all-in-one
    ./hardware.nix
    ./disko.nix
  ];

  networking = {
    hostName = "solo";
    domain = "lab.example.com";
    usePredictableInterfaceNames = lib.mkDefault false; # eth0, eth1

    interfaces.eth0 = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "192.168.7.10";
          prefixLength = 24;
        }
      ];
    };

    nameservers = [ "192.168.7.253" ];
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
      cluster_name = "lab";
      node_id = "solo";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/solo-cert.pem";
        key_path = "/etc/nixos/secrets/solo-key.pem";
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
    "nixos/secrets/solo-cert.pem".source = ./solo-cert.pem;
    "nixos/secrets/cluster-config.json".source = ./cluster-config.json;
  };

  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"
  ];

  system.stateVersion = "24.11";
}
