# Makes the NixOS module of a PlasmaCloud service from a short description. The program is `<name>-server` and reads
# /etc/nixos/<name>.toml: `settings`, the ports, and where its data and credentials lie.
{
  name,
  description,
  # Ports by option name with the runbook's defaults: port, raftPort, gossipPort, healthPort. The others are null unless
  # the inventory gives the service one.
  ports,
  # Whether `port` is one of UDP, too.
  udp ? false,
  # Services that this one talks to on the same machine.
  after ? [ ],
  # Linux capabilities that it needs (capabilities(7)).
  capabilities ? [ ],
  # Whether it manages the machine itself and so runs as root, outside of the sandbox.
  privileged ? false,
  # What its unit says beyond that.
  serviceConfig ? { },
  # Whether it answers /health.
  health ? true,
}:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.${name};
  toml = pkgs.formats.toml { };

  keys = {
    port = "port";
    raftPort = "raft_port";
    gossipPort = "gossip_port";
    healthPort = "health_port";
  };
  set = lib.filterAttrs (option: _: cfg.${option} != null) keys;

  listening =
    lib.mapAttrsToList (option: _: {
      inherit option;
      port = cfg.${option};
      protocol = "tcp";
    }) set
    ++ lib.optional udp {
      option = "port";
      inherit (cfg) port;
      protocol = "udp";
    };

  # Only root reads the key, so systemd passes the files on: LoadCredential= in systemd.exec(5).
  tls = cfg.settings.tls or { };
  credentials = lib.filterAttrs (key: _: lib.hasSuffix "_path" key) tls;
  credentialPaths = lib.mapAttrs (key: _: "/run/credentials/${name}.service/${key}") credentials;

  configFile = toml.generate "${name}.toml" (
    { data_dir = "/var/lib/${name}"; }
    // cfg.settings
    // lib.mapAttrs' (option: key: lib.nameValuePair key cfg.${option}) set
    // lib.optionalAttrs (tls != { }) { tls = tls // credentialPaths; }
  );

  stored = import ./service/stored.nix { inherit lib; } cfg.settings;
  firewall = import ./service/firewall.nix {
    inherit lib name cfg listening;
    enabled = config.networking.firewall.enable;
  };
  sandbox = import ./sandbox.nix;
  # Its own user, who owns its data and nothing else.
  ownUser = {
    User = name;
    Group = name;
  }
  // lib.optionalAttrs (capabilities != [ ]) {
    AmbientCapabilities = capabilities;
    CapabilityBoundingSet = capabilities;
    # In a user namespace a capability is worth nothing outside.
    PrivateUsers = false;
  };
in
{
  imports = [
    ./listeners.nix
    ./secrets
    (import ./health.nix {
      inherit name;
      answers = health;
    })
  ];

  options.services.${name} = {
    enable = lib.mkEnableOption description;

    package = lib.mkOption {
      type = lib.types.nullOr lib.types.package;
      default = null;
      description = "The package with `bin/${name}-server`. plasmagen brings none.";
    };

    settings = lib.mkOption {
      type = toml.type;
      default = { };
      description = ''
        What /etc/nixos/${name}.toml says. Files at `tls.*_path` reach the service as systemd credentials, and lie outside
        of the Nix store. `logging` is to the journal, a line of JSON an event, unless it is said here.
      '';
    };
  }
  // firewall.options
  // lib.mapAttrs (
    option: key:
    lib.mkOption {
      type = if ports ? ${option} then lib.types.port else lib.types.nullOr lib.types.port;
      default = ports.${option} or null;
      description = "Written to /etc/nixos/${name}.toml as `${key}`.";
    }
  ) keys;

  config = lib.mkIf cfg.enable (
    lib.mkMerge [
      firewall.config
      {
        assertions = [
          {
            assertion = cfg.package != null;
            message = ''
              services.${name} is enabled, but services.${name}.package is not set: plasmagen writes configurations and
              brings no PlasmaCloud programs. Give mkSite a `plasmacloud` that has it, or set it in a module of your own,
              and name that module in the inventory's `modules`.
            '';
          }
        ]
        ++ map (setting: {
          assertion = false;
          message = ''
            services.${name}.settings.${setting} is a path of Nix, or lies in the Nix store, which all users of all
            machines that it is copied to may read. Name where the file is at run time, in quotes, such as
            "/etc/nixos/secrets/file"; what is public gets there by environment.etc."nixos/secrets/file".source.
          '';
        }) stored;

        services.${name}.settings.logging = lib.mapAttrs (_: lib.mkDefault) {
          level = "info";
          format = "json";
          output = "journal";
        };

        plasmagen.listeners = map (port: {
          owner = "services.${name}.${port.option}";
          inherit (port) port protocol;
        }) listening;
        plasmagen.secrets.services.${name} = lib.mkIf (stored == [ ] && credentials != { }) credentials;

        environment.etc."nixos/${name}.toml".source = configFile;

        # Not DynamicUser: it moves the data below /var/lib/private, which fails where /var/lib/${name} is a mount point.
        users.users = lib.mkIf (!privileged) {
          ${name} = {
            isSystemUser = true;
            group = name;
          };
        };
        users.groups = lib.mkIf (!privileged) { ${name} = { }; };

        systemd.services.${name} = {
          inherit description;
          wantedBy = [ "multi-user.target" ];
          # With the wrong time, certificates are not valid.
          wants = [
            "network-online.target"
            "time-sync.target"
          ];
          after = [
            "network-online.target"
            "time-sync.target"
          ]
          ++ map (other: "${other}.service") after;
          restartTriggers = [ configFile ];
          serviceConfig = {
            ExecStart = "${cfg.package}/bin/${name}-server --config /etc/nixos/${name}.toml";
            LoadCredential = lib.mapAttrsToList (key: path: "${key}:${path}") credentials;
            StateDirectory = name;
          }
          // lib.mapAttrs (_: lib.mkDefault) (
            {
              StateDirectoryMode = "0700";
              LimitNOFILE = 65536;
              Restart = "on-failure";
              RestartSec = 5;
            }
            // (if privileged then sandbox.privileged else sandbox.confined // ownUser)
            // serviceConfig
          );
        };
      }
    ]
  );
}
