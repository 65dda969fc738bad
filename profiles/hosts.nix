# The machine's own name: its addresses in the cluster network, which the other members use. NixOS adds the name to
# 127.0.0.2 and ::1, and the C library returns the addresses of all lines. A machine whose name has no other address in
# networking.hosts keeps NixOS' lines, and so do all other names of loopback addresses.
{ config, lib, ... }:
let
  inherit (config.networking) fqdnOrHostName hostName;
  isLoopback = address: address == "::1" || lib.hasPrefix "127." address;
  hasAddress = lib.any (names: lib.elem fqdnOrHostName names);
  withoutOwnName =
    address: names:
    if isLoopback address then
      lib.subtractLists [
        fqdnOrHostName
        hostName
      ] names
    else
      names;
in
{
  # NixOS declares the option and defines the lines in a way that no default overrides; the value is changed where it is
  # read.
  options.networking.hosts = lib.mkOption {
    apply =
      hosts:
      if hasAddress (lib.attrValues (lib.filterAttrs (address: _: !isLoopback address) hosts)) then
        lib.mapAttrs withoutOwnName hosts
      else
        hosts;
  };
}
