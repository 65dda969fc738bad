# What the PXE server can be told.
{ lib, ipv4 }:
let
  inherit (lib) mkOption types;
  word = pattern: description: types.strMatching pattern // { inherit description; };
  runtimePath = word "(/[A-Za-z0-9._-]+)+" "absolute path of plain words";
  nullable = type: description: mkOption {
    type = types.nullOr type;
    default = null;
    inherit description;
  };
in
{
  enable = lib.mkEnableOption "the PXE server: DHCP, TFTP and HTTP for machines that boot over the network";

  interface = mkOption {
    type = word "[A-Za-z0-9._][A-Za-z0-9._-]{0,14}" "name of a network interface";
    example = "eth0";
    description = "The network interface in the provisioning network. Its addresses are yours to configure.";
  };

  serverAddress = mkOption {
    inherit (ipv4) type;
    example = "10.0.100.10";
    description = "The address of this machine on `interface`: machines load from it, TFTP and HTTP listen on it.";
  };

  dhcp = {
    backend = mkOption {
      type = types.enum [
        "kea"
        "dnsmasq"
      ];
      default = "kea";
      description = "The DHCP server. With `kea`, atftpd serves TFTP; dnsmasq serves it itself.";
    };

    configFile = nullable types.path ''
      The whole configuration of the DHCP server, `kea-dhcp4.json` or `dnsmasq.conf` of `plasmagen render`, in the
      place of one made from the options below. It knows networks behind relays, several subnets and IPv6.
    '';

    configFile6 = nullable types.path ''
      The configuration of Kea's DHCPv6 server, `kea-dhcp6.json` of `plasmagen render`. null: no DHCPv6 server; dnsmasq
      says both families in one file.
    '';

    subnet = nullable ipv4.type "The provisioning network: its first address.";

    netmask = nullable ipv4.type "The netmask of the provisioning network.";

    broadcast = nullable ipv4.type "The broadcast address of the provisioning network, for the clients.";

    range = nullable (types.submodule {
      options = {
        start = mkOption {
          inherit (ipv4) type;
          description = "The first address.";
        };
        end = mkOption {
          inherit (ipv4) type;
          description = "The last address.";
        };
      };
    }) "The addresses for machines without a reservation. null: only `nodes` get an address.";

    router = nullable ipv4.type "The default router of the provisioning network.";

    domainNameServers = mkOption {
      type = types.listOf ipv4.type;
      default = [ ];
      description = "The resolvers for booting machines.";
    };

    domain = nullable (word "[A-Za-z0-9.-]+" "domain name") "The domain for booting machines.";
  };

  nodes = mkOption {
    default = { };
    description = "The known machines, by the MAC address of the NIC that boots: lower case, with colons.";
    example = {
      "52:54:00:12:34:56" = {
        profile = "control-plane";
        hostname = "node01";
        ipAddress = "10.0.100.50";
      };
    };
    type = types.attrsOf (types.submodule {
      options = {
        profile = mkOption {
          type = word "[a-z0-9]([a-z0-9-]*[a-z0-9])?" "name of a netboot image";
          example = "control-plane";
          description = "The netboot image that installs the machine: a directory of the web root's `nixos/`.";
        };
        hostname = mkOption {
          type = word "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?" "host name";
          description = "Its name.";
        };
        ipAddress = nullable ipv4.type "The address that is kept for it. null: it takes one of the range.";
      };
    });
  };

  httpPort = mkOption {
    type = types.port;
    default = 8080;
    description = "Where nginx listens.";
  };

  webRoot = mkOption {
    type = runtimePath;
    default = "/var/lib/pxe-boot";
    description = "What nginx serves as /boot/, filled by `plasmagen publish`. Its directory tftp is the TFTP root.";
  };

  systems = mkOption {
    type = types.listOf (types.enum [
      "x86_64-linux"
      "aarch64-linux"
    ]);
    default = [ "x86_64-linux" ];
    description = ''
      The kinds of machines that boot: for each, the TFTP root gets the iPXE that nixpkgs builds. Another system's than
      this machine's is cross-compiled.
    '';
  };

  loaders = mkOption {
    type = types.attrsOf types.path;
    default = { };
    example = lib.literalExpression ''{ "ipxe.efi" = ./ipxe-with-our-ca.efi; }'';
    description = ''
      The iPXE builds in the TFTP root, by file name, beside or instead of those of nixpkgs. A file that lies there
      already, such as one of `plasmagen publish`, wins.
    '';
  };

  openFirewall = mkOption {
    type = types.bool;
    default = true;
    description = "Whether NixOS' firewall lets DHCP, TFTP and HTTP in through `interface`. A PXE server that nobody reaches is none.";
  };

  firewallFile = nullable types.path ''
    A whole ruleset for nftables in the place of NixOS' firewall: `firewall/provisioner.nft` of `plasmagen render`.
  '';
}
