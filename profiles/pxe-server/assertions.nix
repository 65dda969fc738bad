# The assertions of the PXE server: NixOS refuses faults in the options that would only show when a machine does not boot.
{
  lib,
  ipv4,
  servers,
  cfg,
}:
let
  inherit (cfg) dhcp;
  inherit (ipv4) toNumber;
  option = name: "services.centra-pxe-server.${name}";
  check = assertion: message: { inherit assertion message; };

  nodes = lib.mapAttrsToList (mac: node: node // { inherit mac; }) cfg.nodes;
  macs = lib.concatMap (node: [ node.mac ] ++ node.otherMacs) nodes;
  kept = lib.filter (node: node.ipAddress != null) nodes;
  addressOf = node: "nodes.\"${node.mac}\".ipAddress";

  # The values that appear more than once, each listed once.
  repeated =
    values:
    lib.attrNames (lib.filterAttrs (_: all: lib.length all > 1) (lib.groupBy (value: value) values));
  unique =
    what: values:
    check (repeated values == [ ])
      "${option "nodes"}: two machines have the ${what} ${lib.concatStringsSep ", " (repeated values)}; each needs its own.";

  addresses = [ cfg.serverAddress ] ++ lib.attrValues cfg.otherInterfaces;

  # Whether the configuration is made from the options. A `configFile` has its own networks, which are not checked here.
  made = dhcp.configFile == null;
  hasSubnet = dhcp.subnet != null && dhcp.netmask != null;
  isSubnet =
    hasSubnet && ipv4.isNetmask dhcp.netmask && ipv4.isIn dhcp.subnet dhcp.netmask dhcp.subnet;
  subnet = "${dhcp.subnet}/${dhcp.netmask}";
  host =
    name: address:
    check (made && isSubnet && address != null -> ipv4.isHost dhcp.subnet dhcp.netmask address)
      "${option name} is ${toString address}, which is no host of ${subnet} (${option "dhcp.subnet"} and netmask).";

  inherit (dhcp) range;
  edge = name: if range == null then null else range.${name};
  isLeased =
    address:
    range != null && toNumber range.start <= toNumber address && toNumber address <= toNumber range.end;
in
[
  (check (made -> hasSubnet) "Set ${option "dhcp.subnet"} and netmask, or ${option "dhcp.configFile"}.")
  (check (made && hasSubnet -> isSubnet)
    "${option "dhcp.subnet"} and netmask: ${subnet} is no subnet. A netmask is ones, then zeros, and a subnet is its first address."
  )
  (check
    (
      made && isSubnet && dhcp.broadcast != null
      -> ipv4.isBroadcast dhcp.subnet dhcp.netmask dhcp.broadcast
    )
    "${option "dhcp.broadcast"} is ${toString dhcp.broadcast}, which is not the last address of ${subnet}."
  )
  (check (range == null || toNumber range.start <= toNumber range.end)
    "${option "dhcp.range"} ends before it starts: ${toString (edge "start")} to ${toString (edge "end")}."
  )
  (check (!isLeased cfg.serverAddress)
    "${option "dhcp.range"} holds ${cfg.serverAddress}, this machine's address: it would be leased to another machine."
  )
  (check (dhcp.configFile6 != null -> servers.${dhcp.backend}.takesConfigFile6)
    "${option "dhcp.configFile6"} is not for ${dhcp.backend}, which has both families in ${option "dhcp.configFile"}."
  )
  (check
    (lib.all (name: builtins.match "[A-Za-z0-9_-][A-Za-z0-9._-]*" name != null) (
      lib.attrNames cfg.loaders
    ))
    "${option "loaders"}: names are those of files in the TFTP root, such as ipxe.efi."
  )
  (check (cfg.otherInterfaces == { } || !made)
    "${option "otherInterfaces"} need ${option "dhcp.configFile"}: the options of ${option "dhcp"} describe one network."
  )
  (check
    (
      lib.all (name: builtins.match "[A-Za-z0-9._][A-Za-z0-9._-]{0,14}" name != null && name != cfg.interface) (
        lib.attrNames cfg.otherInterfaces
      )
    )
    "${option "otherInterfaces"}: names are those of network interfaces other than ${cfg.interface}."
  )
  (check (repeated addresses == [ ])
    "${option "otherInterfaces"}: this machine has the address ${lib.concatStringsSep ", " (repeated addresses)} twice; each interface needs its own."
  )
  (check (cfg.isGateway -> cfg.firewallFile != null)
    "Set ${option "firewallFile"} beside isGateway: NixOS' own firewall forwards packets from everywhere to everywhere."
  )
  (host "serverAddress" cfg.serverAddress)
  (host "dhcp.router" dhcp.router)
  (host "dhcp.range.start" (edge "start"))
  (host "dhcp.range.end" (edge "end"))
  (unique "address" (map (node: node.ipAddress) kept))
  (unique "host name" (map (node: lib.toLower node.hostname) nodes))
  (unique "MAC address" macs)
]
++ map (
  mac:
  check (builtins.match "[0-9a-f]{2}(:[0-9a-f]{2}){5}" mac != null)
    "${option "nodes"}: \"${mac}\" is not how a MAC address is compared: six pairs of lower-case hexadecimal digits with colons between, such as \"52:54:00:12:34:56\"."
) macs
++ map (node: host (addressOf node) node.ipAddress) kept
++ map (
  node:
  check (node.ipAddress != cfg.serverAddress && !isLeased node.ipAddress)
    "${option (addressOf node)} is ${node.ipAddress}, which is this machine's address or in ${option "dhcp.range"}: another machine could have it already."
) kept
