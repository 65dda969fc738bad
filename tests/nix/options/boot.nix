# What boots, and what systemd runs.
{ lib, ... }:
let
  inherit (lib) types;
  inherit (import ./types.nix { inherit lib; })
    bool
    lines
    named
    option
    required
    service
    singleLine
    strings
    submodule
    systemdOption
    unit
    ;

  sysctlValue = named (types.nullOr (
    types.oneOf [
      types.bool
      types.str
      types.int
    ]
  )) "sysctl option value";
in
{
  options = {
    boot = {
      kernelModules = strings;
      kernelParams = option (types.listOf (
        named (types.strMatching ''([^"[:space:]]|"[^"]*")+'') "string, with spaces inside double quotes"
      )) [ ];
      kernel.sysctl = option (types.attrsOf sysctlValue) { };
      initrd.availableKernelModules = strings;
      initrd.kernelModules = strings;
      initrd.luks.devices = lib.mkOption {
        type = types.attrsOf (submodule {
          device = required types.str;
          allowDiscards = bool;
          crypttabExtraOpts = option (types.listOf singleLine) [ ];
        });
        default = { };
        # NixOS' list does not show crypttabExtraOpts.
        visible = "shallow";
      };
      initrd.postMountCommands = lines;
      initrd.systemd.enable = bool;
      initrd.systemd.services = lib.mkOption {
        type = types.attrsOf (submodule service);
        default = { };
        # NixOS' list does not look into it.
        visible = "shallow";
      };
      loader.timeout = option (types.nullOr types.int) 5;
      loader.systemd-boot.configurationLimit = option (types.nullOr types.int) null;
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

    systemd.additionalUpstreamSystemUnits = strings;
    systemd.coredump.extraConfig = lines;
    systemd.enableEmergencyMode = option types.bool true;
    systemd.network.networks = option (types.attrsOf (submodule {
      matchConfig = option (types.attrsOf systemdOption) { };
      networkConfig = option (types.attrsOf systemdOption) { };
      linkConfig = option (types.attrsOf systemdOption) { };
      dhcpV4Config = option (types.attrsOf systemdOption) { };
    })) { };
    systemd.network.config.networkConfig = option (types.attrsOf systemdOption) { };
    systemd.network.wait-online.anyInterface = bool;
    systemd.network.wait-online.timeout = option types.ints.unsigned 120;
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
  };
}
