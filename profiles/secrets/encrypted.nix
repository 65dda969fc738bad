# The source of this node's private key. An encrypted key may lie in the Nix store and in git: agenix or sops-nix, which
# the site imports, decrypts the key with the machine's SSH host key, to the path of a staged key.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.plasmagen.secrets;
  host = config.networking.hostName;
  name = "${host}-key.pem";
  path = "/etc/nixos/secrets/${name}";
  services = lib.attrNames cfg.services;

  modules = {
    agenix = {
      imported = options ? age;
      file = "${name}.age";
      import = "agenix.nixosModules.default";
      encrypt = "`plasmagen secrets encrypt` writes it";
    };
    sops = {
      imported = options ? sops;
      file = "${name}.sops";
      import = "sops-nix.nixosModules.sops";
      encrypt = "`sops encrypt` of the staged key writes it";
    };
  };
  module = modules.${cfg.backend};
  isEncrypted = cfg.backend != "staged";
  file = cfg.directory + "/${module.file}";
  isComplete = isEncrypted && module.imported && cfg.directory != null;

  start = "systemctl start ${lib.concatStringsSep " " services}";
in
{
  options.plasmagen.secrets = {
    backend = mkOption {
      type = types.enum [
        "staged"
        "agenix"
        "sops"
      ];
      default = "staged";
      description = ''
        The source of the node's private key. `staged`: the key is copied to /etc/nixos/secrets at the installation.
        `agenix` or `sops`: agenix or sops-nix, which the site imports, decrypts the key from `directory` to that place.
      '';
    };

    directory = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "../keys";
      description = ''
        The directory with the encrypted keys of all nodes, outside of nodes/: `<node>-key.pem.age` for agenix, as
        `plasmagen secrets encrypt` writes them; `<node>-key.pem.sops`, in sops' binary format, for sops-nix.
      '';
    };
  };

  config = lib.mkIf (cfg.services != { }) (
    lib.mkMerge [
      {
        plasmagen.secrets.help = [
          "Where the vault is: plasmagen secrets stage ${host} --to DIR"
          "then: scp DIR${path} root@${config.networking.fqdnOrHostName}:${path}"
        ]
        ++ lib.optional isEncrypted "so that the node starts; what ${cfg.backend} said against ${module.file}: journalctl --boot"
        ++ [ "and here: ${start}" ];
      }
      (lib.mkIf isEncrypted {
        assertions = [
          {
            assertion = module.imported;
            message = ''
              plasmagen.secrets.backend is "${cfg.backend}", whose module is not there. Import ${module.import} where the
              site's machines are made, beside their configuration.
            '';
          }
          {
            assertion = cfg.directory != null;
            message = ''
              plasmagen.secrets.backend is "${cfg.backend}", but plasmagen.secrets.directory is not set: the directory with
              ${module.file}.
            '';
          }
          {
            assertion = cfg.directory != null -> builtins.pathExists file;
            message = ''
              plasmagen.secrets.directory has no ${module.file}, the encrypted key of ${host}: ${module.encrypt}. A flake
              sees only files that git knows: `git add` it.
            '';
          }
        ];
      })
      # The services read their key when they start. The trigger is the digest of the file: the path may lie in the source of
      # the flake, whose store path changes with every commit.
      (lib.mkIf isComplete {
        systemd.services = lib.genAttrs services (_: {
          restartTriggers = [ (builtins.hashFile "sha256" file) ];
        });
      })
      # The module system refuses the name of an option that no module declares.
      (lib.optionalAttrs modules.agenix.imported {
        age.secrets = lib.mkIf (isComplete && cfg.backend == "agenix") {
          ${name} = {
            inherit file path;
            owner = "root";
            group = "root";
            mode = "0400";
            # agenix makes its symbolic links even where decryption failed: a link would replace a key that works.
            symlink = false;
          };
        };
      })
      (lib.optionalAttrs modules.sops.imported {
        sops.secrets = lib.mkIf (isComplete && cfg.backend == "sops") {
          ${name} = {
            inherit path;
            sopsFile = file;
            format = "binary";
            owner = "root";
            group = "root";
            mode = "0400";
          };
        };
      })
    ]
  );
}
