# The DHCP server, and atftpd for TFTP beside a server that does not serve TFTP.
{ config, lib, ... }:
let
  cfg = config.services.centra-pxe-server;
  servers = import ./dhcp { inherit lib cfg; };
  netboot = import ./netboot.nix { inherit lib cfg; };
  inherit (import ./systemd.nix) online restarts;

  runs = name: server: lib.mkIf (cfg.dhcp.backend == name) server.config;
in
{
  config = lib.mkIf cfg.enable (
    lib.mkMerge (
      lib.mapAttrsToList runs servers
      ++ [
        (lib.mkIf (!servers.${cfg.dhcp.backend}.servesTftp) {
          services.atftpd = {
            enable = true;
            root = netboot.tftpRoot;
            # One thread serves one machine: the default of 100 threads refuses a rack.
            extraOptions = [
              # atftpd takes one address: with several interfaces that is any address, and the firewall says who may ask.
              "--bind-address ${if cfg.otherInterfaces == { } then cfg.serverAddress else "0.0.0.0"}"
              "--tftpd-timeout 300"
              "--retry-timeout 5"
              "--maxthread 1000"
              "--no-multicast"
              "--verbose=5"
            ];
          };
          systemd.services.atftpd = online // restarts;
        })
      ]
    )
  );
}
