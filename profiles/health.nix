# The health check of a PlasmaCloud service: a timer, and a unit that fails while the service is not healthy. The check
# stops and restarts nothing: monitoring sees the failed unit, and an operator decides.
{
  name,
  # Whether the service answers /health.
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
      description = "Whether a timer runs ${name}-health.service, which fails while the service is not healthy.";
    };

    path = lib.mkOption {
      type = lib.types.strMatching "/[A-Za-z0-9._~/-]*";
      default = "/health";
      description = "The path of the request, which goes to the service's `healthPort`, or to its `port` where it has no `healthPort`.";
    };

    interval = lib.mkOption {
      type = lib.types.ints.positive;
      default = 30;
      description = "The seconds between two checks.";
    };

    timeout = lib.mkOption {
      type = lib.types.ints.between 1 300;
      default = 10;
      description = "The seconds that the answer may take.";
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
      description = "Timer of the health check of ${name}";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = check.interval;
        OnUnitInactiveSec = check.interval;
        AccuracySec = "1s";
      };
    };

    systemd.services."${name}-health" = {
      description = "Health check of ${name}";
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
