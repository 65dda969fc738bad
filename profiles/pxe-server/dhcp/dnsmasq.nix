# dnsmasq for DHCP and TFTP, without its DNS.
#
# Without a `configFile`, `settings` is made from the options, for one network. It equals the rendered dnsmasq.conf:
# src/outputs/dhcp/dnsmasq.rs has the reasons, tests/nixos/pxe_server compares the two.
{ lib, cfg }:
let
  ipv4 = import ../ipv4.nix { inherit lib; };
  netboot = import ../netboot.nix { inherit lib cfg; };
  inherit (import ../systemd.nix) online;
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
  # iPXE announces an architecture too.
  firmware = loader: "tag:${tag loader},tag:!class/ipxe";
  boot = tags: file: joined (tags ++ [ file "" cfg.serverAddress ]);
  byPlatform =
    platform:
    let
      node = "tag:platform/${platform.name}";
    in
    [ (boot [ node "tag:!class/ipxe" ] platform.file) ]
    ++ map (loader: boot [ node "tag:${tag loader}" "tag:!class/ipxe" ] platform.url) platform.foreignHttp;
  byArchitecture =
    loader:
    boot ([ (firmware loader) ] ++ map (name: "tag:!platform/${name}") loader.foreign) loader.file;
  host =
    mac: node:
    joined (
      [ mac ]
      ++ node.otherMacs
      ++ lib.optional (node.system != null) "set:platform/${netboot.nameOf node}"
      ++ [ node.ipAddress node.hostname ]
    );
  keeps = lib.filterAttrs (_: node: node.ipAddress != null) cfg.nodes;
  leases =
    lib.length (lib.attrNames keeps)
    + (if dhcp.range == null then 0 else ipv4.toNumber dhcp.range.end - ipv4.toNumber dhcp.range.start + 1);

  settings = {
    port = 0;
    no-hosts = true;
    inherit (cfg) interface;
    bind-dynamic = true;
    enable-tftp = true;
    tftp-root = netboot.tftpRoot;
    dhcp-authoritative = true;
    dhcp-ignore-clid = true;
    dhcp-lease-max = leases;
    dhcp-userclass = [ "set:class/ipxe,iPXE" ];
    dhcp-match = map (
      loader: "set:${tag loader},option:client-arch,${toString loader.architecture}"
    ) netboot.loaders;
    # Of the lines whose tags fit, the last one counts.
    dhcp-boot =
      [ (boot [ ] netboot.default) ]
      ++ lib.concatMap byPlatform netboot.platforms
      ++ map byArchitecture (lib.reverseList netboot.loaders)
      ++ [ (boot [ "tag:class/ipxe" ] netboot.script) ];
    dhcp-option-force =
      [ "tag:class/ipxe,encap:175,176,1b" ]
      ++ map (loader: "${firmware loader},option:vendor-class,HTTPClient") (
        lib.filter (loader: loader.http) netboot.loaders
      );
    dhcp-range = [ "set:${network},${joined range}" ];
    # A router option without a value: dnsmasq would name itself as the router.
    dhcp-option =
      [ (option "router" (lib.optional (dhcp.router != null) dhcp.router)) ]
      ++ lib.optional (dhcp.domainNameServers != [ ]) (option "dns-server" dhcp.domainNameServers)
      ++ lib.optional (dhcp.domain != null) (option "domain-name" dhcp.domain);
    dhcp-host = lib.mapAttrsToList host keeps;
  };
in
{
  servesTftp = true;
  takesConfigFile6 = false;
  # The module does not read the file, which may configure IPv6.
  mayServeIpv6 = dhcp.configFile != null;
  units.dhcp = "dnsmasq";

  config = {
    services.dnsmasq = {
      enable = true;
      resolveLocalQueries = lib.mkDefault false; # DHCP and TFTP only
      settings = if dhcp.configFile == null then settings else { conf-file = [ "${dhcp.configFile}" ]; };
    };
    systemd.services.dnsmasq = online;
  };
}
