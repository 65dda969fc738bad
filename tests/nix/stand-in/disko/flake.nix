# Stands in for disko: its option is declared with those of NixOS.
{
  outputs = _: { nixosModules.disko = { }; };
}
