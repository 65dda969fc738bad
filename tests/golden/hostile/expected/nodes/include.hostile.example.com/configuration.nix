{ lib, plasmagen, ... }:
{
  imports = [
    plasmagen.nixosModules.control-plane
    ./hardware.nix
    ./disko.nix
    ../../custom/keywords.nix
  ];

  networking = {
    hostName = "include";
    domain = "hostile.example.com";
    usePredictableInterfaceNames = lib.mkDefault false; # eth0, eth1

    interfaces.eth0 = {
      useDHCP = false;
      ipv4.addresses = [
        {
          address = "10.0.0.11";
          prefixLength = 24;
        }
      ];
    };

    nameservers = [ "10.0.0.253" ];
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
      cluster_name = "hostile";
      node_id = "include";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/include-cert.pem";
        key_path = "/etc/nixos/secrets/include-key.pem";
      };
    };
  };

  services."rec" = {
    enable = true;
    port = 7001;
    settings = {
      "" = "";
      "\"" = "\\";
      "$(id)" = "`id`";
      "\${x}" = "\${y}";
      "''" = "''\${z}''";
      "-1" = (-1);
      ";" = "; }";
      "a.b" = "$\${c}";
      "inherit" = "//#/*";
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/include-cert.pem";
        key_path = "/etc/nixos/secrets/include-key.pem";
      };
      "é✓" = "日本語";
    };
  };

  services."with" = {
    enable = true;
    port = 7002;
    settings = {
      nested = {
        "if" = { "then" = [ "\"" "\\\"" "$" "\${" "\\\${x}" "'" "''" "$(reboot)" "`reboot`" "a;b" "\\n" ]; };
      };
      tls = {
        ca_path = "/etc/nixos/secrets/ca-cert.pem";
        cert_path = "/etc/nixos/secrets/include-cert.pem";
        key_path = "/etc/nixos/secrets/include-key.pem";
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
    "nixos/secrets/include-cert.pem".source = ./include-cert.pem;
    "nixos/secrets/cluster-config.json".source = ./cluster-config.json;
  };

  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 a\"b\\c\${x}''$(id)`;é"
  ];

  boot.kernelParams = [ "a=b:c/d,e@f+g%h~i*j!k" ];

  system.stateVersion = "24.11";
}
