# disko: its option with the texts that its scripts consist of (lib/default.nix, `toplevel`), and of the options that disko sets, those that open encrypted disks at boot, as disko's
# lib/types/luks.nix sets them. tests/disks has the real disko write the whole.
{ config, lib, ... }:
let
  inherit (import ./types.nix { inherit lib; }) option;
  inherit (config.disko) devices;

  opened =
    device: holder:
    let
      content = holder.content or { };
    in
    lib.optional (content.type or "" == "luks") {
      ${content.name} = {
        inherit device;
      }
      // content.settings;
    };
  ofDisk =
    name: disk:
    lib.concatLists (
      lib.mapAttrsToList (part: opened "/dev/disk/by-partlabel/disk-${name}-${part}") disk.content.partitions
    );
in
{
  options.disko.devices = option (lib.types.submodule (
    { config, ... }:
    let
      text =
        default:
        lib.mkOption {
          internal = true;
          type = lib.types.str;
          inherit default;
        };
    in
    {
      freeformType = lib.types.attrsOf lib.types.anything;
      options = {
        _destroy = text "DESTROY\n";
        _legacyDestroy = text "DESTROY\n";
        _create = text "CREATE\n";
        _mount = text "MOUNT\n";
        _disko = text (config._legacyDestroy + config._create + config._mount);
        _destroyFormatMount = text (config._destroy + config._create + config._mount);
        _formatMount = text (config._create + config._mount);
      };
    }
  )) { };

  config.boot.initrd.luks.devices = lib.mkMerge (
    lib.concatLists (lib.mapAttrsToList ofDisk (devices.disk or { }))
    ++ lib.concatLists (lib.mapAttrsToList (name: opened "/dev/md/${name}") (devices.mdadm or { }))
  );
}
