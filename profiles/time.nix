# The right time, early: a certificate is not valid yet for a clock that is behind, and Raft leases compare clocks.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  time.timeZone = lib.mkDefault "UTC";

  # Its servers are networking.timeServers, which `[ntp]` of the inventory sets.
  services.chrony = {
    enable = lib.mkDefault true;
    # NixOS steps a clock that is off by more than 1,000 seconds, and takes hours over less. This steps over one second,
    # in the first three measurements only, so that time never jumps under services that run.
    initstepslew.enabled = lib.mkDefault false;
    extraConfig = lib.mkBefore ''
      makestep 1.0 3
    '';
  };

  # Services start after time-sync.target. They wait for the first measurement, but not for ever: a cluster has to come
  # up without its time servers, too.
  systemd.services.chrony-wait = lib.mkIf config.services.chrony.enable {
    description = "The clock's first measurement";
    wantedBy = [ "time-sync.target" ];
    before = [ "time-sync.target" ];
    requires = [ "chronyd.service" ];
    after = [ "chronyd.service" ];
    serviceConfig = (import ./sandbox.nix).confined // {
      Type = "oneshot";
      RemainAfterExit = true;
      # Thirty times, a second apart: what remains to be corrected is less than half a second.
      ExecStart = "${pkgs.chrony}/bin/chronyc -h 127.0.0.1 waitsync 30 0.5 0 1";
      DynamicUser = true;
      IPAddressAllow = "localhost";
      IPAddressDeny = "any";
    };
  };
}
