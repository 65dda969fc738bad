# First-boot automation: Chainfire and FlareDB form their cluster or join it, IAM is set up. What happens when, and what
# the services must speak: docs/first-boot.md.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.first-boot-automation;
  asking = import ./unit.nix { inherit lib pkgs; };
  runs = name: cfg.enable && config.services.${name}.enable;

  # A unit that asks the service `name` at first boots, after the units `previous`. It stays active once it is done. Where
  # the node's files are missing it waits with the service, and uses none of its tries up: the service starts it.
  unit =
    name: previous: extra:
    let
      service = config.services.${name};
    in
    {
      inherit (asking) path;
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      requires = [ "plasmagen-secrets@${name}.service" ];
      after = [
        "network-online.target"
        "plasmagen-secrets@${name}.service"
        "${name}.service"
      ]
      ++ previous;
      # A switch to another configuration is no first boot.
      restartIfChanged = false;
      # A try takes two to seven minutes: it gives up after one and a half to five hours.
      startLimitIntervalSec = 6 * 60 * 60;
      startLimitBurst = 40;
    }
    // extra
    // {
      serviceConfig =
        asking.serviceConfig service
        // {
          RemainAfterExit = true;
          TimeoutStartSec = "10min";
          Restart = "on-failure";
          RestartSec = 15;
          # Wrong arguments, and what no other try makes right.
          RestartPreventExitStatus = "2 78";
        }
        // extra.serviceConfig;
    };

  join =
    name: previous:
    let
      service = config.services.${name};
      serviceConfig = asking.serviceConfig service;
    in
    unit name previous {
      description = "Forming or joining the cluster of ${name}";
      serviceConfig = {
        ExecStart = asking.run "cluster-join.sh" [
          "--service ${name}"
          "--port ${toString service.port}"
          "--raft-port ${toString service.raftPort}"
          "--config-source ${cfg.configFile}"
        ];
        LoadCredential = serviceConfig.LoadCredential ++ [ "cluster-config.json:${cfg.configFile}" ];
        # What stands for a file that is not there: the program can then say so itself.
        SetCredential = "cluster-config.json:null";
        StateDirectory = "${name}-cluster-join";
        StateDirectoryMode = "0700";
      };
    };
in
{
  options.services.first-boot-automation = {
    enable = lib.mkEnableOption "forming or joining the cluster at the first boot";

    configFile = lib.mkOption {
      type = lib.types.strMatching "/[A-Za-z0-9._/+-]+";
      default = "/etc/nixos/secrets/cluster-config.json";
      description = "Where the machine finds its cluster-config.json: a path at run time, never one in the Nix store.";
    };
  };

  config = {
    assertions =
      map
        (name: {
          assertion = runs name -> asking.canBeAsked config.services.${name};
          message = asking.needs name;
        })
        [
          "chainfire"
          "flaredb"
          "iam"
        ];

    systemd.services = lib.mkMerge [
      (lib.mkIf (runs "chainfire") {
        chainfire.wants = [ "chainfire-cluster-join.service" ];
        chainfire-cluster-join = join "chainfire" [ ];
      })
      (lib.mkIf (runs "flaredb") {
        flaredb.wants = [ "flaredb-cluster-join.service" ];
        flaredb-cluster-join = join "flaredb" [ "chainfire-cluster-join.service" ];
      })
      (lib.mkIf (runs "iam") {
        iam.wants = [ "iam-initial-setup.service" ];
        iam-initial-setup = unit "iam" [ "flaredb-cluster-join.service" ] {
          description = "Setting IAM up, where nobody has";
          serviceConfig.ExecStart = asking.run "iam-setup.sh" [
            "--port ${toString config.services.iam.port}"
          ];
        };
      })
    ];
  };
}
