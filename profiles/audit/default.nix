# The audit log: who changed keys and cluster membership, accounts, the clock, the kernel. The log is in /var/log/audit
# for ausearch(8), and also goes through syslog to the journal, so that it is forwarded with all other messages.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  changes = key: kind: path: "-a always,exit -F ${kind}=${path} -F perm=wa -F key=${key}";
  calls =
    key: arch: names:
    "-a always,exit -F arch=${arch} ${lib.concatMapStringsSep " " (name: "-S ${name}") names} -F key=${key}";
  unrecorded = kind: "-a always,exclude -F msgtype=${kind}";

  # The same for all releases. The log takes at most 500 MB, and never the last space of the disk.
  settings = {
    log_file = "/var/log/audit/audit.log";
    log_group = "root";
    log_format = "enriched";
    flush = "incremental_async";
    freq = 50;
    max_log_file = 50;
    num_logs = 10;
    max_log_file_action = "rotate";
    space_left = 1024;
    space_left_action = "syslog";
    admin_space_left = 256;
    admin_space_left_action = "suspend";
    disk_full_action = "suspend";
    disk_error_action = "suspend";
  };
  file = settings: lib.concatStrings (lib.mapAttrsToList (key: value: "${key} = ${toString value}\n") settings);

  # Releases after NixOS 24.11 have options for auditd's configuration. NixOS 24.11 starts auditd without a configuration:
  # the log grows until the disk is full.
  known = options.security.auditd;
in
{
  imports = [ ./loader.nix ];

  options.plasmagen.audit.enable = import ../part.nix lib "the audit log";

  config = lib.mkIf config.plasmagen.audit.enable (
    lib.mkMerge [
      {
        security.audit = {
          enable = lib.mkDefault true;
          # Beyond these limits, the kernel drops records; processes never wait for the daemon.
          backlogLimit = lib.mkDefault 8192;
          rateLimit = lib.mkDefault 1000;
          # The kernel takes the first rule that matches. The files of Raft and of the database are not watched, since they
          # change all the time; the services log who joins and leaves.
          rules =
          [ "--backlog_wait_time 0" ]
          # The journal has the units that systemd starts. chronyd adjusts the clock, and systemd loads BPF programs, all the
          # time.
          ++ map unrecorded [
            "SERVICE_START"
            "SERVICE_STOP"
            "TIME_ADJNTPVAL"
            "BPF"
          ]
          ++ [
            (changes "secrets" "dir" "/etc/nixos/secrets")
            (changes "cluster" "dir" "/etc/nixos")
          ]
          ++ map (changes "identity" "path") [
            "/etc/passwd"
            "/etc/shadow"
            "/etc/group"
            "/etc/sudoers"
          ]
          ++ [ (changes "identity" "dir" "/etc/ssh") ]
          ++ lib.concatMap (arch: [
            (calls "time" arch [
              "settimeofday"
              "clock_settime"
            ])
            (calls "modules" arch [
              "init_module"
              "finit_module"
              "delete_module"
            ])
          ]) ([ "b64" ] ++ lib.optional (pkgs.stdenv.hostPlatform.system == "x86_64-linux") "b32");
        };

        security.auditd.enable = lib.mkDefault true;
      }
      (lib.optionalAttrs (!(known ? plugins)) {
        environment.etc = lib.mkIf config.security.auditd.enable {
          "audit/auditd.conf".text = file settings;
        "audit/plugins.d/syslog.conf".text = file {
            active = "yes";
            direction = "out";
            path = "${pkgs.audit}/bin/audisp-syslog";
            type = "always";
            args = "LOG_INFO";
            format = "string";
          };
        };
      })
      (lib.optionalAttrs (known ? plugins) {
        security.auditd.plugins.syslog.active = lib.mkDefault true;
      })
      (lib.optionalAttrs (known ? settings) {
        security.auditd.settings = lib.mapAttrs (_: lib.mkDefault) settings;
      })
    ]
  );
}
