# Makes the NixOS module of a PlasmaCloud service from a short description. The program is `<name>-server` and reads
# /etc/nixos/<name>.toml: `settings`, the ports, and where its data and credentials lie.
{
  name,
  description,
  # Ports by option name with the runbook's defaults: port, raftPort, gossipPort, healthPort. The others are null unless
  # the inventory gives the service one.
  ports,
  # Services that this one talks to on the same machine.
  after ? [ ],
  # Linux capabilities that it needs (capabilities(7)).
  capabilities ? [ ],
  # Whether it manages the machine itself and so runs as root, outside of the sandbox.
  privileged ? false,
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

  # Only root reads the key, so systemd passes the files on: LoadCredential= in systemd.exec(5).
  tls = cfg.settings.tls or { };
  credentials = lib.filterAttrs (key: _: lib.hasSuffix "_path" key) tls;
  credentialPaths = lib.mapAttrs (key: _: "/run/credentials/${name}.service/${key}") credentials;

  configFile = toml.generate "${name}.toml" (
    { data_dir = "/var/lib/${name}"; }
    // cfg.settings
    // lib.mapAttrs' (option: key: lib.nameValuePair key cfg.${option}) (
      lib.filterAttrs (option: _: cfg.${option} != null) keys
    )
    // lib.optionalAttrs (tls != { }) { tls = tls // credentialPaths; }
  );

  sandbox = {
    User = name;
    Group = name;
    AmbientCapabilities = capabilities;
    CapabilityBoundingSet = if capabilities == [ ] then "" else capabilities;
    LockPersonality = true;
    NoNewPrivileges = true;
    PrivateDevices = true;
    PrivateTmp = true;
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHome = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectSystem = "strict";
    RestrictAddressFamilies = [
      "AF_INET"
      "AF_INET6"
      "AF_NETLINK"
      "AF_UNIX"
    ];
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
  };
in
{
  imports = [
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
      description = "What /etc/nixos/${name}.toml says. Files at `tls.*_path` reach the service as systemd credentials.";
    };
  }
  // lib.mapAttrs (
    option: key:
    lib.mkOption {
      type = if ports ? ${option} then lib.types.port else lib.types.nullOr lib.types.port;
      default = ports.${option} or null;
      description = "Written to /etc/nixos/${name}.toml as `${key}`.";
    }
  ) keys;

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.package != null;
        message = ''
          services.${name} is enabled, but services.${name}.package is not set: plasmagen writes configurations and
          brings no PlasmaCloud programs. Set it in a module of your own, and name that module in the inventory's
          `modules`.
        '';
      }
    ];

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
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ] ++ map (other: "${other}.service") after;
      restartTriggers = [ configFile ];
      serviceConfig = {
        ExecStart = "${cfg.package}/bin/${name}-server --config /etc/nixos/${name}.toml";
        LoadCredential = lib.mapAttrsToList (key: path: "${key}:${path}") credentials;
        StateDirectory = name;
        StateDirectoryMode = "0700";
        UMask = "0077";
        LimitNOFILE = 65536;
        Restart = "on-failure";
        RestartSec = 5;
      }
      // lib.optionalAttrs (!privileged) sandbox;
    };
  };
}
