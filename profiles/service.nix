# Makes the NixOS module of a PlasmaCloud service from a short description. The program is `<name>-server` and reads
# /etc/nixos/<name>.toml: `settings`, the ports, and the paths of the data and the credentials.
{
  name,
  description,
  # Ports by option name with the runbook's defaults: port, raftPort, gossipPort, healthPort. A port that is not listed
  # is null unless the inventory sets the port.
  ports,
  # Whether the service listens on `port` with UDP too.
  udp ? false,
  # Services of the same machine that this service calls.
  after ? [ ],
  # Linux capabilities that the service needs (capabilities(7)).
  capabilities ? [ ],
  # Whether the service manages the machine and so runs as root, outside of the sandbox.
  privileged ? false,
  # Further settings of the systemd service.
  serviceConfig ? { },
  # Whether the service answers /health.
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

  # Only root may read the key, so systemd passes the files to the service: LoadCredential= in systemd.exec(5).
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
  # A user for this service alone, who owns the service's data and nothing else.
  serviceUser = {
    User = name;
    Group = name;
  }
  // lib.optionalAttrs (capabilities != [ ]) {
    AmbientCapabilities = capabilities;
    CapabilityBoundingSet = capabilities;
    # A capability in a user namespace has no effect outside of the namespace.
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
      description = "The package with `bin/${name}-server`. plasmagen has no such package.";
    };

    settings = lib.mkOption {
      type = toml.type;
      default = { };
      description = ''
        The settings in /etc/nixos/${name}.toml. The files at `tls.*_path` reach the service as systemd credentials and must
        be outside of the Nix store. By default, `logging` is to the journal, with one line of JSON for each event.
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
              brings no PlasmaCloud programs. Give mkSite a `plasmacloud` that has the package, or set the option in a NixOS
              module, and name that module in the inventory's `modules`.
            '';
          }
        ]
        ++ map (setting: {
          assertion = false;
          message = ''
            services.${name}.settings.${setting} is a path of Nix, or lies in the Nix store, which all users of all
            machines that have a copy may read. Write the path of the file at run time, in quotes, such as
            "/etc/nixos/secrets/file"; environment.etc."nixos/secrets/file".source puts a public file there.
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
          # Certificates are not valid while the clock is wrong.
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
            // (if privileged then sandbox.privileged else sandbox.confined // serviceUser)
            // serviceConfig
          );
        };
      }
    ]
  );
}
