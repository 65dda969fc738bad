# Logs: kept on the disk for a week, and forwarded to the server of `[logging] forward` in the inventory.
{ lib, options, ... }:
let
  limits = {
    SystemMaxUse = "2G";
    MaxRetentionSec = "7day";
    # journald removes whole files: a file that covers a month would keep its first day for a month.
    MaxFileSec = "1day";
  };
  lines = lib.concatStrings (lib.mapAttrsToList (key: value: "${key}=${value}\n") limits);
in
{
  # The log is persistent, so that the log of a boot that failed is kept. NixOS 24.11 takes lines of text; later releases
  # take settings.
  services.journald =
    if options.services.journald ? settings then
      {
        settings.Journal = lib.mapAttrs (_: lib.mkDefault) (limits // { Storage = "persistent"; });
      }
    else
      {
        storage = lib.mkDefault "persistent";
        # journald takes the last line of a setting: the lines of a site come after these.
        extraConfig = lib.mkBefore lines;
      };

  # The journal has all messages. NixOS' rules for rsyslog would write them a second time, to files that nothing rotates.
  services.rsyslogd.defaultConfig = lib.mkDefault "";
}
