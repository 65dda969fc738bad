# The node's overlay (docs/bundles.md): stage 1 keeps the overlay, with systemd or scripted, and stage 2 applies it.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  kept = "/run/plasmagen/overlay";
  carry = builtins.readFile ./carry.sh;
  bySystemd = config.boot.initrd.systemd.enable;
in
{
  boot.initrd = {
    systemd.services.plasmagen-overlay = lib.mkIf bySystemd {
      description = "Keep the node's overlay";
      wantedBy = [ "initrd.target" ];
      before = [
        "initrd.target"
        "shutdown.target"
      ];
      conflicts = [ "shutdown.target" ];
      unitConfig.DefaultDependencies = false;
      serviceConfig.Type = "oneshot";
      script = carry;
    };
  }
  # NixOS removes this option together with the scripted stage 1.
  // lib.optionalAttrs (options.boot.initrd ? postMountCommands) {
    postMountCommands = lib.mkIf (!bySystemd) ''
      (
      set --
      ${carry}
      )
    '';
  };

  systemd.services.plasmagen-overlay = {
    description = "Apply the node's overlay";
    wantedBy = [ "multi-user.target" ];
    wants = [ "network-pre.target" ];
    before = [
      "network-pre.target"
      "sshd.service"
    ];
    unitConfig.ConditionPathExists = kept;
    path = [
      pkgs.jq
      pkgs.openssh
    ];
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "${pkgs.runtimeShell} ${./apply.sh} ${kept} /";
      StandardOutput = "journal+console";
    };
  };
}
