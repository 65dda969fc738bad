# First-boot automation: Chainfire and FlareDB form their cluster or join it, and IAM is set up. docs/first-boot.md has the
# order of events and the requests that the services must answer.
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

  # A unit that asks the service `name` at first boots, after the units `previous`. The unit stays active once it is done.
  # Where files of the node are missing, the unit waits as the service does, and uses no try: the service starts the unit.
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
      # A switch to another configuration does not restart the unit: only a boot is a first boot.
      restartIfChanged = false;
      # A try takes two to seven minutes: systemd gives up after one and a half to five hours.
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
          # Exit codes of wrong arguments (2) and of faults that another try does not mend (78).
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
        # The content in the place of a missing file: the program then starts and reports the missing file.
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
      description = "The path of the node's cluster-config.json at run time; never a path in the Nix store.";
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
