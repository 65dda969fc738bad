# The options of the PXE server.
{
  lib,
  ipv4,
  servers,
}:
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

  otherInterfaces = mkOption {
    type = types.attrsOf ipv4.type;
    default = { };
    example = {
      eth1 = "10.0.101.10";
    };
    description = ''
      Further network interfaces in provisioning networks, each with the address of this machine there: machines of that
      network load from it, and DHCP, TFTP and HTTP are served there, too. They need `dhcp.configFile`, which has the
      other networks. Their addresses are yours to configure.
    '';
  };

  dhcp = {
    backend = mkOption {
      type = types.enum (lib.attrNames servers);
      default = "kea";
      description = "The DHCP server. A server that does not serve TFTP, such as Kea, gets atftpd beside it.";
    };

    configFile = nullable types.path ''
      The complete configuration of the DHCP server, instead of a configuration made from the options below:
      `kea-dhcp4.json` or `dnsmasq.conf` of `plasmagen render`. The rendered file has networks behind relays, several
      subnets and, for dnsmasq, IPv6.
    '';

    configFile6 = nullable types.path ''
      The configuration of Kea's DHCPv6 server, `kea-dhcp6.json` of `plasmagen render`. null: no DHCPv6 server. dnsmasq
      has both families in `configFile`.
    '';

    subnet = nullable ipv4.type "The provisioning network: its first address.";

    netmask = nullable ipv4.type "The netmask of the provisioning network.";

    broadcast = nullable ipv4.type "The broadcast address of the provisioning network, which clients are told.";

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
      description = "The DNS resolvers that booting machines are told.";
    };

    domain = nullable (word "[A-Za-z0-9.-]+" "domain name") "The DNS domain that booting machines are told.";
  };

  nodes = mkOption {
    default = { };
    description = "The known machines, by the MAC address of the network card that boots: lower case, with colons.";
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
          description = "The host name of the machine.";
        };
        ipAddress = nullable ipv4.type "The address that is reserved for the machine. null: the machine gets an address of `dhcp.range`.";
        otherMacs = mkOption {
          type = types.listOf types.str;
          default = [ ];
          example = [ "52:54:00:12:34:57" ];
          description = "The MAC addresses of other network cards that may boot the machine, such as the members of a bond. They share the reserved address.";
        };
        system = nullable (types.enum [
          "x86_64-linux"
          "aarch64-linux"
        ]) "The system of the machine, which decides on the loader where the architecture that the machine announces does not fit. null: the announced architecture alone decides.";
        firmware = mkOption {
          type = types.enum [
            "uefi"
            "bios"
          ];
          default = "uefi";
          description = "The firmware of the machine, which decides on the loader where the machine announces no architecture that fits `system`.";
        };
      };
    });
  };

  httpPort = mkOption {
    type = types.port;
    default = 8080;
    description = "The TCP port of nginx.";
  };

  webRoot = mkOption {
    type = runtimePath;
    default = "/var/lib/pxe-boot";
    description = "The directory that nginx serves as /boot/, and that `plasmagen publish` fills. The directory tftp in it is the TFTP root.";
  };

  systems = mkOption {
    type = types.listOf (types.enum [
      "x86_64-linux"
      "aarch64-linux"
    ]);
    default = [ "x86_64-linux" ];
    description = ''
      The systems of the machines that boot. For each system, the TFTP root gets the iPXE of nixpkgs; the iPXE of
      another system than this machine's is cross-compiled.
    '';
  };

  loaders = mkOption {
    type = types.attrsOf types.path;
    default = { };
    example = lib.literalExpression ''{ "ipxe.efi" = ./ipxe-with-our-ca.efi; }'';
    description = ''
      iPXE builds for the TFTP root, by file name, in addition to those of nixpkgs or instead of them. A file that exists
      in the TFTP root, such as one that `plasmagen publish` installed, stays.
    '';
  };

  openFirewall = mkOption {
    type = types.bool;
    default = true;
    description = "Whether NixOS' firewall accepts DHCP, TFTP and HTTP on `interface` and `otherInterfaces`. Machines cannot boot without them.";
  };

  isGateway = mkOption {
    type = types.bool;
    default = false;
    description = "Whether this machine is the gateway of its networks: the kernel forwards IPv4 packets, those that `firewallFile` lets through.";
  };

  firewallFile = nullable types.path ''
    A complete nftables ruleset instead of NixOS' firewall: `firewall/provisioner.nft` of `plasmagen render`.
  '';
}
