# Disk space: once a week the oldest generations of the system are removed, and then all store paths that nothing uses. The
# number of generations decides and not their age: after a month without a change, an age would leave no generation to
# roll back to.
{ config, lib, ... }:
let
  cfg = config.plasmagen.garbageCollection;
  inherit (config.boot) loader;
  # The boot menu must not list a generation that is gone. The menu of systemd-boot has a limit only where one is set.
  generations = lib.foldl' lib.max cfg.generations (
    lib.filter (limit: limit != null) [
      loader.grub.configurationLimit
      loader.systemd-boot.configurationLimit
    ]
  );
in
{
  options.plasmagen.garbageCollection = {
    enable = import ./part.nix lib "the weekly removal of old generations and unused store paths";

    generations = lib.mkOption {
      type = lib.types.ints.positive;
      default = 10;
      description = ''
        How many generations of the system stay: the current one, those before it up to this number, and all that are
        newer than the current one. At least as many stay as the boot menu lists.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    nix.gc = {
      automatic = lib.mkDefault config.nix.enable;
      dates = lib.mkDefault "weekly";
      # Voters do not all work on their disks at the same time.
      randomizedDelaySec = lib.mkDefault "6h";
    };

    boot.loader.systemd-boot.configurationLimit = lib.mkDefault cfg.generations;

    # A site that gives nix-collect-garbage options of its own, such as an age, decides alone which generations go.
    systemd.services.nix-gc = lib.mkIf (config.nix.gc.automatic && config.nix.gc.options == "") {
      preStart = ''
        ${config.nix.package}/bin/nix-env --profile /nix/var/nix/profiles/system --delete-generations +${toString generations}
      '';
    };
  };
}
