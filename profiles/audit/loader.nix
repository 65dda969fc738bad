# The unit that loads security.audit.rules, in the place of NixOS' units: the same for all releases of NixOS and for all
# kernels. NixOS gives auditctl one file of limits and rules. auditctl stops at the first line that fails. With Linux 6.19 it
# was reported to fail at the first limit (nixpkgs issue 513202), so that no rule is loaded.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.security.audit;
  auditctl = "${cfg.package or pkgs.audit}/bin/auditctl";

  failureModes = {
    silent = 0;
    printk = 1;
    panic = 2;
  };

  lines = [
    "-b ${toString cfg.backlogLimit}"
    "-f ${toString failureModes.${cfg.failureMode}}"
    "-r ${toString cfg.rateLimit}"
  ]
  ++ cfg.rules
  ++ [ "-e ${if cfg.enable == "lock" then "2" else "1"}" ];
  file = pkgs.writeText "audit.rules" (lib.concatMapStrings (line: "${line}\n") lines);
in
{
  config = lib.mkIf (config.plasmagen.audit.enable && cfg.enable != false) {
    systemd.services = {
      # The loader of NixOS 24.11 and 25.05, and the loader of later releases.
      audit.enable = lib.mkDefault false;
      audit-rules-nixos.enable = lib.mkDefault false;

      plasmagen-audit = {
        description = "Load the rules of the audit log";
        wantedBy = [ "sysinit.target" ];
        before = [ "sysinit.target" ];
        # The rules name directories that tmpfiles make: the kernel refuses a rule for a directory that is not there.
        after = [
          "local-fs.target"
          "systemd-tmpfiles-setup.service"
        ];
        unitConfig = {
          DefaultDependencies = false;
          ConditionVirtualization = "!container";
          ConditionSecurity = "audit";
        };
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${pkgs.runtimeShell} ${./load.sh} ${auditctl} ${file}";
          # For a switch to a configuration without the audit log. A shutdown does not stop this unit, and is recorded to its
          # end.
          ExecStop = [
            "-${auditctl} -e 0"
            "-${auditctl} -D"
          ];
        };
      };
    };
  };
}
