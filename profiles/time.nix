# The clock is set before services start: a certificate is not valid yet for a clock that is behind, and Raft leases
# compare clocks.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  # A clock that is off by more than one second is stepped in the first three measurements only, so that time never jumps
  # while services run. NixOS' defaults: a step of more than 1,000 seconds up to NixOS 25.11, where less takes hours to
  # correct; later a step of more than a tenth of a second.
  step =
    if options.services.chrony ? makestep then
      {
        makestep = lib.mapAttrs (_: lib.mkDefault) {
          enable = true;
          threshold = 1;
          limit = 3;
        };
      }
    else
      {
        initstepslew.enabled = lib.mkDefault false;
        # chronyd takes the last line: the lines of a site come after this one.
        extraConfig = lib.mkBefore ''
          makestep 1.0 3
        '';
      };
in
{
  time.timeZone = lib.mkDefault "UTC";

  # chrony's servers are networking.timeServers, which `[ntp]` of the inventory sets.
  services.chrony = step // {
    enable = lib.mkDefault true;
  };

  # Services start after time-sync.target. They wait for the first measurement, but not for ever: a cluster must also
  # start without its time servers.
  systemd.services.chrony-wait = lib.mkIf config.services.chrony.enable {
    description = "Wait for the first measurement of the clock";
    wantedBy = [ "time-sync.target" ];
    before = [ "time-sync.target" ];
    requires = [ "chronyd.service" ];
    after = [ "chronyd.service" ];
    serviceConfig = (import ./sandbox.nix).confined // {
      Type = "oneshot";
      RemainAfterExit = true;
      # Asks thirty times, a second apart, until the remaining correction is less than half a second.
      ExecStart = "${pkgs.chrony}/bin/chronyc -h 127.0.0.1 waitsync 30 0.5 0 1";
      DynamicUser = true;
      IPAddressAllow = "localhost";
      IPAddressDeny = "any";
    };
  };
}
