# nginx, with the locations of the rendered nginx.conf: templates/nginx.nginx.j2 has the reasons, tests/nixos/pxe_server
# compares the two.
{ config, lib, ... }:
let
  cfg = config.services.centra-pxe-server;
  root = cfg.webRoot;
  netboot = import ./netboot.nix { inherit lib cfg; };
  inherit (import ./systemd.nix) online;
  # nginx does not start while one of its addresses is missing. With several interfaces it listens at any address, so that
  # one cable does not keep all networks from booting; the firewall says who may ask.
  addresses =
    if cfg.otherInterfaces == { } then
      [
        cfg.serverAddress
        "127.0.0.1"
      ]
    else
      [ "0.0.0.0" ];
  noStore = "add_header Cache-Control no-store always;";

  # nginx follows no symbolic link in the web root except those called `current`
  bundle = {
    alias = "${root}/nixos/$1/current/$2";
    extraConfig = "disable_symlinks on from=${root}/nixos/$1/current;";
  };
  # and the links to loaders, which default.nix makes.
  loaders = lib.mapAttrs' (
    name: _:
    lib.nameValuePair "= /boot/tftp/${name}" {
      alias = "${netboot.tftpRoot}/${name}";
      extraConfig = "disable_symlinks off;";
    }
  ) cfg.loaders;
in
{
  config = lib.mkIf cfg.enable {
    services.nginx = {
      enable = true;
      # For a rack that is switched on at once. These are defaults: a machine with another nginx configuration may set
      # them already.
      appendConfig = lib.mkDefault ''
        worker_processes auto;
      '';
      eventsConfig = lib.mkDefault ''
        worker_connections 16384;
      '';

      virtualHosts.pxe-server = {
        default = true; # machines ask by address
        listen = map (addr: {
          inherit addr;
          port = cfg.httpPort;
          extraParameters = [ "backlog=4096" ];
        }) addresses;

        extraConfig = ''
          types {
            text/plain ipxe txt;
            text/html html;
            application/json json;
            application/efi efi;
          }
          sendfile on;
          sendfile_max_chunk 1m;
          tcp_nopush on;
          client_header_timeout 60s;
          client_body_timeout 60s;
          keepalive_timeout 75s;
          send_timeout 300s;
          reset_timedout_connection on;
          client_max_body_size 1k;
          client_body_buffer_size 1k;
          large_client_header_buffers 4 4k;
          add_header Cache-Control no-cache;
          disable_symlinks on from=${root};
          if ($request_method !~ ^(GET|HEAD)$) {
            return 405;
          }
        '';

        locations = loaders // {
          "/".return = 404;
          "~ /\\." = {
            return = 404;
            priority = 900; # before the others of its kind
          };
          "/boot/".alias = "${root}/";
          "/boot/armed/" = {
            alias = "${root}/armed/";
            extraConfig = noStore;
          };
          "~ ^/boot/((?:ipxe|overlay)/[A-Za-z0-9._/-]*|index\\.html)$" = {
            alias = "${root}/site/current/$1";
            extraConfig = "disable_symlinks on from=${root}/site/current;";
          };
          "~ ^/boot/nixos/([A-Za-z0-9-]+)/current/([A-Za-z0-9._-]+)$" = bundle;
          "~ ^/boot/nixos/([A-Za-z0-9-]+)/(bzImage|initrd)$" = bundle;

          "= /health" = {
            root = "/run/pxe-health";
            tryFiles = "/healthy.json @unhealthy";
            extraConfig = noStore;
          };
          "@unhealthy" = {
            return = 503;
            extraConfig = "error_page 503 /unhealthy;";
          };
          "= /unhealthy" = {
            root = "/run/pxe-health";
            tryFiles = "/unhealthy.json @unknown";
            extraConfig = ''
              internal;
              ${noStore}
            '';
          };
          "@unknown" = {
            return = "503 '{\"status\":\"unknown\"}\\n'";
            extraConfig = ''
              default_type application/json;
              ${noStore}
            '';
          };
        };
      };
    };

    systemd.services.nginx = online // {
      # NixOS starts nginx again every ten seconds, but five times only: an interface whose cable is put in later has its address
      # later.
      startLimitIntervalSec = lib.mkOverride 90 0;
      serviceConfig.LimitNOFILE = lib.mkDefault 65536;
    };
  };
}
