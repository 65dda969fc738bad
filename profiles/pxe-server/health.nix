# The answer of /health, and the end of armings: every 15 seconds, a timer asks systemd for the state of the servers and
# removes the files of machines that are no longer armed.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.centra-pxe-server;
  dhcp = (import ./dhcp { inherit lib cfg; }).${cfg.dhcp.backend};
  armed = "${cfg.webRoot}/armed";
  arguments = lib.mapAttrsToList (name: unit: "${name}=${unit}.service") dhcp.units ++ [
    "tftp=${if dhcp.servesTftp then dhcp.units.dhcp else "atftpd"}.service"
    "http=nginx.service"
  ];
in
{
  config = lib.mkIf cfg.enable {
    systemd.timers.pxe-health = {
      description = "Timer of the health check of the servers that machines boot from";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnActiveSec = 0;
        OnUnitInactiveSec = "15s";
        AccuracySec = "1s";
      };
    };

    systemd.services.pxe-health = {
      description = "Health check of the servers that machines boot from";
      path = [ pkgs.util-linux ]; # flock
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "${pkgs.runtimeShell} ${./health.sh} --state /run/pxe-health --armed ${armed} ${lib.concatStringsSep " " arguments}";
        TimeoutStartSec = 30;
        RuntimeDirectory = "pxe-health";
        RuntimeDirectoryPreserve = true;
        UMask = "0022";

        # The program asks systemd over a socket, writes two files, and removes files of the web root, which may belong to
        # the user who publishes.
        CapabilityBoundingSet = "CAP_DAC_OVERRIDE";
        LockPersonality = true;
        MemoryDenyWriteExecute = true;
        NoNewPrivileges = true;
        PrivateDevices = true;
        PrivateNetwork = true;
        PrivateTmp = true;
        ProtectClock = true;
        ProtectControlGroups = true;
        ProtectHome = true;
        ProtectKernelLogs = true;
        ProtectKernelModules = true;
        ProtectKernelTunables = true;
        ProtectSystem = "strict";
        ReadWritePaths = [ "-${armed}" ];
        RestrictAddressFamilies = "AF_UNIX";
        RestrictNamespaces = true;
        RestrictRealtime = true;
        RestrictSUIDSGID = true;
        SystemCallArchitectures = "native";
      };
    };
  };
}
