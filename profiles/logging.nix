# Logs: kept on the disk for a week, and forwarded where `[logging] forward` of the inventory says.
{ lib, ... }:
{
  services.journald = {
    # The log of the boot that failed is the one that is wanted.
    storage = lib.mkDefault "persistent";
    # The last line of a kind counts, so that a site's own come after these. journald removes whole files: one that goes
    # on for a month keeps its first day for a month.
    extraConfig = lib.mkBefore ''
      SystemMaxUse=2G
      MaxRetentionSec=7day
      MaxFileSec=1day
    '';
  };

  # What is forwarded is in the journal; NixOS' rules for rsyslog would write it a second time, to files that nobody
  # rotates.
  services.rsyslogd.defaultConfig = lib.mkDefault "";
}
