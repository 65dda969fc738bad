# DHCP and TFTP: Kea and atftpd, or dnsmasq for both.
{ config, lib, ... }:
let
  cfg = config.services.centra-pxe-server;
  isKea = cfg.dhcp.backend == "kea";
  made = cfg.dhcp.configFile == null;

  # The address must be there when they bind it.
  online = {
    wants = [ "network-online.target" ];
    after = [ "network-online.target" ];
  };
  # NixOS' modules do not start Kea and atftpd again; without them no machine boots.
  restarts.serviceConfig = {
    Restart = "on-failure";
    RestartSec = 5;
  };
in
{
  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      (lib.mkIf isKea {
        services.kea.dhcp4 = {
          enable = true;
          configFile = cfg.dhcp.configFile;
          settings = lib.mkIf made (import ./kea.nix { inherit lib cfg; });
        };
        services.kea.dhcp6 = lib.mkIf (cfg.dhcp.configFile6 != null) {
          enable = true;
          configFile = cfg.dhcp.configFile6;
        };
        services.atftpd = {
          enable = true;
          root = "${cfg.webRoot}/tftp";
          # A thread serves one machine; the default of 100 refuses a rack.
          extraOptions = [
            "--bind-address ${cfg.serverAddress}"
            "--tftpd-timeout 300"
            "--retry-timeout 5"
            "--maxthread 1000"
            "--no-multicast"
            "--verbose=5"
          ];
        };
        systemd.services = {
          kea-dhcp4-server = restarts;
          kea-dhcp6-server = lib.mkIf (cfg.dhcp.configFile6 != null) restarts;
          atftpd = online // restarts;
        };
      })
      (lib.mkIf (!isKea) {
        services.dnsmasq = {
          enable = true;
          resolveLocalQueries = lib.mkDefault false; # DHCP and TFTP only
          settings =
            if made then
              import ./dnsmasq.nix { inherit lib cfg; }
            else
              { conf-file = [ "${cfg.dhcp.configFile}" ]; };
        };
        systemd.services.dnsmasq = online;
      })
    ]
  );
}
