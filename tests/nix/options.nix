# The options of NixOS 24.11 that a rendered tree or profiles/ set, with NixOS' types: what is not here, or is set to
# another type, the evaluation refuses. tests/nix.rs compares names and types with the whole list of NixOS' options.
{ config, lib, ... }:
let
  inherit (lib) types;
  option = type: default: lib.mkOption { inherit type default; };
  required = type: lib.mkOption { inherit type; };
  submodule = options: types.submodule { inherit options; };
  named = type: description: type // { inherit description; };

  bool = option types.bool false;
  text = option (types.nullOr types.str) null;
  lines = option types.lines "";
  strings = option (types.listOf types.str) [ ];

  singleLine = named (types.addCheck types.str (
    value: builtins.match "[^\n]*\n?" value != null
  )) "(optionally newline-terminated) single-line string";
  noColon = named (types.strMatching "[^:\n]*") "string, not containing newlines or colons";
  unit = types.strMatching "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|device|mount|automount|swap|target|path|timer|scope|slice)";
  atoms = [
    types.bool
    types.int
    types.float
    types.str
    types.path
    types.package
  ];
  systemdOption = named (types.oneOf (atoms ++ [ (types.listOf (types.oneOf atoms)) ])) "systemd option";
  sysctlValue = named (types.nullOr (
    types.oneOf [
      types.bool
      types.str
      types.int
    ]
  )) "sysctl option value";

  service = {
    description = option singleLine "";
    wantedBy = option (types.listOf unit) [ ];
    wants = option (types.listOf unit) [ ];
    requires = option (types.listOf unit) [ ];
    after = option (types.listOf unit) [ ];
    before = option (types.listOf unit) [ ];
    conflicts = option (types.listOf unit) [ ];
    path = option (types.listOf (
      named (types.oneOf [
        types.package
        types.str
      ]) "package or string"
    )) [ ];
    restartIfChanged = option types.bool true;
    restartTriggers = option (types.listOf types.unspecified) [ ];
    startLimitBurst = option types.int 5;
    startLimitIntervalSec = option types.int 10;
    script = lines;
    serviceConfig = option (types.attrsOf systemdOption) { };
    unitConfig = option (types.attrsOf systemdOption) { };
  };

  nixAtom = named (types.nullOr (types.oneOf (atoms ++ [ types.package ]))) "Nix config atom (null, bool, int, float, str, path or package)";
  jsonAtoms = [
    types.bool
    types.int
    types.float
    types.str
    types.path
    (types.attrsOf json)
    (types.listOf json)
  ];
  json = named (types.nullOr (types.oneOf jsonAtoms)) "JSON value";
  kea = option (submodule {
    enable = bool;
    settings = option json null;
    configFile = option (types.nullOr types.path) null;
  }) { };
  keyValue = types.nullOr (types.oneOf [
    types.bool
    types.int
    types.float
    types.str
  ]);
  keyValues = named (types.attrsOf keyValue) "attribute set of (atom (null, bool, int, float or string))";
  opensshSettings = {
    LogLevel = option (types.nullOr (
      types.enum [
        "QUIET"
        "FATAL"
        "ERROR"
        "INFO"
        "VERBOSE"
        "DEBUG"
        "DEBUG1"
        "DEBUG2"
        "DEBUG3"
      ]
    )) "INFO";
    PasswordAuthentication = option (types.nullOr types.bool) true;
    KbdInteractiveAuthentication = option (types.nullOr types.bool) true;
    PermitRootLogin = option (types.nullOr (
      types.enum [
        "yes"
        "without-password"
        "prohibit-password"
        "forced-commands-only"
        "no"
      ]
    )) "prohibit-password";
    X11Forwarding = option (types.nullOr types.bool) false;
  };
  port = types.port;
  openPorts = {
    allowedTCPPorts = option (types.listOf port) [ ];
    allowedUDPPorts = option (types.listOf port) [ ];
  };

  address = submodule {
    address = required types.str;
    prefixLength = required types.int;
  };
  gateway = types.nullOr (
    types.coercedTo types.str (address: { inherit address; }) (submodule {
      address = required types.str;
      interface = text;
      metric = option (types.nullOr types.int) null;
    })
  );
