# /etc/nixos/secrets: who may read what there, and units that say which key is missing. Public files get there by
# environment.etc; where the private key comes from, plasmagen.secrets.backend says.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.plasmagen.secrets;
  directory = "/etc/nixos/secrets";
  services = lib.attrNames cfg.services;
  owned = mode: {
    inherit mode;
    user = "root";
    group = "root";
  };

  # systemd looks for what is no absolute path among its own credentials.
  line =
    service: setting: path:
    lib.optionalString (lib.hasPrefix "/" path) "${service}\t${setting}\t${path}\n";
  listed = "plasmagen/files-of-services";
  list = pkgs.writeText "files-of-services" (
    lib.concatMapStrings (text: "# ${text}\n") cfg.help
    + lib.concatStrings (
      lib.concatLists (
        lib.mapAttrsToList (service: files: lib.mapAttrsToList (line service) files) cfg.services
      )
    )
  );
in
{
  imports = [ ./encrypted.nix ];

  options.plasmagen.secrets = {
    services = mkOption {
      type = types.attrsOf (types.attrsOf types.str);
      default = { };
      example.myapp.key_path = "/etc/nixos/secrets/node01-key.pem";
      description = ''
        Files without which a unit does not start, by its name: its certificate as `cert_path` and the key of that as
        `key_path`, others under any name. A module of your own adds those of its service.
      '';
    };

    help = mkOption {
      type = types.listOf types.str;
      default = [ ];
      internal = true;
      description = "What to do where a file is missing.";
    };
  };

  config = lib.mkMerge [
    {
      # At every boot: what was copied there may have any mode. Others find a public file that they know the name of. The
      # audit log's rules want the directory to be there.
      systemd.tmpfiles.settings.plasmagen-secrets = {
        "/etc/nixos".d = owned "0755";
        ${directory}.d = owned "0711";
        "${directory}/*-key.pem".z = owned "0400";
        # With one that others may read, sshd does not start.
        "/etc/ssh/ssh_host_*_key".z = owned "0600";
      };
    }
    (lib.mkIf (cfg.services != { }) {
      environment.etc.${listed}.source = list;

      systemd.services = {
        # One of each service: a file that one misses does not keep the others from starting. Not remembered: it looks
        # again whenever the service starts.
        "plasmagen-secrets@" = {
          description = "Keys and certificates of %i";
          # A service that is restarted often would end here otherwise, by no fault of its files.
          startLimitIntervalSec = 0;
          serviceConfig = (import ../sandbox.nix).confined // {
            Type = "oneshot";
            ExecStart = "${pkgs.runtimeShell} ${./check.sh} ${pkgs.openssl}/bin/openssl /etc/${listed} %i";
            # It reads the files of whoever owns them, and needs no network.
            CapabilityBoundingSet = "CAP_DAC_READ_SEARCH";
            PrivateNetwork = true;
            PrivateUsers = false;
            RestrictAddressFamilies = "AF_UNIX";
          };
        };
      }
      // lib.genAttrs services (name: {
        requires = [ "plasmagen-secrets@${name}.service" ];
        after = [ "plasmagen-secrets@${name}.service" ];
      });
    })
  ];
}
