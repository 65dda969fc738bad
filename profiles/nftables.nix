# How NixOS loads a rendered ruleset: the file replaces only the table `plasmagen`. By default NixOS would flush all tables
# at each reload, also those of tenants' networks and containers.
{ lib }:
{
  # This priority overrides NixOS' mkDefault; a user's setting overrides this one.
  flushRuleset = lib.mkOverride 900 false;
  extraDeletions = ''
    table inet plasmagen
    delete table inet plasmagen
  '';
}
