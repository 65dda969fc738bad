# The PXE server: DHCP, TFTP and HTTP for machines that boot over the network. The module uses NixOS' modules for Kea with
# atftpd, or dnsmasq, and for nginx. The rendered site/pxe/pxe-server.nix sets the options of this module.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.centra-pxe-server;
  ipv4 = import ./ipv4.nix { inherit lib; };
  servers = import ./dhcp { inherit lib cfg; };
  inherit (import ./netboot.nix { inherit lib cfg; }) tftpRoot;

  # The links in the TFTP root lead here: the store path of a loader changes with nixpkgs, this path does not.
  loaderDir = "plasmagen/loaders";

  builds =
    lib.mapAttrs
      (system: cross: if pkgs.stdenv.hostPlatform.system == system then pkgs.ipxe else cross.ipxe)
      {
        x86_64-linux = pkgs.pkgsCross.gnu64;
        aarch64-linux = pkgs.pkgsCross.aarch64-multiplatform;
      };
  fromNixpkgs = {
    x86_64-linux = {
      "undionly.kpxe" = "${builds.x86_64-linux}/undionly.kpxe";
      "ipxe.efi" = "${builds.x86_64-linux}/ipxe.efi";
    };
    aarch64-linux = {
      "ipxe-arm64.efi" = "${builds.aarch64-linux}/ipxe.efi";
    };
  };

  directories = [
    cfg.webRoot
    tftpRoot
    "${cfg.webRoot}/armed"
    "${cfg.webRoot}/nixos"
  ]
  ++ lib.unique (lib.mapAttrsToList (_: node: "${cfg.webRoot}/nixos/${node.profile}") cfg.nodes);
in
{
  imports = [
    ./dhcp-tftp.nix
    ./http.nix
    ./health.nix
  ];

  options.services.centra-pxe-server = import ./options.nix { inherit lib ipv4 servers; };

  config = lib.mkIf cfg.enable {
    assertions = import ./assertions.nix { inherit lib ipv4 servers cfg; };

    services.centra-pxe-server.loaders = lib.mkMerge (
      map (system: lib.mapAttrs (_: lib.mkDefault) fromNixpkgs.${system}) cfg.systems
    );

    environment.etc = lib.mapAttrs' (
      name: source: lib.nameValuePair "${loaderDir}/${name}" { inherit source; }
    ) cfg.loaders;

    # `:` keeps the owner and the mode of a directory that exists, and `L` keeps a file that exists in the place of the
    # link: tmpfiles.d(5).
    systemd.tmpfiles.settings.pxe-server =
      lib.genAttrs directories (_: {
        d = {
          mode = ":0755";
          user = ":root";
          group = ":root";
        };
      })
      // lib.mapAttrs' (
        name: _: lib.nameValuePair "${tftpRoot}/${name}" { L.argument = "/etc/${loaderDir}/${name}"; }
      ) cfg.loaders;

    # Both of NixOS' own definitions of this key are defaults; net.ipv4.ip_forward is another name of the same setting.
    boot.kernel.sysctl = lib.mkIf cfg.isGateway { "net.ipv4.conf.all.forwarding" = true; };

    networking = lib.mkMerge [
      (lib.mkIf (cfg.openFirewall && cfg.firewallFile == null) {
        firewall.interfaces =
          lib.genAttrs ([ cfg.interface ] ++ lib.attrNames cfg.otherInterfaces)
            (_: {
              allowedTCPPorts = [ cfg.httpPort ];
              allowedUDPPorts = [
                67 # DHCP
                69 # TFTP
              ]
              ++ lib.optional servers.${cfg.dhcp.backend}.mayServeIpv6 547; # DHCPv6
            });
      })
      # A machine in the one network reaches the server's address in the other through a router, and the answer goes out through
      # the interface in the machine's network. NixOS' firewall takes that for a forged sender, unless it only asks for any route.
      (lib.mkIf (cfg.otherInterfaces != { } && cfg.firewallFile == null) {
        firewall.checkReversePath = lib.mkDefault "loose";
      })
      (lib.mkIf (cfg.firewallFile != null) {
        firewall.enable = false;
        nftables = import ../nftables.nix { inherit lib; } // {
          enable = true;
          rulesetFile = cfg.firewallFile;
        };
      })
    ];
  };
}
