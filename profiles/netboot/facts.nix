# Says on the console what the inventory must know of the machine.
{ pkgs, ... }:
{
  systemd.services.plasmagen-facts = {
    description = "Print what the inventory must know of this machine";
    wantedBy = [ "multi-user.target" ];
    after = [
      "plasmagen-overlay.service"
      "systemd-networkd.service"
    ];
    path = [ pkgs.jq ];
    serviceConfig = {
      Type = "oneshot";
      # Disks and cards that take their time; without them it says what is there.
      ExecStartPre = "-${pkgs.systemd}/bin/udevadm settle --timeout=60";
      ExecStart = "${pkgs.runtimeShell} ${./facts.sh} /run/plasmagen/overlay /";
      StandardOutput = "journal+console";
    };
  };
}
