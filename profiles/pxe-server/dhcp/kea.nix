# Kea, with one service for each family.
#
# Without a `configFile`, `settings` is the map Dhcp4 for one network, made from the options. It equals the map of the
# rendered kea-dhcp4.json: src/outputs/dhcp/kea/ has the reasons, tests/nixos/pxe_server compares the two.
{ lib, cfg }:
let
  ipv4 = import ../ipv4.nix { inherit lib; };
  netboot = import ../netboot.nix { inherit lib cfg; };
  inherit (import ../systemd.nix) restarts;
  inherit (cfg) dhcp;
  hasDhcp6 = dhcp.configFile6 != null;

  option = name: data: { inherit name data; };
  always = data: data // { always-send = true; };
  optionIf = given: name: data: lib.optional given (option name data);
  padded = number: lib.fixedWidthString 4 "0" (lib.toHexString number);

  # iPXE is decided first, since it tells its architecture too.
  ipxe = {
    name = "ipxe";
    test = "option[77].hex == 'iPXE' or substring(option[77].hex, 0, 5) == 0x0469505845";
    boot-file-name = netboot.script;
    option-data = [
      (always {
        code = 175;
        csv-format = false;
        data = "B00101";
      })
    ];
  };
  overHttp.option-data = [ (always (option "vendor-class-identifier" "HTTPClient")) ];
  anyOf = lib.concatStringsSep " or ";
  announces =
    loader:
    anyOf (
      map (at: "substring(option[93].hex, ${toString at}, 2) == 0x${padded loader.architecture}") [
        0
        2
        4
      ]
    );
  foreign =
    loader:
    lib.optionalString (loader.foreign != [ ])
      " and not (member('KNOWN') and (${anyOf (map (name: "member('${name}')") loader.foreign)}))";
  byArchitecture =
    loader:
    {
      name = "arch-${lib.toLower (padded loader.architecture)}";
      test = "not member('ipxe') and (${announces loader})${foreign loader}";
      boot-file-name = loader.file;
    }
    // lib.optionalAttrs loader.http overHttp;
  byPlatform =
    { name, file, url, foreignHttp, ... }:
    let
      test = "not member('ipxe') and member('KNOWN') and member('${name}')";
    in
    [
      (
        {
          name = "${name}-http";
          test = "${test} and (${anyOf (map announces foreignHttp)})";
          boot-file-name = url;
        }
        // overHttp
      )
      {
        name = "${name}-other";
        inherit test;
        boot-file-name = file;
      }
    ];

  # Network cards of one machine share its address. src/outputs/dhcp/kea/classes.rs has the reasons for these lifetimes.
  sharing = lib.any (node: node.otherMacs != [ ]) (lib.attrValues keeps);
  shared = "member('KNOWN') and member('several-nics')";
  byLifetime = lib.optionals sharing [
    {
      name = "several-nics-booting";
      test = "${shared} and (member('ipxe') or option[93].exists or substring(option[60].hex, 0, 9) == 'PXEClient')";
      valid-lifetime = 10;
    }
    {
      name = "several-nics-running";
      test = "${shared} and not member('several-nics-booting')";
      valid-lifetime = 600;
    }
  ];
  reserved =
    map (platform: { inherit (platform) name; }) netboot.platforms
    ++ lib.optional sharing { name = "several-nics"; };

  keeps = lib.filterAttrs (_: node: node.ipAddress != null) cfg.nodes;
  reservations =
    mac: node:
    let
      classes =
        lib.optional (node.system != null) (netboot.nameOf node)
        ++ lib.optional (node.otherMacs != [ ]) "several-nics";
    in
    map (
      hw-address:
      {
        inherit hw-address;
        ip-address = node.ipAddress;
        inherit (node) hostname;
      }
      // lib.optionalAttrs (classes != [ ]) { client-classes = classes; }
    ) ([ mac ] ++ node.otherMacs);

  settings = {
    interfaces-config = {
      interfaces = [ cfg.interface ];
      dhcp-socket-type = "raw";
      service-sockets-max-retries = 60;
      service-sockets-retry-wait-time = 5000;
    };
    lease-database = {
      type = "memfile";
      lfc-interval = 3600;
    };
    loggers = [
      {
        name = "kea-dhcp4";
        output_options = [ { output = "stdout"; } ];
        severity = "INFO";
      }
    ];
    authoritative = true;
    match-client-id = false;
    host-reservation-identifiers = [ "hw-address" ];
    valid-lifetime = 3600;
    max-valid-lifetime = 86400;
    next-server = cfg.serverAddress;
    boot-file-name = netboot.default;
    client-classes =
      reserved
      ++ [ ipxe ]
      ++ map byArchitecture netboot.loaders
      ++ lib.concatMap byPlatform netboot.platforms
      ++ byLifetime;
    subnet4 = [
      {
        id = ipv4.toNumber dhcp.subnet;
        subnet = "${dhcp.subnet}/${toString (ipv4.prefixLength dhcp.netmask)}";
        inherit (cfg) interface;
        pools = lib.optional (dhcp.range != null) { pool = "${dhcp.range.start}-${dhcp.range.end}"; };
        option-data =
          optionIf (dhcp.router != null) "routers" dhcp.router
          ++ optionIf (dhcp.broadcast != null) "broadcast-address" dhcp.broadcast
          ++ optionIf (dhcp.domainNameServers != [ ]) "domain-name-servers" (
            lib.concatStringsSep ", " dhcp.domainNameServers
          )
          ++ optionIf (dhcp.domain != null) "domain-name" dhcp.domain;
        reservations = lib.concatLists (lib.mapAttrsToList reservations keeps);
      }
    ];
  }
  // lib.optionalAttrs sharing { ip-reservations-unique = false; };
in
{
  servesTftp = false;
  takesConfigFile6 = true;
  mayServeIpv6 = hasDhcp6;
  units = {
    dhcp = "kea-dhcp4-server";
  }
  // lib.optionalAttrs hasDhcp6 { dhcp6 = "kea-dhcp6-server"; };

  config = {
    services.kea.dhcp4 = {
      enable = true;
      inherit (dhcp) configFile;
      settings = lib.mkIf (dhcp.configFile == null) settings;
    };
    services.kea.dhcp6 = lib.mkIf hasDhcp6 {
      enable = true;
      configFile = dhcp.configFile6;
    };
    systemd.services = {
      kea-dhcp4-server = restarts;
      kea-dhcp6-server = lib.mkIf hasDhcp6 restarts;
    };
  };
}
