# dnsmasq for one network, made from the options: DHCP and TFTP without its DNS. What the rendered dnsmasq.conf says for
# it, this says too: src/outputs/dhcp/dnsmasq.rs has the reasons, tests/nixos/pxe_server compares them.
{ lib, cfg }:
let
  ipv4 = import ./ipv4.nix { inherit lib; };
  netboot = import ./netboot.nix { inherit cfg; };
  inherit (cfg) dhcp;

  joined = lib.concatStringsSep ",";
  network = "network/own";
  broadcast = lib.optional (dhcp.broadcast != null) dhcp.broadcast;
  range =
    (if dhcp.range == null then [ dhcp.subnet "static" ] else [ dhcp.range.start dhcp.range.end ])
    ++ [ dhcp.netmask ]
    ++ broadcast
    ++ [ "3600" ];
  option = name: value: joined ([ "tag:${network}" "option:${name}" ] ++ lib.toList value);

  tag = loader: "arch/${lib.toLower (lib.fixedWidthString 4 "0" (lib.toHexString loader.architecture))}";
  # iPXE comes first: it also tells the architecture.
  firmware = loader: "tag:${tag loader},tag:!class/ipxe";
  host = mac: node: joined [ mac node.ipAddress node.hostname ];
  keeps = lib.filterAttrs (_: node: node.ipAddress != null) cfg.nodes;
  leases =
    lib.length (lib.attrNames keeps)
    + (if dhcp.range == null then 0 else ipv4.toNumber dhcp.range.end - ipv4.toNumber dhcp.range.start + 1);
in
{
  port = 0;
  no-hosts = true;
  inherit (cfg) interface;
  bind-dynamic = true;
  enable-tftp = true;
  tftp-root = "${cfg.webRoot}/tftp";
  dhcp-authoritative = true;
  dhcp-ignore-clid = true;
  dhcp-lease-max = leases;
  dhcp-userclass = [ "set:class/ipxe,iPXE" ];
  dhcp-match = map (
    loader: "set:${tag loader},option:client-arch,${toString loader.architecture}"
  ) netboot.loaders;
  dhcp-boot =
    [ "tag:class/ipxe,${netboot.script},,${cfg.serverAddress}" ]
    ++ map (loader: "${firmware loader},${loader.file},,${cfg.serverAddress}") netboot.loaders
    ++ [ "${netboot.default},,${cfg.serverAddress}" ];
  dhcp-option-force =
    [ "tag:class/ipxe,encap:175,176,1b" ]
    ++ map (loader: "${firmware loader},option:vendor-class,HTTPClient") (
      lib.filter (loader: loader.http) netboot.loaders
    );
  dhcp-range = [ "set:${network},${joined range}" ];
  # Without a value: dnsmasq would name itself.
  dhcp-option =
    [ (option "router" (lib.optional (dhcp.router != null) dhcp.router)) ]
    ++ lib.optional (dhcp.domainNameServers != [ ]) (option "dns-server" dhcp.domainNameServers)
    ++ lib.optional (dhcp.domain != null) (option "domain-name" dhcp.domain);
  dhcp-host = lib.mapAttrsToList host keeps;
}
