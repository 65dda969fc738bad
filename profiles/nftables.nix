# How NixOS loads a rendered ruleset: the file replaces its own table only. With a rulesetFile NixOS would flush all
# others at each reload, those of tenants' networks and containers too.
{ lib }:
{
  # Stronger than NixOS' own mkDefault, weaker than what a user says.
  flushRuleset = lib.mkOverride 900 false;
  extraDeletions = ''
    table inet plasmagen
    delete table inet plasmagen
  '';
}
