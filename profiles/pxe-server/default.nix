# The PXE server: DHCP, TFTP and HTTP for machines that boot over the network, by NixOS' own modules for Kea and atftpd,
# or dnsmasq, and nginx. site/pxe/pxe-server.nix of a rendered tree fills in its options.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.centra-pxe-server;
  ipv4 = import ./ipv4.nix { inherit lib; };

  # The store path of a loader changes with nixpkgs; the links in the TFTP root stay.
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

  # What dnsmasq's file says is not known here.
  mayServeIpv6 =
    cfg.dhcp.configFile6 != null || cfg.dhcp.backend == "dnsmasq" && cfg.dhcp.configFile != null;

  directories = [
    cfg.webRoot
    "${cfg.webRoot}/tftp"
    "${cfg.webRoot}/armed"
    "${cfg.webRoot}/nixos"
  ]
  ++ lib.unique (lib.mapAttrsToList (_: node: "${cfg.webRoot}/nixos/${node.profile}") cfg.nodes);
in
{
  imports = [
    ./dhcp.nix
    ./http.nix
    ./health.nix
  ];

  options.services.centra-pxe-server = import ./options.nix { inherit lib ipv4; };

  config = lib.mkIf cfg.enable {
    assertions = import ./assertions.nix { inherit lib ipv4 cfg; };

    services.centra-pxe-server.loaders = lib.mkMerge (
      map (system: lib.mapAttrs (_: lib.mkDefault) fromNixpkgs.${system}) cfg.systems
    );

    environment.etc = lib.mapAttrs' (
      name: source: lib.nameValuePair "${loaderDir}/${name}" { inherit source; }
    ) cfg.loaders;

    # `:` leaves the owner and the mode of what is there already alone, and `L` whatever has the name of a link:
    # tmpfiles.d(5).
    systemd.tmpfiles.settings.pxe-server =
      lib.genAttrs directories (_: {
        d = {
          mode = ":0755";
          user = ":root";
          group = ":root";
        };
      })
      // lib.mapAttrs' (
        name: _: lib.nameValuePair "${cfg.webRoot}/tftp/${name}" { L.argument = "/etc/${loaderDir}/${name}"; }
      ) cfg.loaders;

    networking = lib.mkMerge [
      (lib.mkIf (cfg.openFirewall && cfg.firewallFile == null) {
        firewall.interfaces.${cfg.interface} = {
          allowedTCPPorts = [ cfg.httpPort ];
          allowedUDPPorts = [
            67 # DHCP
            69 # TFTP
          ]
          ++ lib.optional mayServeIpv6 547; # DHCPv6
        };
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