in
{
  # NixOS says so itself, and two definitions of the same strength are an error.
  config.networking.nftables.flushRuleset = lib.mkDefault (
    config.networking.nftables.rulesetFile != null
  );

  options = {
    # Internal options of NixOS, which its list leaves out.
    assertions = option (types.listOf types.unspecified) [ ];
    warnings = strings;

    # What the nixpkgs of a site or disko declare beside NixOS; see the real disko for the layouts.
    disko.devices = option (types.attrsOf types.anything) { };

    networking = {
      hostName = required (types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$");
      domain = text;
      fqdnOrHostName = option types.str (
        lib.concatStringsSep "." (
          [ config.networking.hostName ]
          ++ lib.optional (config.networking.domain != null) config.networking.domain
        )
      );
      usePredictableInterfaceNames = option types.bool true;
      useDHCP = option types.bool true;
      tempAddresses = option (types.enum [
        "default"
        "disabled"
        "enabled"
      ]) "default";
      nameservers = strings;
      timeServers = strings;
      useNetworkd = bool;
      defaultGateway = option gateway null;
      defaultGateway6 = option gateway null;
      firewall = openPorts // {
        enable = option types.bool true;
        interfaces = option (types.attrsOf (submodule openPorts)) { };
      };
      nftables.enable = bool;
      nftables.rulesetFile = option (types.nullOr types.path) null;
      nftables.flushRuleset = bool;
      nftables.extraDeletions = lines;
      interfaces = option (types.attrsOf (submodule {
        useDHCP = option (types.nullOr types.bool) null;
        mtu = option (types.nullOr types.int) null;
        ipv4.addresses = option (types.listOf address) [ ];
        ipv6.addresses = option (types.listOf address) [ ];
      })) { };
      bonds = option (types.attrsOf (submodule {
        interfaces = required (types.listOf types.str);
        driverOptions = option (types.attrsOf types.str) { };
      })) { };
      vlans = option (types.attrsOf (submodule {
        id = required types.int;
        interface = required types.str;
      })) { };
    };

    boot = {
      kernelModules = strings;
      kernelParams = option (types.listOf (
        named (types.strMatching ''([^"[:space:]]|"[^"]*")+'') "string, with spaces inside double quotes"
      )) [ ];
      kernel.sysctl = option (types.attrsOf sysctlValue) { };
      initrd.availableKernelModules = strings;
      initrd.kernelModules = strings;
      initrd.postMountCommands = lines;
      initrd.systemd.enable = bool;
      initrd.systemd.services = lib.mkOption {
        type = types.attrsOf (submodule service);
        default = { };
        # NixOS' list does not look into it.
        visible = "shallow";
      };
      loader.timeout = option (types.nullOr types.int) 5;
      loader.grub = {
        enable = bool;
        devices = strings;
        efiSupport = bool;
        efiInstallAsRemovable = bool;
        configurationLimit = option types.int 100;
      };
      supportedFilesystems = option (types.coercedTo (types.listOf types.str) (
        names: lib.genAttrs names (_: true)
      ) (types.attrsOf types.bool)) { };
      swraid.enable = bool;
      swraid.mdadmConf = lines;
    };

    hardware = {
      enableRedistributableFirmware = bool;
      cpu.amd.updateMicrocode = bool;
      cpu.intel.updateMicrocode = bool;
    };

    nix.settings = option (types.attrsOf (types.either nixAtom (types.listOf nixAtom))) { };

    nixpkgs.hostPlatform = required (types.either types.str types.attrs);

    environment = {
      etc = option (types.attrsOf (types.submodule (
        { config, ... }:
        {
          options.source = required types.path;
          options.text = option (types.nullOr types.lines) null;
          config.source = lib.mkIf (config.text != null) (lib.mkDefault "/nix/store/text");
        }
      ))) { };
      systemPackages = option (types.listOf types.package) [ ];
    };

    security = {
      audit = {
        enable = option (types.enum [
          false
          true
          "lock"
        ]) false;
        backlogLimit = option types.int 64;
        rateLimit = option types.int 0;
        rules = strings;
      };
      auditd.enable = bool;
      pam.services = option (types.attrsOf (submodule { requireWheel = bool; })) { };
      sudo.execWheelOnly = bool;
    };

    time.timeZone = option (types.nullOr (
      named (types.strMatching "[^ ]*") "string without spaces"
    )) null;

    users.allowNoPasswordLogin = bool;
    users.mutableUsers = option types.bool true;
    users.groups = option (types.attrsOf (submodule { })) { };
    users.users = option (types.attrsOf (submodule {
      isSystemUser = bool;
      group = option types.str "";
      hashedPassword = option (types.nullOr noColon) null;
      hashedPasswordFile = text;
      initialHashedPassword = option (types.nullOr noColon) null;
      initialPassword = text;
      openssh.authorizedKeys.keys = option (types.listOf singleLine) [ ];
      password = text;
    })) { };

    services = {
      atftpd.enable = bool;
      atftpd.root = option types.path "/srv/tftp";
      atftpd.extraOptions = strings;
      dnsmasq.enable = bool;
      dnsmasq.resolveLocalQueries = option types.bool true;
      dnsmasq.settings = option (named (types.attrsOf (types.either keyValue (types.listOf keyValue)))
        "attribute set of (atom (null, bool, int, float or string) or a list of them for duplicate keys)"
      ) { };
      kea.dhcp4 = kea;
      kea.dhcp6 = kea;
      nginx.enable = bool;
      nginx.appendConfig = lines;
      nginx.eventsConfig = lines;
      nginx.virtualHosts = option (types.attrsOf (submodule {
        default = bool;
        listen = option (types.listOf (submodule {
          addr = required types.str;
          port = option (types.nullOr port) null;
          extraParameters = strings;
        })) [ ];
        locations = option (types.attrsOf (submodule {
          alias = option (types.nullOr types.path) null;
          root = option (types.nullOr types.path) null;
          index = text;
          tryFiles = text;
          return = option (types.nullOr (types.oneOf [
            types.str
            types.int
          ])) null;
          priority = option types.int 1000;
          extraConfig = lines;
        })) { };
        extraConfig = lines;
      })) { };
      chrony.enable = bool;
      chrony.extraConfig = lines;
      chrony.initstepslew.enabled = option types.bool true;
      getty.autologinUser = text;
      getty.helpLine = lines;
      journald.storage = option (types.enum [
        "persistent"
        "volatile"
        "auto"
        "none"
      ]) "persistent";
      journald.extraConfig = lines;
      openssh.authorizedKeysInHomedir = option types.bool true;
      openssh.enable = bool;
      openssh.hostKeys = option (types.listOf types.attrs) [ ];
      openssh.ports = option (types.listOf port) [ 22 ];
      openssh.settings = option (types.submodule {
        freeformType = keyValues;
        options = opensshSettings;
      }) { };
      rsyslogd.defaultConfig = lines;
      rsyslogd.enable = bool;
      rsyslogd.extraConfig = lines;
    };

    systemd.additionalUpstreamSystemUnits = strings;
    systemd.coredump.extraConfig = lines;
    systemd.network.networks = option (types.attrsOf (submodule {
      matchConfig = option (types.attrsOf systemdOption) { };
      networkConfig = option (types.attrsOf systemdOption) { };
      dhcpV4Config = option (types.attrsOf systemdOption) { };
    })) { };
    systemd.network.wait-online.anyInterface = bool;
    systemd.network.links = option (types.attrsOf (submodule {
      matchConfig = option (types.attrsOf systemdOption) { };
      linkConfig = option (types.attrsOf systemdOption) { };
    })) { };
    systemd.services = option (types.attrsOf (submodule service)) { };
    systemd.timers = option (types.attrsOf (submodule {
      description = option singleLine "";
      wantedBy = option (types.listOf unit) [ ];
      timerConfig = option (types.attrsOf systemdOption) { };
    })) { };
    systemd.tmpfiles.settings = option (types.attrsOf (types.attrsOf (types.attrsOf (submodule {
      mode = option types.str "-";
      user = option types.str "-";
      group = option types.str "-";
      argument = option types.str "";
    })))) { };

    system.boot.loader.kernelFile = lib.mkOption {
      type = types.str;
      default = "bzImage";
      internal = true;
    };
    system.build = option (types.lazyAttrsOf types.unspecified) { };
    system.name = option types.str "unnamed";
    system.nixos.variant_id = option (types.nullOr (types.strMatching "^[a-z0-9._-]+$")) null;
    system.stateVersion = required types.str;
  };
}
