# What the declarations beside this file have in common: types as NixOS describes them, and short ways to write an option.
{ lib }:
let
  inherit (lib) types;
in
rec {
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
  port = types.port;
  atoms = [
    types.bool
    types.int
    types.float
    types.str
    types.path
    types.package
  ];
  systemdOption = named (types.oneOf (atoms ++ [ (types.listOf (types.oneOf atoms)) ])) "systemd option";
  keyValue = types.nullOr (types.oneOf [
    types.bool
    types.int
    types.float
    types.str
  ]);

  unit = types.strMatching "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|device|mount|automount|swap|target|path|timer|scope|slice)";

  service = {
    enable = option types.bool true;
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
    preStart = lines;
    script = lines;
    serviceConfig = option (types.attrsOf systemdOption) { };
    unitConfig = option (types.attrsOf systemdOption) { };
  };
}
