# The DHCP servers that NixOS has, each in a file of that name: the values of the option `dhcp.backend`. A file says
#   servesTftp       whether the server serves TFTP too
#   takesConfigFile6 whether the option `dhcp.configFile6` configures the server
#   mayServeIpv6     whether the server may serve DHCPv6
#   units            the systemd services that /health asks about, by their names in the answer
#   config           the NixOS options that run the server
{ lib, cfg }:
lib.genAttrs [
  "kea"
  "dnsmasq"
] (name: import (./. + "/${name}.nix") { inherit lib cfg; })
