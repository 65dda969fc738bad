# Logs: kept on the disk for a week, and forwarded where `[logging] forward` of the inventory says.
{ lib, options, ... }:
let
  limits = {
    SystemMaxUse = "2G";
    MaxRetentionSec = "7day";
    # journald removes whole files: one that goes on for a month keeps its first day for a month.
    MaxFileSec = "1day";
  };
  lines = lib.concatStrings (lib.mapAttrsToList (key: value: "${key}=${value}\n") limits);
in
{
  # The log of the boot that failed is the one that is wanted. NixOS 24.11 has lines where later releases have settings.
  services.journald =
    if options.services.journald ? settings then
      {
        settings.Journal = lib.mapAttrs (_: lib.mkDefault) (limits // { Storage = "persistent"; });
      }
    else
      {
        storage = lib.mkDefault "persistent";
        # The last line of a kind counts: a site's own come after these.
        extraConfig = lib.mkBefore lines;
      };

  # What is forwarded is in the journal; NixOS' rules for rsyslog would write it a second time, to files that nobody
  # rotates.
  services.rsyslogd.defaultConfig = lib.mkDefault "";
}
