# The health check of a PlasmaCloud service: a timer, and a unit that fails while the service is not healthy. Nothing is
# stopped or restarted for it: whoever watches units sees it, and decides.
{
  name,
  # Whether the service answers /health, as the runbook says of it.
  answers,
}:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.${name};
  check = cfg.healthCheck;
  asking = import ./first-boot/unit.nix { inherit lib pkgs; };
  port = if cfg.healthPort != null then cfg.healthPort else cfg.port;
in
{
  options.services.${name}.healthCheck = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = answers && asking.canBeAsked cfg;
      defaultText = lib.literalMD "whether the service answers `/health` and names its credentials in `settings.tls`";
      description = "Whether ${name}-health.service asks now and then how the service is, and fails while it is not healthy.";
    };

    path = lib.mkOption {
      type = lib.types.strMatching "/[A-Za-z0-9._~/-]*";
      default = "/health";
      description = "What the service is asked for, at its `healthPort` where it has one, else at its `port`.";
    };

    interval = lib.mkOption {
      type = lib.types.ints.positive;
      default = 30;
      description = "Seconds between two checks.";
    };

    timeout = lib.mkOption {
      type = lib.types.ints.between 1 300;
      default = 10;
      description = "Seconds that the answer may take.";
    };
  };

  config = lib.mkIf (cfg.enable && check.enable) {
    assertions = [
      {
        assertion = asking.canBeAsked cfg;
        message = asking.needs name;
      }
    ];

    systemd.timers."${name}-health" = {
      description = "Asks now and then how ${name} is";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = check.interval;
        OnUnitInactiveSec = check.interval;
        AccuracySec = "1s";
      };
    };

    systemd.services."${name}-health" = {
      description = "How ${name} is";
      after = [ "${name}.service" ];
      inherit (asking) path;
      serviceConfig = asking.serviceConfig cfg // {
        ExecStart = asking.run "health-check.sh" [
          "--service ${name}"
          "--port ${toString port}"
          "--path ${check.path}"
          "--timeout ${toString check.timeout}"
        ];
        TimeoutStartSec = check.timeout + 20;
      };
    };
  };
}
