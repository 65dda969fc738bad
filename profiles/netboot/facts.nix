# Prints on the console the facts of the machine that the inventory needs.
{ pkgs, ... }:
{
  systemd.services.plasmagen-facts = {
    description = "Print the facts of this machine that the inventory needs";
    wantedBy = [ "multi-user.target" ];
    after = [
      "plasmagen-overlay.service"
      "systemd-networkd.service"
    ];
    path = [ pkgs.jq ];
    serviceConfig = {
      Type = "oneshot";
      # Waits for slow disks and cards. If the wait fails, the program prints what is there.
      ExecStartPre = "-${pkgs.systemd}/bin/udevadm settle --timeout=60";
      ExecStart = "${pkgs.runtimeShell} ${./facts.sh} /run/plasmagen/overlay /";
      StandardOutput = "journal+console";
    };
  };
}
