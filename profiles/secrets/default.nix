# /etc/nixos/secrets: the permissions of the files there, and units that report which file is missing. environment.etc
# installs the public files; plasmagen.secrets.backend is the source of the private key.
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

  # The contents of the files of a service that come with the configuration, such as certificates, each as a path in the Nix
  # store. systemd hands a service its credentials when the service starts: without these triggers, a switch to a new
  # certificate would leave the running service with the old one. A path of Nix is copied to the store here: as it stands,
  # it may lie in the source of the flake, whose store path changes with every commit.
  findPublic =
    files:
    let
      entries = map (path: config.environment.etc.${lib.removePrefix "/etc/" path} or null) (
        lib.filter (lib.hasPrefix "/etc/") (lib.attrValues files)
      );
    in
    map (entry: "${entry.source}") (lib.filter (entry: entry != null) entries);

  # A path that is not absolute names one of systemd's credentials, which is not a file to check.
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
        The files without which a unit does not start, by the unit's name: the certificate as `cert_path`, the
        certificate's key as `key_path`, and further files under any name. Your module adds the files of its service. A
        file of environment.etc that changes restarts the service at the next switch.
      '';
    };

    help = mkOption {
      type = types.listOf types.str;
      default = [ ];
      internal = true;
      description = "The instructions that are printed where a file is missing.";
    };
  };

  config = lib.mkMerge [
    {
      # At every boot, since copied files may have any mode. Users other than root may open a public file by its name, but
      # not list the directory. The rules of the audit log need the directory to exist.
      systemd.tmpfiles.settings.plasmagen-secrets = {
        "/etc/nixos".d = owned "0755";
        ${directory}.d = owned "0711";
        "${directory}/*-key.pem".z = owned "0400";
        # sshd refuses a host key that other users may read.
        "/etc/ssh/ssh_host_*_key".z = owned "0600";
      };
    }
    (lib.mkIf (cfg.services != { }) {
      environment.etc.${listed}.source = list;

      systemd.services = {
        # One instance for each service: a missing file of one service does not keep other services from starting. The
        # unit does not stay active, so it checks again whenever the service starts.
        "plasmagen-secrets@" = {
          description = "Keys and certificates of %i";
          # No start limit: a service that restarts often would reach the limit, although its files are there.
          startLimitIntervalSec = 0;
          serviceConfig = (import ../sandbox.nix).confined // {
            Type = "oneshot";
            ExecStart = "${pkgs.runtimeShell} ${./check.sh} ${pkgs.openssl}/bin/openssl /etc/${listed} %i";
            # The check reads files of any owner and needs no network.
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
        restartTriggers = findPublic cfg.services.${name};
      });
    })
  ];
}
